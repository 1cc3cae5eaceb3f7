// The end, in phases, each with a deadline, so that nothing can keep a machine from going down:
//
//   stopping     services stop, in reverse order: as long as their files allow
//   tasks        what is to run at shutdown: as long as their files allow
//   terminating  SIGTERM to all that is left, as Nomad's tasks: the longest limit of `kill`
//   log          the log has taken down all that was said, and stops: 3 s
//   killing      SIGKILL to all that is left: 2 s
//   over         a child syncs and unmounts, as long as something is written; then reboot(2)
//
// A service that asks for more time moves the deadline of the first two, by ten minutes in all.
#pragma once

#include <algorithm>

#include "core/time.h"
#include "init/watchdog.h"
#include "sys/log.h"

namespace copal {

enum class Ending : uint8_t { poweroff, reboot, kexec };

class Shutdown {
 public:
  enum class Phase : uint8_t { running, stopping, tasks, terminating, log, killing, over };

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] Ending ending() const { return ending_; }
  [[nodiscard]] Time deadline() const { return deadline_; }

  struct Limits {
    Duration stop{};
    Duration tasks{};
    Duration rest{};
  };

  // False: it has begun already, and asking again changes nothing.
  bool begin(Ending ending, Time now, const Limits& limits) {
    if (phase_ != Phase::running) return false;
    ending_ = ending;
    limits_ = limits;
    return enter(Phase::stopping, now + limits.stop + kSlack);
  }

  // A service has its own limit moved by so much.
  void extend(Duration more) {
    if (phase_ != Phase::stopping && phase_ != Phase::tasks) return;
    more = std::min(more, patience_);
    patience_ -= more;
    deadline_ += more;
  }

  // True: a new phase has begun.
  bool advance(Time now, bool services_at_rest, bool log_at_rest, bool others_left) {
    const bool late = now >= deadline_;
    switch (phase_) {
      case Phase::running:
      case Phase::over: return false;
      case Phase::stopping:
        if (!late && !services_at_rest) return false;
        return enter(Phase::tasks, now + limits_.tasks + kSlack);
      case Phase::tasks:
        if (!late && !services_at_rest) return false;
        return enter(Phase::terminating, now + limits_.rest);
      case Phase::terminating:
        if (!late && others_left) return false;
        return enter(Phase::log, now + std::chrono::seconds(3));
      case Phase::log:
        if (!late && !log_at_rest) return false;
        return enter(Phase::killing, now + std::chrono::seconds(2));
      case Phase::killing:
        if (!late && others_left) return false;
        return enter(Phase::over, kNever);
    }
    return false;
  }

 private:
  static constexpr Duration kSlack = std::chrono::seconds(5);

  bool enter(Phase phase, Time deadline) {
    phase_ = phase;
    deadline_ = deadline;
    return true;
  }

  Phase phase_ = Phase::running;
  Ending ending_ = Ending::poweroff;
  Time deadline_ = kNever;
  Limits limits_;
  Duration patience_ = std::chrono::minutes(10);
};

// Services that are stopped find in /run/ending how the machine ends; when only they are, it is not
// there.
void tell_ending(Ending ending, const sys::Log& log);
// Writes everything out and unmounts it. It takes as long as it takes, while the watchdog is fed;
// but when nothing was written for ten seconds, the rest is given up.
void finish_files(const sys::Log& log, Watchdog& watchdog);
// Comes back only if the kernel refuses.
Error leave(Ending ending, const sys::Log& log);

}  // namespace copal
