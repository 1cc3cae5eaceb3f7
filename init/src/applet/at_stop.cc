#include <cerrno>
#include <csignal>
#include <unistd.h>

#include "applet/applet.h"
#include "sys/kernel.h"
#include "sys/print.h"

namespace copal {

int run_at_stop(std::span<char*> arguments) {
  if (arguments.empty()) {
    sys::print(Line("usage: init --at-stop /PROGRAM [ARGUMENT...]\n"));
    return 2;
  }
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTERM);
  sigaddset(&stops, SIGINT);
  sigprocmask(SIG_BLOCK, &stops, nullptr);
  // From now on no stop is missed: `ready = fd` waits for this.
  constexpr int kReady = 3;
  (void)!write(kReady, "\n", 1);
  while (sigwaitinfo(&stops, nullptr) < 0 && errno == EINTR) {
  }
  sigprocmask(SIG_UNBLOCK, &stops, nullptr);
  execv(arguments[0], arguments.data());
  return sys::fail(arguments[0], sys::last_error("exec"));
}

}  // namespace copal
