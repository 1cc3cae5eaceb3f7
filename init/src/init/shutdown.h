// The end, in phases, each with a deadline, so that nothing can keep a machine from going down:
//
//   stopping     services stop, in reverse order    30 s and the longest stop limit
//   tasks        what is to run at shutdown    5 s and the longest of their limits
//   log          the log has taken down all that was said, and stops    3 s
//   terminating  SIGTERM to all that is left, such as Nomad's tasks    5 s
//   killing      SIGKILL to all that is left    2 s
//   over         a child syncs and unmounts    10 s; then reboot(2)
#pragma once

#include "core/time.h"
#include "sys/log.h"

namespace copal {

enum class Ending : uint8_t { poweroff, reboot, kexec };

class Shutdown {
 public:
  enum class Phase : uint8_t { running, stopping, tasks, log, terminating, killing, over };

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] Ending ending() const { return ending_; }
  [[nodiscard]] Time deadline() const { return deadline_; }

  // False: it has begun already, and asking again changes nothing.
  bool begin(Ending ending, Time now, Duration longest_stop, Duration longest_task) {
    if (phase_ != Phase::running) return false;
    ending_ = ending;
    longest_task_ = longest_task;
    return enter(Phase::stopping, now + longest_stop + std::chrono::seconds(30));
  }

  // True: a new phase has begun.
  bool advance(Time now, bool services_at_rest, bool log_at_rest, bool children_left) {
    const bool late = now >= deadline_;
    switch (phase_) {
      case Phase::running:
      case Phase::over: return false;
      case Phase::stopping:
        if (!late && !services_at_rest) return false;
        return enter(Phase::tasks, now + longest_task_ + std::chrono::seconds(5));
      case Phase::tasks:
        if (!late && !services_at_rest) return false;
        return enter(Phase::log, now + std::chrono::seconds(3));
      case Phase::log:
        if (!late && !log_at_rest) return false;
        return enter(Phase::terminating, now + std::chrono::seconds(5));
      case Phase::terminating:
        if (!late && children_left) return false;
        return enter(Phase::killing, now + std::chrono::seconds(2));
      case Phase::killing:
        if (!late && children_left) return false;
        return enter(Phase::over, kNever);
    }
    return false;
  }

 private:
  bool enter(Phase phase, Time deadline) {
    phase_ = phase;
    deadline_ = deadline;
    return true;
  }

  Phase phase_ = Phase::running;
  Ending ending_ = Ending::poweroff;
  Time deadline_ = kNever;
  Duration longest_task_{};
};

// Writes everything out and unmounts it, within ten seconds.
void finish_files(const sys::Log& log);
// Comes back only if the kernel refuses.
Error leave(Ending ending, const sys::Log& log);

}  // namespace copal
