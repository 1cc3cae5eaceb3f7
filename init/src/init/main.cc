// init: PID 1, and a few programs that share its binary.
#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "applet/applet.h"
#include "init/boot.h"
#include "init/load.h"
#include "init/root.h"
#include "init/runner.h"

namespace copal {
namespace {

// More than 512 files of 64 KiB need, with what is made of them. Only what is used is real.
constexpr size_t kArenaSize = size_t{64} << 20;

class LogReporter final : public Reporter {
 public:
  explicit LogReporter(const sys::Log& log) : log_(log) {}
  void problem(const Place& place, std::string_view message) override {
    if (place.line == 0) {
      log_.say(sys::Level::error, place.file, ": ", message);
    } else {
      log_.say(sys::Level::error, place.file, ":", place.line, ":", place.column, ": ", message);
    }
  }

 private:
  const sys::Log& log_;
};

// There is nothing to fall back on, least of all a shell. When PID 1 ends the kernel panics, which
// keeps the log where pstore can, and reboots as `panic=` says; if nothing says, after 10 seconds.
[[noreturn]] void panic(const sys::Log& log, const char* subject, Error error) {
  log.fail(sys::Level::critical, subject, error);
  std::array<char, 4096> buffer;
  auto command_line = sys::read_file("/proc/cmdline", buffer);
  std::array<char, 32> seconds;
  auto set = sys::read_file("/proc/sys/kernel/panic", seconds);
  if (command_line.ok() && kernel_argument(*command_line, "panic").empty() && set.ok() &&
      set->starts_with("0")) {
    (void)sys::write_file("/proc/sys/kernel/panic", "10");
  }
  _exit(1);
}

// PID 1 has no use for the console, which may block, nor for closed descriptors 0 to 2, which some
// later file would get.
void detach_stdio() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (int fd = 0; fd <= 2; ++fd) (void)dup2(null, fd);
  if (null > 2) close(null);
}

[[noreturn]] void first_stage() {
  sys::Log log;
  mount_dev();
  (void)log.open();
  log.say(sys::Level::notice, "start ", sys::now());
  panic(log, "root", enter_image(log).error());
}

[[noreturn]] void second_stage() {
  sys::stop_ignoring_signals();
  const sigset_t signals = sys::catchable_signals();
  (void)sigprocmask(SIG_BLOCK, &signals, nullptr);
  sys::Log log;
  mount_dev();
  (void)log.open();
  log.say(sys::Level::notice, "boot ", sys::now());
  detach_stdio();
  (void)reboot(RB_DISABLE_CAD);  // ctrl-alt-del then sends SIGINT

  mount_all(log);
  sys::Fd cgroups = set_up_cgroups(log);
  set_clock_floor(log);
  set_hostname(log);
  bring_up_loopback(log);

  auto memory = sys::reserve(kArenaSize);
  if (!memory.ok()) panic(log, "memory", memory.error());
  Arena arena(*memory);
  LogReporter reporter(log);
  Services services;
  auto root = sys::open("/", O_RDONLY | O_DIRECTORY);
  auto dir = sys::open("/etc/init", O_RDONLY | O_DIRECTORY);
  const Accounts accounts = root.ok() ? load_accounts(*root, arena) : Accounts();
  const Status loaded = load_services(*dir, "/etc/init", &accounts, arena, reporter, services);
  if (!loaded.ok()) panic(log, "services", loaded.error());

  Runner runner(services, std::move(cgroups), log, arena);
  const Status prepared = runner.prepare();
  if (!prepared.ok()) panic(log, "services", prepared.error());
  log.say(sys::Level::notice, "services ", sys::now(), ": ", services.specs.size() - 1);
  const Ending ending = runner.run();
  panic(log, "shutdown", leave(ending, log));
}

int run_applet(std::span<char*> arguments) {
  const std::string_view name = arguments.size() > 1 ? arguments[1] : "";
  if (name == "--log") return run_log(arguments.subspan(2));
  if (name == "--check") return run_check(arguments.subspan(2));
  if (name == "--net") return run_net(arguments.subspan(2));
  if (std::string_view(arguments[0]).ends_with("/dhcpcd-run-hooks")) return run_dhcp_hook();
  constexpr std::string_view kUsage =
      "This is PID 1 of a Copal image. As a program it does one thing:\n"
      "  init --check DIR [ROOT]   checks the service files in DIR; users and programs in ROOT\n";
  (void)!write(2, kUsage.data(), kUsage.size());
  return 2;
}

}  // namespace
}  // namespace copal

int main(int argc, char** argv) {
  if (getpid() != 1) return copal::run_applet({argv, static_cast<size_t>(argc)});
  // The kernel runs the initramfs's /init under that name; the image's own is called `init`.
  if (std::strcmp(argv[0], "/init") == 0) copal::first_stage();
  copal::second_stage();
}
