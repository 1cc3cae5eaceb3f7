#include "init/watchdog.h"

#include <linux/watchdog.h>

#include <array>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace copal {

constexpr int kTimeout = 60;  // seconds

// Not ioctl(): to musl a request is an int, and these do not fit.
static long ask(const sys::Fd& device, unsigned long request, int& value) {
  return syscall(SYS_ioctl, device.get(), request, &value);
}

void Watchdog::open(const sys::Log& log, Time now) {
  constexpr int kMost = 8;
  int best = -1;
  bool best_is_software = true;
  std::array<char, 128> identity;
  for (int n = 0; n < kMost; ++n) {
    auto name =
        sys::read_file(Line("/sys/class/watchdog/watchdog", n, "/identity").c_str(), identity);
    if (!name.ok()) continue;
    const bool software = name->starts_with("Software Watchdog");
    if (best >= 0 && (software || !best_is_software)) continue;
    best = n;
    best_is_software = software;
  }
  if (best < 0) return log.say(sys::Level::notice, "watchdog: none");
  auto device = sys::open(Line("/dev/watchdog", best).c_str(), O_WRONLY);
  if (!device.ok()) return log.fail(sys::Level::error, "watchdog", device.error());
  device_ = std::move(*device);
  // Not all can be set: then it says what it has.
  int seconds = kTimeout;
  if (ask(device_, WDIOC_SETTIMEOUT, seconds) < 0 && ask(device_, WDIOC_GETTIMEOUT, seconds) < 0) {
    seconds = 2;
  }
  interval_ = std::chrono::milliseconds(seconds * 1000 / 3);
  feed(now);
  log.say(sys::Level::info, "watchdog: ", best_is_software ? "software, " : "hardware, ", seconds,
          " s");
}

void Watchdog::feed(Time now) {
  if (!device_.open()) return;
  (void)!write(device_.get(), "1", 1);
  next_ = now + interval_;
}

void Watchdog::disarm() {
  if (!device_.open()) return;
  (void)!write(device_.get(), "V", 1);
  device_.reset();
  next_ = kNever;
}

}  // namespace copal
