#include "launch/child.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace copal::launch {
namespace {

constexpr std::array<std::string_view, 10> kStageNames = {
    "setsid", "console", "output", "oom", "nofile", "keep", "group", "user", "chdir", "exec"};

bool connect_console() {
  const int console = open("/dev/console", O_RDWR | O_NOCTTY);
  if (console < 0) return false;
  // Not every console can be a controlling terminal; a shell works without, less job control.
  (void)ioctl(console, TIOCSCTTY, 1);
  return dup2(console, 0) == 0 && dup2(console, 1) == 1 && dup2(console, 2) == 2;
}

bool connect_output(int output) {
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return null >= 0 && dup2(null, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2;
}

bool set_oom(int32_t score) {
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  const Line text(score);
  return file >= 0 && write(file, text.text().data(), text.text().size()) > 0;
}

bool set_nofile(uint32_t count) {
  const rlimit limit{count, count};
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

bool keep_open(std::span<const int> keep) {
  for (const int fd : keep) {
    if (fcntl(fd, F_SETFD, 0) < 0) return false;
  }
  return true;
}

// Raw calls: libc's versions want to tell all threads, and look at state that clone3 made stale.
bool set_group(uint32_t group) {
  return syscall(SYS_setgroups, 0, nullptr) == 0 &&
         syscall(SYS_setresgid, group, group, group) == 0;
}
bool set_user(uint32_t user) {
  return syscall(SYS_setresuid, user, user, user) == 0;
}

// Comes back only with the stage that failed. errno says why.
Stage prepare_and_exec(const Plan& plan) {
  if (setsid() < 0) return Stage::session;
  if (plan.console ? !connect_console() : !connect_output(plan.output)) {
    return plan.console ? Stage::console : Stage::output;
  }
  if (plan.oom != 0 && !set_oom(plan.oom)) return Stage::oom;
  if (plan.nofile != 0 && !set_nofile(plan.nofile)) return Stage::nofile;
  if (!keep_open(plan.keep)) return Stage::keep;
  if (chdir("/") < 0) return Stage::dir;
  umask(022);
  // Root stays root without a call, so that this works where there is no other user.
  if ((plan.account.group != 0 || plan.account.user != 0) && !set_group(plan.account.group)) {
    return Stage::group;
  }
  if (plan.account.user != 0 && !set_user(plan.account.user)) return Stage::user;

  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(plan.argv[0], const_cast<char* const*>(plan.argv), const_cast<char* const*>(plan.env));
  return Stage::exec;
}

}  // namespace

Line describe(const Failure& failure) {
  return Line(kStageNames[static_cast<size_t>(failure.stage)], ": ", std::strerror(failure.error));
}

void run(const Plan& plan, const sys::Fd& report) {
  const Stage stage = prepare_and_exec(plan);
  const Failure failure{stage, errno};
  (void)!write(report.get(), &failure, sizeof failure);
  _exit(127);
}

}  // namespace copal::launch
