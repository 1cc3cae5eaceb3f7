// The machine's watchdog: a timer in hardware that resets the machine unless it is fed.
#pragma once

#include "core/time.h"
#include "sys/log.h"

namespace copal {

class Watchdog {
 public:
  // Takes a real one before the kernel's software one, which hangs when the kernel does. Without
  // any, nothing is fed.
  void open(const sys::Log& log, Time now);

  [[nodiscard]] Time next() const { return next_; }
  void feed(Time now);
  // So that a machine that is switched off stays off. For nothing else.
  void disarm();

 private:
  sys::Fd device_;
  Duration interval_{};
  Time next_ = kNever;
};

}  // namespace copal
