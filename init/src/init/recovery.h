// PID 1 survives a fault of its own. What it has to know of the services lies in a file in memory
// that outlives execve: a handler of SIGSEGV and its like runs this program again, which takes the
// services over as they are. A second fault within a minute is the end: the kernel panics.
#pragma once

#include <span>

#include "core/result.h"
#include "core/supervisor.h"
#include "sys/fd.h"
#include "sys/log.h"

namespace copal {

struct Remembered {
  int32_t pid = 0;
  // Descriptors, which keep their numbers; -1: closed.
  int32_t output_in = -1;
  int32_t output_out = -1;
  int32_t notify = -1;
  Life life;
};

class Recovery {
 public:
  // A new, empty memory; or, after a fault, the old one, whose descriptor is given. That it does
  // not fit these services is an error.
  Status make(size_t services);
  Status take_over(int fd, size_t services);

  // From here on, a fault is recovered from.
  void arm(const sys::Log& log);

  [[nodiscard]] bool recovering() const { return recovering_; }
  [[nodiscard]] Remembered& operator[](size_t i) { return services_[i]; }
  // The Ending that has begun, or -1.
  [[nodiscard]] int32_t& ending();

 private:
  Status map(size_t services);

  sys::Fd file_;
  std::span<std::byte> memory_;
  std::span<Remembered> services_;
  bool recovering_ = false;
};

}  // namespace copal
