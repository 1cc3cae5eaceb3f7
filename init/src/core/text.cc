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
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.starts_with('0') && text.size() > 1) return {};
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

namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Unicode's characters without a look of their own: marks of direction, of width and of joining,
// ends of lines and paragraphs, and tags.
constexpr std::array kInvisible = {
    Range{0xad, 0xad},     Range{0x61c, 0x61c},   Range{0x180e, 0x180e},
    Range{0x200b, 0x200f}, Range{0x2028, 0x202e}, Range{0x2060, 0x206f},
    Range{0xfeff, 0xfeff}, Range{0xfff9, 0xfffb}, Range{0xe0000, 0xe0fff}};

bool invisible(uint32_t code) {
  return std::any_of(kInvisible.begin(), kInvisible.end(),
                     [&](const Range& range) { return code >= range.first && code <= range.last; });
}

}  // namespace

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
  const bool good = code >= kLeast[length] && code <= 0x10ffff && !surrogate;
  return good && !invisible(code) ? length : 0;
}

Line clean(std::string_view text) {
  Line line;
  while (!text.empty()) {
    const size_t length = printable(text);
    line.add(length == 0 ? "?" : text.substr(0, length));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return line;
}

bool is_below(std::string_view path, std::string_view top) {
  if (top == "/" || path == top) return true;
  return path.starts_with(top) && path[top.size()] == '/';
}

bool valid_domain(std::string_view text) {
  constexpr size_t kLongest = 253;
  constexpr size_t kLongestLabel = 63;
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  if (text.size() > kLongest) return false;
  while (true) {
    const std::string_view label = text.substr(0, text.find('.'));
    if (label.empty() || label.size() > kLongestLabel || label.front() == '-' ||
        label.back() == '-' || label.find_first_not_of(kLetters) != std::string_view::npos) {
      return false;
    }
    if (label.size() == text.size()) return true;
    text.remove_prefix(label.size() + 1);
  }
}

bool valid_host_name(std::string_view text) {
  return text.size() <= kMaxHostName && valid_domain(text);
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

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  constexpr size_t kLongest = 64;
  if (a.size() > kLongest || b.size() > kLongest) return limit + 1;
  const auto same = [&](size_t i, size_t j) { return lower(a[i - 1]) == lower(b[j - 1]); };
  std::array<std::array<size_t, kLongest + 1>, 3> rows;  // the newest three
  for (size_t i = 0; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& before = rows[(i + 2) % 3];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = row[j - 1] + 1;
      if (i == 0) continue;
      row[j] = std::min({row[j], before[j] + 1, before[j - 1] + (same(i, j) ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j);
      if (swapped) row[j] = std::min(row[j], rows[(i + 1) % 3][j - 2] + 1);
    }
  }
  return std::min(rows[a.size() % 3][b.size()], limit + 1);
}

void Suggestion::offer(std::string_view name) {
  size_t distance = edit_distance(typed_, name, kLimit);
  // What others put before their names.
  for (const std::string_view prefix : {"SIG", "CAP_"}) {
    if (!typed_.starts_with(prefix)) continue;
    const std::string_view rest = typed_.substr(prefix.size());
    distance = std::min(distance, edit_distance(rest, name, kLimit));
  }
  // Of two letters that are both other ones, nothing is meant.
  if (distance >= std::min(best_distance_, typed_.size())) return;
  best_distance_ = distance;
  best_ = name;
}

}  // namespace copal
