// What init itself has to say goes to the kernel's log: it exists from the first moment, it is what
// pstore keeps after a crash, and writing to it never waits for anybody (unlike /dev/console).
#pragma once

#include "core/text.h"
#include "sys/kernel.h"

namespace copal::sys {

class Log {
 public:
  // Needs /dev. Until it is open, messages are lost.
  Status open();

  template <typename... Parts>
  void say(Level level, const Parts&... parts) const {
    write(level, Line(parts...));
  }
  void fail(Level level, const char* subject, Error error) const;

  [[nodiscard]] const Fd& fd() const { return kmsg_; }

 private:
  void write(Level level, const Line& line) const;
  Fd kmsg_;
};

// "<30>", which the kernel takes for "daemon, info".
Line kmsg_prefix(Level level);

}  // namespace copal::sys
