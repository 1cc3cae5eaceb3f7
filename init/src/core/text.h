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

// The whole of `text` as a decimal number within [low, high], in its one spelling: no +, -0 or 007.
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
// or a character that does not show, or changes how others show.
size_t printable(std::string_view text);
// What does not show becomes `?`.
Line clean(std::string_view text);
// `path` is `top`, or something in it. Both are whole, and without / at their end.
bool is_below(std::string_view path, std::string_view top);
// Labels of letters, digits, - and _, with dots between: the name of a host or a domain.
bool valid_domain(std::string_view text);
// Of a host, which the kernel has to take, too.
bool valid_host_name(std::string_view text);
inline constexpr size_t kMaxHostName = 64;
// The third (and fourth) field of `name`'s line in text like /etc/passwd or /etc/group.
struct Ids {
  unsigned id = 0;
  unsigned group = 0;
};
std::optional<Ids> find_account(std::string_view file, std::string_view name);

// How many letters are added, left out, others, or two swapped, but never more than `limit` + 1.
// Capital and small letters are the same.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

// Finds the name that was probably meant: near the one given, and nearer than all others offered.
// SIGTERM means TERM, and CAP_NET_RAW net_raw.
class Suggestion {
 public:
  explicit Suggestion(std::string_view typed) : typed_(typed) {}
  void offer(std::string_view name);
  // Empty: nothing is near.
  [[nodiscard]] std::string_view best() const { return best_; }

 private:
  static constexpr size_t kLimit = 2;
  std::string_view typed_;
  std::string_view best_;
  size_t best_distance_ = kLimit + 1;
};

}  // namespace copal
