// An error is an errno and what was being tried; a Result is a value or an error. Nothing is
// allocated and nothing is thrown, so the same type serves PID 1 and its tests.
#pragma once

#include <utility>

namespace copal {

struct Error {
  int code = 0;           // errno; 0 means no error
  const char* what = "";  // a string literal: the step that failed
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(error) {}         // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return error_.code == 0; }
  [[nodiscard]] Error error() const { return error_; }
  T& operator*() { return value_; }
  T* operator->() { return &value_; }

 private:
  T value_{};
  Error error_{};
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(error) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return error_.code == 0; }
  [[nodiscard]] Error error() const { return error_; }

 private:
  Error error_{};
};

}  // namespace copal
