#include "log/record.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>

#include "core/text.h"

namespace copal::log {
namespace {

std::string_view cut(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

Line timestamp(int64_t realtime) {
  using namespace std::chrono;
  const sys_time<milliseconds> time(milliseconds(realtime / 1000));
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const auto of_day = (time - day).count();
  Line out(static_cast<int>(date.year()));
  const auto add = [&](std::string_view before, auto value) {
    out.add(before).add(value < 10 ? "0" : "").add(value);
  };
  add("-", static_cast<unsigned>(date.month()));
  add("-", static_cast<unsigned>(date.day()));
  add("T", of_day / 3'600'000);
  add(":", of_day / 60'000 % 60);
  add(":", of_day / 1000 % 60);
  add(of_day % 1000 < 100 ? ".0" : ".", of_day % 1000);
  return out.add("Z");
}

std::string_view join(std::span<char> out, std::initializer_list<std::string_view> parts) {
  size_t size = 0;
  for (const std::string_view part : parts) {
    const size_t n = std::min(part.size(), out.size() - size);
    std::copy_n(part.begin(), n, out.begin() + static_cast<ptrdiff_t>(size));
    size += n;
  }
  return {out.data(), size};
}

}  // namespace

std::optional<uint8_t> parse_level(std::string_view name) {
  const auto found = std::find(kLevels.begin(), kLevels.end(), name);
  if (found == kLevels.end()) return {};
  return static_cast<uint8_t>(found - kLevels.begin());
}

uint8_t take_level(std::string_view& line) {
  if (line.size() < 3 || line[0] != '<' || line[1] < '0' || line[1] > '7' || line[2] != '>') {
    return kInfo;
  }
  const auto level = static_cast<uint8_t>(line[1] - '0');
  line.remove_prefix(3);
  return level;
}

void clean(std::span<char> text) {
  while (!text.empty()) {
    const size_t good = printable({text.data(), text.size()});
    if (good == 0) text[0] = static_cast<unsigned char>(text[0]) < 0x20 ? ' ' : '?';
    text = text.subspan(std::max(good, size_t{1}));
  }
}

std::optional<KernelMessage> parse_kernel(std::string_view record) {
  std::string_view text = record;
  std::string_view head = cut(text, ';');
  const auto priority = parse_number(cut(head, ','), 0, 0xffff);
  const auto sequence = parse_number(cut(head, ','), 0, LONG_MAX);
  const auto time = parse_number(cut(head, ','), 0, LONG_MAX);
  if (!priority || !sequence || !time || record.find(';') == record.npos) return {};
  return KernelMessage{static_cast<unsigned>(*priority >> 3), static_cast<uint8_t>(*priority & 7),
                       *sequence, *time, take_line(text)};
}

std::optional<Request> parse_request(std::string_view line) {
  constexpr std::string_view kLines = "lines=";
  Request request;
  while (true) {
    const std::string_view word = take_word(line);
    if (word.empty()) return request;
    if (word == "follow") {
      request.follow = true;
    } else if (word.starts_with(kLines)) {
      const auto lines = parse_number(word.substr(kLines.size()), 0, LONG_MAX);
      if (!lines) return {};
      request.lines = *lines;
    } else if (request.name.empty()) {
      request.name = word;
    } else {
      return {};
    }
  }
}

std::optional<Address> parse_address(std::string_view text) {
  const bool tcp = text.starts_with("tcp://");
  if (!tcp && !text.starts_with("udp://")) return {};
  const auto socket = parse_socket_address(text.substr(6));
  if (!socket) return {};
  return Address{tcp, *socket};
}

std::string_view format_line(const Record& record, std::span<char> out) {
  const Line head(timestamp(record.stamp.realtime).text(), " ", record.service, " ",
                  kLevels[record.level], ": ");
  return join(out, {head.text(), record.text, "\n"});
}

std::string_view format_syslog(const Record& record, std::string_view host, bool counted,
                               std::span<char> out) {
  constexpr uint64_t kIds = 0x7fffffff;  // 1 to that
  const unsigned facility = record.service == "kernel" ? kFromKernel : kFromInit;
  const Line head("<", facility * 8 + record.level, ">1 ", timestamp(record.stamp.realtime).text(),
                  " ", host.empty() ? "-" : host, " ", record.service, " - - [meta sequenceId=\"",
                  (record.sequence - 1) % kIds + 1, "\" sysUpTime=\"",
                  record.stamp.monotonic / 10'000, "\"] ");
  const Line count(head.text().size() + record.text.size(), " ");
  return join(out, {counted ? count.text() : "", head.text(), record.text});
}

}  // namespace copal::log
