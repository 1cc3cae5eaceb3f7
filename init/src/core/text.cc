#include "core/text.h"

#include <algorithm>

namespace copal {

Line& Line::add(Time time) {
  const auto count = time.count();
  const auto millis = count % 1000;
  add(count / 1000).add(millis < 10 ? ".00" : millis < 100 ? ".0" : ".");
  return add(millis).add("s");
}

std::optional<long> parse_number(std::string_view text, long low, long high) {
  long value = 0;
  const char* const end = text.data() + text.size();
  const auto done = std::from_chars(text.data(), end, value);
  if (done.ec != std::errc{} || done.ptr != end || value < low || value > high) return {};
  return value;
}

std::optional<Duration> parse_duration(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view unit = text.substr(digits);
  const auto count = parse_number(text.substr(0, digits), 0, 86'400'000);
  if (!count) return {};
  Duration value{};
  if (unit == "ms")
    value = std::chrono::milliseconds(*count);
  else if (unit == "s")
    value = std::chrono::seconds(*count);
  else if (unit == "m")
    value = std::chrono::minutes(*count);
  else if (unit == "h")
    value = std::chrono::hours(*count);
  else
    return {};
  if (value > std::chrono::hours(24)) return {};
  return value;
}

std::optional<uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kUnits = "KMGTPE";
  const size_t unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
  if (unit == std::string_view::npos) return {};
  const size_t shift = 10 * (unit + 1);
  const auto count = parse_number(text.substr(0, text.size() - 1), 1, INT64_MAX >> shift);
  if (!count) return {};
  return static_cast<uint64_t>(*count) << shift;
}

std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \n"));
  text.remove_prefix(word.size());
  return word;
}

size_t printable(std::string_view text) {
  constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0xa0, 0x800, 0x10000};
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const uint32_t first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (length > text.size()) return 0;
  uint32_t code = first & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool surrogate = (code & ~0x7ffU) == 0xd800;
  return code >= kLeast[length] && code <= 0x10ffff && !surrogate ? length : 0;
}

std::optional<Ids> find_account(std::string_view file, std::string_view name) {
  while (!file.empty()) {
    std::string_view line = take_line(file);
    std::array<std::string_view, 4> fields;
    for (std::string_view& field : fields) {
      const size_t end = std::min(line.find(':'), line.size());
      field = line.substr(0, end);
      line.remove_prefix(std::min(end + 1, line.size()));
    }
    if (fields[0] != name) continue;
    const auto id = parse_number(fields[2], 0, 0xfffffffe);
    if (!id) return {};
    const auto group = parse_number(fields[3], 0, 0xfffffffe);  // in /etc/group: the members
    return Ids{static_cast<unsigned>(*id), static_cast<unsigned>(group.value_or(*id))};
  }
  return {};
}

size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  constexpr size_t kLongest = 64;
  if (a.size() > kLongest || b.size() > kLongest) return limit + 1;
  std::array<size_t, kLongest + 1> row;
  for (size_t i = 0; i <= b.size(); ++i) row[i] = i;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return std::min(row[b.size()], limit + 1);
}

}  // namespace copal
