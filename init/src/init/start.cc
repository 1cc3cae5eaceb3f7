// PID 1's loop, the part that starts services.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/runner.h"

namespace copal {

using sys::Level;

Status Runner::prepare_service(Index i) {
  const Spec& spec = services_.specs[i];
  Process& process = processes_[i];
  launch::Plan& plan = process.plan;
  plan.argv = spec.argv.data();
  plan.env = spec.env.data();
  plan.spec = &spec;
  plan.filter = services_.filter(spec);
  if (i == kLogService) {
    plan.output = log_.fd().get();
  } else if (!spec.console) {
    if (recovery_[i].output_in >= 0) {
      process.output = {sys::Fd(recovery_[i].output_in), sys::Fd(recovery_[i].output_out)};
    } else {
      auto pipe = sys::make_pipe();
      if (!pipe.ok()) return pipe.error();
      process.output = std::move(*pipe);
    }
    plan.output = process.output.out.get();
  }
  process.notify.reset(recovery_[i].notify);
  if (spec.ready != Ready::notify) return {};

  return add_notify_variables(spec, plan);
}

// As sd_notify(3) and sd_watchdog_enabled(3) know them.
Status Runner::add_notify_variables(const Spec& spec, launch::Plan& plan) {
  constexpr size_t kMost = 3;
  // spec.env ends with a null pointer, whose place the first one takes.
  const std::span<const char*> env = arena_.make<const char*>(spec.env.size() + kMost);
  if (env.empty()) return Error{ENOMEM, "prepare"};
  auto end = std::copy(spec.env.begin(), spec.env.end() - 1, env.begin());
  bool memory = true;
  const auto add = [&](const Line& variable) {
    const std::string_view copy = arena_.copy(variable.text());
    memory = memory && copy.data();
    *end++ = copy.data();
  };
  add(Line("NOTIFY_SOCKET=/run/init/", spec.name, ".notify"));
  if (spec.watchdog != Duration{}) {
    constexpr std::string_view kPid = "WATCHDOG_PID=";
    add(Line("WATCHDOG_USEC=", std::chrono::microseconds(spec.watchdog).count()));
    // Room for the number, of which only the child knows it; the rest is zero, which ends it.
    const std::span<char> room = arena_.make<char>(kPid.size() + 12);
    if (room.empty()) return Error{ENOMEM, "prepare"};
    std::ranges::copy(kPid, room.begin());
    plan.watched = room.subspan(kPid.size());
    *end++ = room.data();
  }
  if (!memory) return Error{ENOMEM, "prepare"};
  plan.env = env.data();
  return {};
}

namespace {

// A limit of 0 is none.
void limit(const sys::Fd& cgroup, const char* file, uint64_t value, const char* after,
           const sys::Log& log, std::string_view name) {
  if (value == 0) return;
  const Line text = value == kUnlimited ? Line("max") : Line(value, after);
  const Status done = sys::write_file(cgroup, file, text.text());
  // The service is worth more than its limit; but nobody must believe that there is one.
  if (!done.ok())
    log.say(Level::warning, name, ": no ", file, ": ", std::strerror(done.error().code));
}

// Where controllers are handed on to cgroups below, the kernel lets no process in.
void take_back(const sys::Fd& cgroup) {
  std::array<char, 256> buffer;
  auto controllers = sys::read_file(cgroup, "cgroup.subtree_control", buffer);
  if (!controllers.ok()) return;
  std::string_view rest = *controllers;
  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
    (void)sys::write_file(cgroup, "cgroup.subtree_control", Line("-", word).text());
  }
}

}  // namespace

// Made at the first start, and kept: what is left of an earlier run is still in it. But one in
// which everything was killed is of no more use. Linux (from 6.12.14 on) counts these kills, to
// catch who is just being forked, but looks at the counter of PID 1's cgroup when it clones into
// another: whatever is cloned into one that was killed once is killed at once.
Status Runner::open_cgroup(Index i) {
  Process& process = processes_[i];
  const Spec& spec = services_.specs[i];
  const char* const name = spec.name.data();
  if (process.cgroup_used_up) {
    process.cgroup.reset();
    const Status removed = sys::remove_cgroup(cgroups_, name);
    if (!removed.ok() && removed.error().code != ENOENT) return removed;
    process.cgroup_used_up = false;
  }
  if (process.cgroup.open()) {
    if (spec.delegate) take_back(process.cgroup);
    return {};
  }
  if (mkdirat(cgroups_.get(), name, 0755) < 0 && errno != EEXIST) {
    return sys::last_error("mkdir cgroup");
  }
  auto opened = sys::open_at(cgroups_, name, O_RDONLY | O_DIRECTORY);
  if (!opened.ok()) return opened.error();
  const sys::Fd& cgroup = process.cgroup = std::move(*opened);
  const Limits& limits = spec.limits;
  const auto set = [&](const char* file, uint64_t value, const char* after = "") {
    limit(cgroup, file, value, after, log_, spec.name);
  };
  set("memory.max", limits.memory);
  set("memory.high", limits.memory_high);
  // Half of a service is of no use to anybody.
  set("memory.oom.group", limits.memory != 0 && spec.kill == Kill::tree ? 1 : 0);
  set("cpu.weight", limits.cpu_weight);
  set("cpu.max", uint64_t{limits.cpu_max} * 1000, " 100000");
  set("io.weight", limits.io_weight);
  set("pids.max", limits.pids);
  if (!limits.cpuset.empty()) {
    const Status done = sys::write_file(cgroup, "cpuset.cpus", limits.cpuset);
    if (!done.ok()) log_.fail(Level::warning, spec.name.data(), done.error());
  }
  if (!spec.delegate || spec.account.user == 0) return {};
  for (const char* file : {"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"}) {
    if (fchownat(cgroup.get(), file, spec.account.user, spec.account.group, AT_EMPTY_PATH) < 0) {
      return sys::last_error("delegate");
    }
  }
  return {};
}

Status Runner::spawn(Index i) {
  const Spec& spec = services_.specs[i];
  Process& process = processes_[i];
  ++process.generation;
  unwatch(process.cgroup_events);
  const auto fail = [&](Error error) {
    log_.fail(Level::error, spec.name.data(), error);
    return error;
  };
  if (cgroups_.open()) {
    const Status opened = open_cgroup(i);
    if (!opened.ok()) return fail(opened.error());
  }
  if (spec.ready == Ready::notify) {
    const Status opened = open_notify(i);
    if (!opened.ok()) return fail(opened.error());
  }
  auto pipe = sys::make_pipe(O_NONBLOCK);
  if (!pipe.ok()) return fail(pipe.error());
  sys::Pipe ready;
  if (spec.ready == Ready::fd) {
    auto made = sys::make_pipe();
    if (!made.ok()) return fail(made.error());
    ready = std::move(*made);
  }
  const uint64_t share = launch::shares_files(process.plan) ? CLONE_FILES : 0;
  auto child =
      sys::clone_into(process.cgroup, (spec.confinement.namespaces & CLONE_NEWPID) | share);
  if (!child.ok()) return fail(child.error());
  if (child->pid == 0) launch::run(process.plan, pipe->out, ready.out);

  process.pid = child->pid;
  process.pidfd = std::move(child->pidfd);
  process.status = std::move(pipe->in);
  process.ready = std::move(ready.in);
  process.status_out = std::move(pipe->out);
  process.ready_out = std::move(ready.out);
  const Status watched = watch_child(i);
  if (!watched.ok()) {
    // The process is there, but not to be served: it would never be seen to be ready. SIGCHLD tells
    // of its end, and the next try may have more luck.
    log_.fail(Level::error, spec.name.data(), watched.error());
    (void)sys::send_signal(process.pidfd, SIGKILL);
  }
  remember(i);
  return {};
}

Status Runner::watch_child(Index i) {
  const Process& process = processes_[i];
  Status watched = watch(process.pidfd, Source::child, i, EPOLLIN);
  if (watched.ok() && process.status.open()) {
    watched = watch(process.status, Source::status, i, EPOLLIN);
  }
  if (watched.ok() && process.ready.open()) {
    watched = watch(process.ready, Source::ready, i, EPOLLIN);
  }
  return watched;
}

// ---- Over a fault

void Runner::remember(Index i) {
  const Process& process = processes_[i];
  Remembered& memory = recovery_[i];
  memory.pid = process.pid;
  memory.output_in = process.output.in.get();
  memory.output_out = process.output.out.get();
  memory.notify = process.notify.get();
  memory.life = supervisor_.life(i);
}

// Takes over what was there before the fault.
void Runner::go_on() {
  for (size_t n = 0; n < processes_.size(); ++n) {
    const auto i = static_cast<Index>(n);
    const Remembered& memory = recovery_[i];
    Process& process = processes_[i];
    supervisor_.restore(i, memory.life, now_);
    if (cgroups_.open() && memory.life.starts != 0) (void)open_cgroup(i);
    if (process.notify.open()) (void)watch(process.notify, Source::notify, i, EPOLLIN);
    if (!has_process(memory.life.state)) continue;
    ++process.generation;
    process.pid = memory.pid;
    // Its number is still its own, even if it has ended: nobody else takes its status.
    process.pidfd = sys::open_pid(memory.pid);
    if (!process.pidfd.open() || !watch_child(i).ok()) {
      supervisor_.exited(i, Exit{SIGKILL, true}, now_);
      continue;
    }
    if (memory.life.state != State::starting || services_.specs[i].kind == Kind::task) continue;
    // The news of its execve is lost. If that failed it has ended, and its end is news enough.
    const Ready ready = services_.specs[i].ready;
    if (ready == Ready::exec || ready == Ready::fd) is_ready(i);
    if (ready >= Ready::tcp) process.next_probe = now_;
  }
  log_.say(Level::notice, "recovered ", now_);
  if (recovery_.ending() >= 0) {
    begin_shutdown(static_cast<Ending>(recovery_.ending()), "as before the fault");
  }
}

}  // namespace copal
