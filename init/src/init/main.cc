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
#include "init/machine.h"
#include "init/recovery.h"
#include "init/root.h"
#include "init/runner.h"

namespace copal {
namespace {

// More than 1,024 files of 64 KiB need, with what is made of them. Only what is used is real.
constexpr size_t kArenaSize = size_t{64} << 20;

class LogReporter final : public Reporter {
 public:
  explicit LogReporter(const sys::Log& log) : log_(log) {}
  void problem(const Place& place, std::string_view message) override {
    log_.say(sys::Level::error, describe(place).text(), message);
  }

 private:
  const sys::Log& log_;
};

// There is nothing to fall back on, least of all a shell. When PID 1 ends the kernel panics, which
// keeps the log where pstore can, and reboots as `panic=` says; if nothing says, after 10 seconds.
[[noreturn]] void panic(const sys::Log& log, const char* subject, Error error) {
  log.fail(sys::Level::critical, subject, error);
  std::array<char, 32> seconds;
  auto set = sys::read_file("/proc/sys/kernel/panic", seconds);
  if (boot_argument("panic").text().empty() && set.ok() && set->starts_with("0")) {
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

// From the services' files to the end of the machine. `memory` is the descriptor of what PID 1 left
// behind at a fault; -1: this is its first life.
[[noreturn]] void supervise(const sys::Log& log, sys::Fd cgroups, int memory_of_fault) {
  auto memory = sys::reserve(kArenaSize);
  if (!memory.ok()) panic(log, "memory", memory.error());
  Arena arena(*memory);
  LogReporter reporter(log);
  Services services;
  auto dir = sys::open("/etc/init", O_RDONLY | O_DIRECTORY);
  const Image image = open_image("/", arena);
  const Status loaded = load_services(*dir, "/etc/init", &image, arena, reporter, services);
  if (!loaded.ok()) panic(log, "services", loaded.error());

  Recovery recovery;
  const Status remembers = memory_of_fault < 0
                               ? recovery.make(services.specs.size())
                               : recovery.take_over(memory_of_fault, services.specs.size());
  if (!remembers.ok()) panic(log, "recovery", remembers.error());
  Runner runner(services, std::move(cgroups), recovery, log, arena);
  const Status prepared = runner.prepare();
  if (!prepared.ok()) panic(log, "services", prepared.error());
  recovery.arm(log);
  log.say(sys::Level::notice, "services ", sys::now(), ": ", services.specs.size() - 1);
  const Ending ending = runner.run();
  finish_files(log, runner.watchdog());
  if (ending == Ending::poweroff) runner.watchdog().disarm();
  panic(log, "shutdown", leave(ending, log));
}

void open_log(sys::Log& log) {
  const sigset_t signals = sys::catchable_signals();
  (void)sigprocmask(SIG_BLOCK, &signals, nullptr);
  mount_dev();
  (void)log.open();
}

[[noreturn]] void second_stage() {
  sys::stop_ignoring_signals();
  sys::Log log;
  open_log(log);
  log.say(sys::Level::notice, "boot ", sys::now());
  detach_stdio();
  (void)reboot(RB_DISABLE_CAD);  // ctrl-alt-del then sends SIGINT

  mount_all(log);
  sys::Fd cgroups = set_up_cgroups(log);
  set_clock_floor(log);
  check_boot_arguments(log);
  apply_sysctls(log);
  set_hostname(log);
  make_machine_id(log);
  const Status loopback = sys::bring_up_loopback();
  if (!loopback.ok()) log.fail(sys::Level::error, "lo", loopback.error());
  raise_file_limit(log);
  supervise(log, std::move(cgroups), -1);
}

// All of the above is still as it was.
[[noreturn]] void after_fault(const char* memory) {
  sys::Log log;
  open_log(log);
  auto cgroups = sys::open("/sys/fs/cgroup/services", O_RDONLY | O_DIRECTORY);
  const auto fd = parse_number(memory, 0, 1 << 20);
  supervise(log, std::move(*cgroups), fd ? static_cast<int>(*fd) : -1);
}

int run_applet(std::span<char*> arguments) {
  const std::string_view name = arguments.size() > 1 ? arguments[1] : "";
  if (name == "--log") return run_log(arguments.subspan(2));
  if (name == "--at-stop") return run_at_stop(arguments.subspan(2));
  if (name == "--disk") return run_disk();
  if (name == "--status") return run_status(arguments.subspan(2));
#ifdef COPAL_BUILD_TOOLS
  if (name == "--check") return run_check(arguments.subspan(2));
  if (name == "--security") return run_security(arguments.subspan(2));
  if (name == "--manual") return run_manual();
#endif
  if (name == "--net") return run_net(arguments.subspan(2));
  if (std::string_view(arguments[0]).ends_with("/dhcpcd-run-hooks")) return run_dhcp_hook();
  constexpr std::string_view kUsage =
      "This is PID 1 of a Copal image. When an image is built, it also does this:\n"
      "  init --check DIR [ROOT]    checks the service files in DIR; users and programs in ROOT\n"
      "  init --security DIR ROOT   what each service could do in the wrong hands, from 0 to 10\n"
      "  init --manual              what a service file may say\n";
  (void)!write(2, kUsage.data(), kUsage.size());
  return 2;
}

}  // namespace
}  // namespace copal

int main(int argc, char** argv) {
  if (getpid() != 1) return copal::run_applet({argv, static_cast<size_t>(argc)});
  // The kernel runs the initramfs's /init under that name; the image's own is called `init`.
  if (std::strcmp(argv[0], "/init") == 0) copal::first_stage();
  if (argc == 3 && std::strcmp(argv[1], "--recover") == 0) copal::after_fault(argv[2]);
  copal::second_stage();
}
