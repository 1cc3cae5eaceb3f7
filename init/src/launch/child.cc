// The order is systemd's (src/core/exec-invoke.c): what needs privileges comes before they are
// dropped, and the filter of system calls last, so that it need not allow all of this.
#include "launch/child.h"

#include <linux/close_range.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/privileges.h"
#include "launch/view.h"
#include "sys/kernel.h"

namespace copal::launch {
namespace {

constexpr std::array<std::string_view, 24> kStageNames = {
    "begin",  "setsid", "console", "output",    "ready",    "limits",  "keep",  "namespaces",
    "write",  "mounts", "bind",    "tmpfs",     "hide",     "dev",     "proc",  "net",
    "groups", "user",   "caps",    "new-privs", "landlock", "seccomp", "chdir", "exec"};

// PID 1's descriptors, by number, and later the child's own.
struct Given {
  int output;
  int report;
  int ready;
};

// Until the first call here the table is PID 1's own, and nothing in it may be touched.
bool own_descriptors(Given& given) {
  // Above 3, which is for `ready`.
  constexpr int kReport = 4;
  if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_UNSHARE) < 0) return false;
  const auto again = [](int fd) {
    return fd < 0 ? fd : open(Line("/proc/1/fd/", fd).c_str(), O_WRONLY | O_CLOEXEC);
  };
  given.ready = again(given.ready);
  const sys::Fd report(again(given.report));
  given.report = fcntl(report.get(), F_DUPFD_CLOEXEC, kReport);
  given.output = again(given.output);
  return given.report >= 0;
}

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

bool limit_resource(int resource, uint64_t value, bool always) {
  if (value == 0 && !always) return true;
  const rlim_t bound = value == kUnlimited ? RLIM_INFINITY : value;
  const rlimit limit{bound, bound};
  return setrlimit(resource, &limit) == 0;
}

// PID 1 has more, for itself.
constexpr uint64_t kFiles = 4096;

bool set_limits(const Limits& limits) {
  return (limits.oom == 0 || set_oom(limits.oom)) &&
         (limits.nice == 0 || setpriority(PRIO_PROCESS, 0, limits.nice) == 0) &&
         limit_resource(RLIMIT_NOFILE, limits.nofile != 0 ? limits.nofile : kFiles, false) &&
         limit_resource(RLIMIT_MEMLOCK, limits.memlock, false) &&
         limit_resource(RLIMIT_CORE, limits.core, true);
}

bool keep_open(std::span<const int> keep) {
  for (const int fd : keep) {
    if (fcntl(fd, F_SETFD, 0) < 0) return false;
  }
  return true;
}

// Raw calls: libc's versions want to tell all threads, and look at state that clone3 made stale.
// Root stays root without a call, so that this works where there is no other user.
bool set_groups(const Account& account) {
  if (account.user == 0 && account.group == 0 && account.groups.empty()) return true;
  return syscall(SYS_setgroups, account.groups.size(), account.groups.data()) == 0 &&
         syscall(SYS_setresgid, account.group, account.group, account.group) == 0;
}
bool set_user(uint32_t user) {
  return user == 0 ||
         (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && syscall(SYS_setresuid, user, user, user) == 0);
}

// What it is connected to and how much it may use.
bool set_up_process(const Plan& plan, const Given& given, Step& step) {
  const Spec& spec = *plan.spec;
  step = {Stage::session, nullptr};
  if (setsid() < 0) return false;
  step.stage = spec.console ? Stage::console : Stage::output;
  if (spec.console ? !connect_console() : !connect_output(given.output)) return false;
  step.stage = Stage::limits;
  if (!set_limits(spec.limits)) return false;
  step.stage = Stage::keep;
  if (!keep_open(plan.keep)) return false;
  // Last of those that may use up low descriptors.
  step.stage = Stage::ready;
  return given.ready < 0 || (given.ready == 3 ? fcntl(3, F_SETFD, 0) : dup2(given.ready, 3)) >= 0;
}

bool confine(const Plan& plan, Step& step) {
  const Spec& spec = *plan.spec;
  const Confinement& confinement = spec.confinement;
  const uint64_t spaces = (confinement.namespaces & ~uint64_t{CLONE_NEWPID}) |
                          (confinement.own_mounts ? CLONE_NEWNS : 0);
  step = {Stage::namespaces, nullptr};
  if (spaces != 0 && unshare(static_cast<int>(spaces)) < 0) return false;
  if (confinement.own_mounts && !make_view(confinement, spec.account, step)) return false;
  step = {Stage::net, nullptr};
  // A network without even a loopback breaks programs that talk to themselves.
  if ((confinement.namespaces & CLONE_NEWNET) != 0 && !sys::bring_up_loopback().ok()) return false;

  step.stage = Stage::caps;
  if (!drop_bounding(confinement.caps)) return false;
  step.stage = Stage::groups;
  if (!set_groups(spec.account)) return false;
  step.stage = Stage::user;
  if (!set_user(spec.account.user)) return false;
  // Without no_new_privs, only the capability sys_admin may install a filter.
  step.stage = Stage::caps;
  if (!set_caps(confinement.caps)) return false;
  step.stage = Stage::new_privs;
  if (!confinement.new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return false;
  if (confinement.landlock && !restrict_paths(confinement, step)) return false;
  // After all changes of mounts, so that the folder is of the new view.
  step = {Stage::dir, nullptr};
  if (chdir("/") < 0) return false;
  step.stage = Stage::seccomp;
  return plan.filter.empty() || install_filter(plan.filter);
}

}  // namespace

Line describe(const News& failure) {
  const std::string_view detail = failure.detail ? failure.detail : "";
  return Line(kStageNames[static_cast<size_t>(failure.stage)], detail.empty() ? "" : " ", detail,
              ": ", std::strerror(failure.error));
}

void run(const Plan& plan, const sys::Fd& report, const sys::Fd& ready) {
  umask(022);
  // The memory is the child's own copy.
  if (!plan.watched.empty()) std::ranges::copy(Line(getpid()).text(), plan.watched.begin());
  Given given{plan.output, report.get(), ready.get()};
  if (shares_files(plan) && !own_descriptors(given)) _exit(127);
  const auto tell = [&](const News& news) { (void)!write(given.report, &news, sizeof news); };
  tell({Stage::begun, 0, nullptr});
  Step step;
  if (set_up_process(plan, given, step) && confine(plan, step)) {
    sigset_t none;
    sigemptyset(&none);
    // The log takes its signals from a descriptor, and must not die of one that comes before that.
    if (!plan.spec->last) sigprocmask(SIG_SETMASK, &none, nullptr);
    step = {Stage::exec, plan.argv[0]};
    execve(plan.argv[0], const_cast<char* const*>(plan.argv), const_cast<char* const*>(plan.env));
  }
  tell({step.stage, errno, step.detail});
  _exit(127);
}

}  // namespace copal::launch
