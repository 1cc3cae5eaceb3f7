// All memory that PID 1 needs is taken from one block while it loads, and never given back: after
// that nothing can run out. Nothing that lives here is ever destroyed: PID 1 does not end.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>

namespace copal {

class Arena {
 public:
  explicit Arena(std::span<std::byte> block) : free_(block) {}

  // `count` value-initialised objects; an empty span when the block is used up.
  template <typename T>
  std::span<T> make(size_t count) {
    void* at = free_.data();
    size_t room = free_.size();
    if (count > room / sizeof(T) || !std::align(alignof(T), count * sizeof(T), at, room)) return {};
    free_ = std::span(static_cast<std::byte*>(at) + count * sizeof(T), room - count * sizeof(T));
    T* const first = static_cast<T*>(at);
    std::uninitialized_value_construct_n(first, count);
    return {first, count};
  }

  // A copy with a NUL behind it, for the kernel; without data when the block is used up.
  std::string_view copy(std::string_view text) {
    const std::span<char> to = make<char>(text.size() + 1);
    if (to.empty()) return {};
    std::memcpy(to.data(), text.data(), text.size());
    return {to.data(), text.size()};
  }

 private:
  std::span<std::byte> free_;
};

}  // namespace copal
