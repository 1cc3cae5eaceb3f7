// What a service prints: a line, made harmless, with its level.
#include <array>
#include <string>

#include "fuzz.h"
#include "log/record.h"

namespace copal {

void fuzz(std::string_view input) {
  std::string text(input.substr(0, log::kMaxText));
  log::clean(text);
  for (const char c : text) hold(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  std::string again = text;
  log::clean(again);
  hold(again == text);

  std::string_view line = text;
  const log::Record record{1, 1, {}, log::take_level(line), "fuzz", line};
  hold(record.level < log::kLevels.size());
  std::array<char, log::kMaxMessage> out;
  hold(log::format_line(record, out).ends_with(std::string(line) + "\n"));
  hold(log::format_syslog(record, "host", true, out).ends_with(line));
}

}  // namespace copal
