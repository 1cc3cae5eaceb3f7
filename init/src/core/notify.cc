#include "core/notify.h"

#include "core/text.h"

namespace copal {

Notice parse_notice(std::string_view datagram) {
  constexpr std::string_view kMore = "EXTEND_TIMEOUT_USEC=";
  constexpr std::string_view kStatus = "STATUS=";
  Notice notice;
  while (!datagram.empty()) {
    const std::string_view line = take_line(datagram);
    if (line == "READY=1") notice.ready = true;
    if (line == "WATCHDOG=1") notice.alive = true;
    if (line.starts_with(kStatus)) notice.status = line.substr(kStatus.size());
    if (line.starts_with(kMore)) {
      const auto microseconds = parse_number(line.substr(kMore.size()), 0, 1L << 50);
      notice.more = std::chrono::milliseconds(microseconds.value_or(0) / 1000);
    }
  }
  return notice;
}

std::optional<int> parse_http_status(std::string_view answer) {
  const size_t end = answer.find('\n');
  if (end == std::string_view::npos || !answer.starts_with("HTTP/1.")) return {};
  std::string_view line = answer.substr(0, end);
  (void)take_word(line);
  const auto number = parse_number(take_word(line).substr(0, 3), 100, 599);
  if (!number) return {};
  return static_cast<int>(*number);
}

}  // namespace copal
