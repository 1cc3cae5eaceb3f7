// PID 1's loop, the part about ends: those that come and those that it brings about.
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/runner.h"

namespace copal {

using sys::Level;

constexpr int kOrphansPerTurn = 256;
constexpr int64_t kMaxPid = 1 << 22;  // the kernel's (PID_MAX_LIMIT)

void Runner::reap(Index i) {
  Process& process = processes_[i];
  if (!process.pidfd.open()) return;
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(process.pidfd.get()), &info, WEXITED | WNOHANG) < 0 ||
      info.si_pid == 0) {
    return;
  }
  process.status_out.reset();
  process.ready_out.reset();
  // The last news of the run may still be unread, and comes before its end.
  on_status(i);
  if (process.notify.open()) on_notify(i);
  if (process.ready.open()) on_ready(i);
  // The last line may have had no end, which must not become the next run's first.
  say_for(i, "", "");
  unwatch(process.pidfd);
  unwatch(process.status);
  unwatch(process.ready);
  unwatch(process.probe);
  process.next_probe = kNever;
  process.pid = 0;
  supervisor_.exited(i, Exit{info.si_status, info.si_code != CLD_EXITED}, now_);
}

// Everything that lost its parent becomes a child of PID 1. Looks before it takes, for the status
// of a service belongs to reap().
void Runner::reap_orphans() {
  for (int n = 0; n < kOrphansPerTurn; ++n) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0) {
      orphans_left_ = false;
      return;
    }
    const auto ours = std::find_if(processes_.begin(), processes_.end(),
                                   [&](const Process& p) { return p.pid == info.si_pid; });
    if (ours != processes_.end()) {
      reap(static_cast<Index>(ours - processes_.begin()));
    } else {
      (void)waitid(P_PID, static_cast<id_t>(info.si_pid), &info, WEXITED | WNOHANG);
    }
  }
}

bool Runner::cgroup_populated(Index i) {
  std::array<char, 256> buffer;
  auto text = sys::read_file(processes_[i].cgroup, "cgroup.events", buffer);
  return text.ok() && text->find("populated 1") != std::string_view::npos;
}

// See open_cgroup() for why it is used up then.
Status Runner::kill_cgroup(Index i) {
  const Status killed = sys::write_file(processes_[i].cgroup, "cgroup.kill", "1");
  if (killed.ok()) processes_[i].cgroup_used_up = true;
  return killed;
}

// Of cgroups that the service made itself, its own processes know what is in them.
Status Runner::terminate_cgroup(Index i) {
  std::array<char, 16384> buffer;
  auto text = sys::read_file(processes_[i].cgroup, "cgroup.procs", buffer);
  if (!text.ok()) return text.error();
  // Of a number that is cut off nobody must be sent anything.
  std::string_view rest = text->substr(0, text->rfind('\n') + 1);
  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
    const auto pid = parse_number(word, 1, kMaxPid);
    if (!pid) continue;
    (void)kill(static_cast<pid_t>(*pid), SIGTERM);
    // A stopped process cannot act on a signal.
    (void)kill(static_cast<pid_t>(*pid), SIGCONT);
  }
  return {};
}

bool Runner::sweep(Index i, bool kill) {
  Process& process = processes_[i];
  if (!process.cgroup.open()) return true;
  if (!cgroup_populated(i)) {
    unwatch(process.cgroup_events);
    // Its user may have left it in a state in which nothing can be started.
    if (services_.specs[i].delegate) process.cgroup_used_up = true;
    return true;
  }
  const Status sent = kill ? kill_cgroup(i) : terminate_cgroup(i);
  if (!sent.ok()) {
    log_.fail(Level::error, services_.specs[i].name.data(), sent.error());
    return true;
  }
  if (process.cgroup_events.open()) return false;
  auto events = sys::open_at(process.cgroup, "cgroup.events", O_RDONLY);
  if (!events.ok()) return true;
  process.cgroup_events = std::move(*events);
  if (!watch(process.cgroup_events, Source::cgroup, i, EPOLLPRI).ok()) return true;
  // It may have become empty before it was watched.
  if (cgroup_populated(i)) return false;
  unwatch(process.cgroup_events);
  return true;
}

void Runner::on_cgroup(Index i) {
  Process& process = processes_[i];
  if (!process.cgroup_events.open()) return;
  // Reading is what makes the next change an event.
  std::array<char, 256> buffer;
  (void)!pread(process.cgroup_events.get(), buffer.data(), buffer.size(), 0);
  if (cgroup_populated(i)) return;
  unwatch(process.cgroup_events);
  supervisor_.event(i, Event::emptied, now_);
}

// To all of the process group that the main process leads, as a terminal does: a shell, for
// example, acts on a signal only when the program that it waits for has ended. What has left that
// group is asked when the main process has ended.
void Runner::send_signal(Index i, int signal) {
  const bool tree = services_.specs[i].kill == Kill::tree;
  if (!tree || kill(-processes_[i].pid, signal) < 0) return send_to_main(i, signal);
  (void)kill(-processes_[i].pid, SIGCONT);
}

void Runner::send_to_main(Index i, int signal) {
  const Status sent = sys::send_signal(processes_[i].pidfd, signal);
  if (!sent.ok() && sent.error().code != ESRCH) {
    log_.fail(Level::error, services_.specs[i].name.data(), sent.error());
  }
  // A stopped process cannot act on a signal.
  siginfo_t info{};
  (void)waitid(P_PIDFD, static_cast<id_t>(processes_[i].pidfd.get()), &info,
               WSTOPPED | WNOHANG | WNOWAIT);
  if (info.si_pid != 0) (void)sys::send_signal(processes_[i].pidfd, SIGCONT);
}

void Runner::slay(Index i) {
  Process& process = processes_[i];
  if (services_.specs[i].kill == Kill::tree && process.cgroup.open() && kill_cgroup(i).ok()) {
    return;
  }
  (void)sys::send_signal(process.pidfd, SIGKILL);
}

}  // namespace copal
