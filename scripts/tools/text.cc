// Small pure functions on text; see text.h.
#include "text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <system_error>
#include <utility>

namespace copal {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> lines(std::string_view text) {
  auto parts = split(text, '\n');
  if (parts.back().empty()) parts.pop_back();
  return parts;
}

std::vector<std::string_view> words(std::string_view text) {
  static constexpr std::string_view kBlanks = " \t";
  std::vector<std::string_view> parts;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.empty()) return parts;
    const auto size = std::min(text.find_first_of(kBlanks), text.size());
    parts.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const auto& part : parts) {
    if (&part != &parts.front()) text += separator;
    text += part;
  }
  return text;
}

std::string escape(std::string_view raw) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(raw.size());
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte != 0x7f && c != '\\') {
      text += c;
    } else {
      text += "\\x";
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 15U];
    }
  }
  return text;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string raw;
  raw.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] != '\\') {
      raw += text[i];
      continue;
    }
    if (text.size() - i < 4 || text[i + 1] != 'x') return std::nullopt;
    const auto byte = number(text.substr(i + 2, 2), 16);
    if (!byte) return std::nullopt;
    raw += static_cast<char>(*byte);
    i += 3;
  }
  return raw;
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::string octal(unsigned mode) {
  std::array<char, 16> digits{};
  const char* end = std::to_chars(digits.begin(), digits.end(), mode, 8).ptr;
  std::string text(static_cast<const char*>(digits.data()), end);
  return text.size() < 4 ? std::string(4 - text.size(), '0') + text : text;
}

namespace {

// Of optimal string alignment: a letter more, less or other, and two that changed places, count
// one.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  auto above = row;
  auto two_above = row;
  for (std::size_t i = 0; i < a.size(); i++) {
    two_above = std::exchange(above, row);
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); j++) {
      row[j + 1] = std::min({above[j] + (a[i] == b[j] ? 0 : 1), above[j + 1] + 1, row[j] + 1});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
        row[j + 1] = std::min(row[j + 1], two_above[j - 1] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string> nearest(std::string_view wrong, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  auto limit = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  for (const auto& name : known) {
    const auto d = distance(wrong, name);
    if (d < limit) {
      limit = d;
      best = name;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& known) {
  const auto guess = nearest(wrong, known);
  return guess ? ". Did you mean " + *guess + "?" : "";
}

}  // namespace copal
