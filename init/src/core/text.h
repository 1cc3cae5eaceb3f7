// Text without allocation: a line put together from parts, numbers read, names compared.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/time.h"

namespace copal {

// Line("exit code ", code, " after ", time). What does not fit is cut off.
class Line {
 public:
  template <typename... Parts>
  explicit Line(const Parts&... parts) {
    (add(parts), ...);
  }

  Line& add(std::string_view text) {
    size_ += text.copy(buffer_.data() + size_, room());
    return *this;
  }
  Line& add(std::integral auto number) {
    char* const at = buffer_.data() + size_;
    const auto done = std::to_chars(at, at + room(), number);
    if (done.ec == std::errc{}) size_ += static_cast<size_t>(done.ptr - at);
    return *this;
  }
  Line& add(Time time);  // "3.214s"

  [[nodiscard]] std::string_view text() const { return {buffer_.data(), size_}; }
  // For the kernel. One byte is kept back for the NUL.
  const char* c_str() {
    buffer_[size_] = '\0';
    return buffer_.data();
  }

 private:
  [[nodiscard]] size_t room() const { return buffer_.size() - 1 - size_; }

  std::array<char, 512> buffer_;
  size_t size_ = 0;
};

// The whole of `text` as a decimal number within [low, high].
std::optional<long> parse_number(std::string_view text, long low, long high);
// "90s", "100ms", "5m", "2h": the unit is required. At most a day.
std::optional<Duration> parse_duration(std::string_view text);
// "64M": bytes; K, M, G, T, P and E are powers of 1024, and required. Less than 8E: what a file's
// offset can say.
std::optional<uint64_t> parse_size(std::string_view text);
// Cuts the first line off `text`, without its newline.
std::string_view take_line(std::string_view& text);
// Cuts the first word off `text`; blanks and newlines separate. Empty: no more.
std::string_view take_word(std::string_view& text);
// The length of the UTF-8 sequence that `text`, which is not empty, begins with; 0 if it is none,
// or a control character.
size_t printable(std::string_view text);
// The third (and fourth) field of `name`'s line in text like /etc/passwd or /etc/group.
struct Ids {
  unsigned id = 0;
  unsigned group = 0;
};
std::optional<Ids> find_account(std::string_view file, std::string_view name);

// Levenshtein distance, but never more than `limit` + 1.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

// Finds the name that was probably meant: near the one given, and nearer than all others offered.
class Suggestion {
 public:
  explicit Suggestion(std::string_view typed) : typed_(typed) {}
  void offer(std::string_view name) {
    const size_t distance = edit_distance(typed_, name, kLimit);
    if (distance >= best_distance_) return;
    best_distance_ = distance;
    best_ = name;
  }
  // Empty: nothing is near.
  [[nodiscard]] std::string_view best() const { return best_; }

 private:
  static constexpr size_t kLimit = 2;
  std::string_view typed_;
  std::string_view best_;
  size_t best_distance_ = kLimit + 1;
};

}  // namespace copal
