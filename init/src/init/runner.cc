#include "init/runner.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace copal {
namespace {

using sys::Level;

// One turn of the loop does at most so much of anything, so that it stays short.
constexpr size_t kSpawnsPerTurn = 32;
constexpr int kMessagesPerTurn = 16;
constexpr int kOrphansPerTurn = 256;
constexpr Duration kProbeInterval = std::chrono::milliseconds(100);

}  // namespace

Runner::Runner(Services& services, sys::Fd cgroups, const sys::Log& log, Arena& arena)
    : services_(services),
      cgroups_(std::move(cgroups)),
      log_(log),
      arena_(arena),
      supervisor_(services.specs, services.graph, *this, arena, sys::random_seed()),
      processes_(arena.make<Process>(services.specs.size())),
      buttons_(open_power_buttons()) {}

// ---- Before the first service

Status Runner::prepare() {
  if (!supervisor_.ok() || processes_.size() != services_.specs.size()) {
    return Error{ENOMEM, "prepare"};
  }
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.open()) return sys::last_error("epoll");
  const sigset_t set = sys::catchable_signals();
  signals_.reset(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals_.open()) return sys::last_error("signalfd");
  timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer_.open()) return sys::last_error("timerfd");

  Status status = watch(signals_, Source::signals, 0, EPOLLIN);
  if (!status.ok()) return status;
  status = watch(timer_, Source::timer, 0, EPOLLIN);
  if (!status.ok()) return status;
  for (size_t i = 0; i < buttons_.size(); ++i) {
    if (!buttons_[i].open()) continue;
    (void)watch(buttons_[i], Source::button, static_cast<Index>(i), EPOLLIN);
  }
  for (size_t i = 0; i < processes_.size(); ++i) {
    if (services_.specs[i].bad) continue;
    status = prepare_service(static_cast<Index>(i));
    if (!status.ok()) return status;
  }
  return prepare_log();
}

Status Runner::prepare_service(Index i) {
  const Spec& spec = services_.specs[i];
  Process& process = processes_[i];
  launch::Plan& plan = process.plan;
  plan.argv = spec.argv.data();
  plan.env = spec.env.data();
  plan.account = spec.account;
  plan.oom = spec.oom;
  plan.nofile = spec.nofile;
  plan.console = spec.console;
  if (i == kLogService) {
    plan.output = log_.fd().get();
  } else if (!spec.console) {
    auto pipe = sys::make_pipe();
    if (!pipe.ok()) return pipe.error();
    process.output = std::move(*pipe);
    plan.output = process.output.out.get();
  }
  if (spec.ready != Ready::notify) return {};

  // spec.env ends with a null pointer, whose place the variable takes.
  const std::span<const char*> env = arena_.make<const char*>(spec.env.size() + 1);
  if (env.empty()) return Error{ENOMEM, "prepare"};
  const auto end = std::copy(spec.env.begin(), spec.env.end() - 1, env.begin());
  *end = arena_.copy(Line("NOTIFY_SOCKET=/run/init/", spec.name, ".notify").text()).data();
  if (!*end) return Error{ENOMEM, "prepare"};
  plan.env = env.data();
  return {};
}

// ---- The loop

namespace {

// Packed into epoll's 64 bits. An event is only good if the generation is still the same: the
// descriptor may have been closed, and its number used again, earlier in the same turn.
uint64_t pack(uint8_t source, Index i, uint32_t generation) {
  return uint64_t{source} << 48 | uint64_t{i} << 32 | generation;
}

}  // namespace

Status Runner::watch(const sys::Fd& fd, Source source, Index i, uint32_t events) {
  const bool of_service = source >= Source::child;
  epoll_event event{};
  event.events = events;
  // Notifications come on one socket for the service's whole life.
  const bool of_run = of_service && source != Source::notify;
  event.data.u64 = pack(static_cast<uint8_t>(source), i, of_run ? processes_[i].generation : 0);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) < 0) {
    return sys::last_error("epoll_ctl");
  }
  return {};
}

// Closing alone is not enough: a child that is on its way to execve still has a copy.
void Runner::unwatch(sys::Fd& fd) {
  if (!fd.open()) return;
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
  fd.reset();
}

void Runner::arm_timer(bool more_work) {
  Time next = std::min(supervisor_.next_deadline(), shutdown_.deadline());
  for (const Process& process : processes_) next = std::min(next, process.next_probe);
  if (next == armed_ || more_work) return;
  armed_ = next;
  itimerspec spec{};
  if (next != kNever) {
    // Zero would switch it off.
    next = std::max(next, Time(1));
    spec.it_value.tv_sec = next.count() / 1000;
    spec.it_value.tv_nsec = next.count() % 1000 * 1'000'000;
  }
  (void)timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

Ending Runner::run() {
  now_ = sys::now();
  supervisor_.start_all(now_);
  while (true) {
    const bool more = supervisor_.work(now_, kSpawnsPerTurn) || orphans_left_;
    advance_shutdown();
    if (shutdown_.phase() == Shutdown::Phase::over) return shutdown_.ending();
    arm_timer(more);

    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), more ? 0 : -1);
    now_ = sys::now();
    const std::span<const epoll_event> batch(events.data(),
                                             static_cast<size_t>(std::max(count, 0)));
    for (const bool ends : {true, false}) {
      for (const epoll_event& event : batch) {
        const auto source = static_cast<Source>(event.data.u64 >> 48);
        const auto i = static_cast<Index>(event.data.u64 >> 32 & 0xffff);
        const auto generation = static_cast<uint32_t>(event.data.u64);
        if ((source == Source::child) != ends) continue;
        const bool of_run = source >= Source::child && source != Source::notify;
        if (of_run && generation != processes_[i].generation) continue;
        handle(source, i);
      }
    }
    if (orphans_left_) reap_orphans();
    supervisor_.tick(now_);
    start_probes();
  }
}

void Runner::handle(Source source, Index i) {
  switch (source) {
    case Source::signals: return on_signals();
    case Source::timer: {
      uint64_t expirations = 0;
      (void)!read(timer_.get(), &expirations, sizeof expirations);
      armed_ = kNever;
      return;
    }
    case Source::button:
      if (pressed(buttons_[i])) begin_shutdown(Ending::poweroff, "power button");
      return;
    case Source::child: return reap(i);
    case Source::status: return on_status(i);
    case Source::notify: return on_notify(i);
    case Source::probe: return on_probe(i);
    case Source::cgroup: return on_cgroup(i);
  }
}

void Runner::on_signals() {
  std::array<signalfd_siginfo, 8> infos;
  const ssize_t size = read(signals_.get(), infos.data(), sizeof infos);
  for (size_t n = 0; size > 0 && n < static_cast<size_t>(size) / sizeof infos[0]; ++n) {
    switch (infos[n].ssi_signo) {
      case SIGCHLD: orphans_left_ = true; break;
      case SIGTERM: begin_shutdown(Ending::poweroff, "SIGTERM"); break;
      case SIGPWR: begin_shutdown(Ending::poweroff, "SIGPWR"); break;
      case SIGINT: begin_shutdown(Ending::reboot, "SIGINT"); break;
      default: break;
    }
  }
}

// ---- Ends

void Runner::reap(Index i) {
  Process& process = processes_[i];
  if (!process.pidfd.open()) return;
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(process.pidfd.get()), &info, WEXITED | WNOHANG) < 0 ||
      info.si_pid == 0) {
    return;
  }
  // The last news of the run may still be unread, and comes before its end.
  on_status(i);
  if (process.notify.open()) on_notify(i);
  unwatch(process.pidfd);
  unwatch(process.status);
  unwatch(process.probe);
  process.next_probe = kNever;
  process.pid = 0;
  process.exit = Exit{info.si_status, info.si_code != CLD_EXITED};
  supervisor_.exited(i, process.exit, now_);
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

bool Runner::sweep(Index i) {
  Process& process = processes_[i];
  if (!process.cgroup.open() || !cgroup_populated(i)) return true;
  const Status killed = sys::write_file(process.cgroup, "cgroup.kill", "1");
  if (!killed.ok()) {
    log_.fail(Level::error, services_.specs[i].name.data(), killed.error());
    return true;
  }
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

// ---- Starts

Status Runner::spawn(Index i) {
  const Spec& spec = services_.specs[i];
  Process& process = processes_[i];
  ++process.generation;
  unwatch(process.cgroup_events);
  const auto fail = [&](Error error) {
    log_.fail(Level::error, spec.name.data(), error);
    return error;
  };
  if (cgroups_.open() && !process.cgroup.open()) {
    if (mkdirat(cgroups_.get(), spec.name.data(), 0755) < 0 && errno != EEXIST) {
      return fail(sys::last_error("mkdir cgroup"));
    }
    auto cgroup = sys::open_at(cgroups_, spec.name.data(), O_RDONLY | O_DIRECTORY);
    if (!cgroup.ok()) return fail(cgroup.error());
    process.cgroup = std::move(*cgroup);
  }
  if (spec.ready == Ready::notify) {
    const Status opened = open_notify(i);
    if (!opened.ok()) return fail(opened.error());
  }
  auto pipe = sys::make_pipe();
  if (!pipe.ok()) return fail(pipe.error());
  auto child = sys::clone_into(process.cgroup);
  if (!child.ok()) return fail(child.error());
  if (child->pid == 0) launch::run(process.plan, pipe->out);

  process.pid = child->pid;
  process.pidfd = std::move(child->pidfd);
  process.status = std::move(pipe->in);
  Status watched = watch(process.pidfd, Source::child, i, EPOLLIN);
  if (watched.ok()) watched = watch(process.status, Source::status, i, EPOLLIN);
  // The process is there, so that it is not a failure to start. SIGCHLD still tells of its end.
  if (!watched.ok()) log_.fail(Level::error, spec.name.data(), watched.error());
  return {};
}

// The pipe is closed by execve, or else tells what failed before it.
void Runner::on_status(Index i) {
  const Spec& spec = services_.specs[i];
  Process& process = processes_[i];
  if (!process.status.open()) return;
  launch::Failure failure{};
  const ssize_t size = read(process.status.get(), &failure, sizeof failure);
  unwatch(process.status);
  if (size == sizeof failure) {
    log_.say(Level::error, spec.name, ": ", launch::describe(failure).text());
    return;
  }
  log_.say(Level::info, spec.name, ": exec ", now_);
  if (spec.kind == Kind::task) return;
  if (spec.ready == Ready::exec) supervisor_.event(i, Event::ready, now_);
  if (spec.ready == Ready::tcp) process.next_probe = now_;
}

// ---- Readiness

// The socket is there before the program is, and stays: a program may be told of it only once.
Status Runner::open_notify(Index i) {
  const Spec& spec = services_.specs[i];
  Process& process = processes_[i];
  if (process.notify.open()) {
    on_notify(i);  // of the last run, and therefore nothing to it
    return {};
  }
  Line path("/run/init/", spec.name, ".notify");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // A name is at most kMaxName long, so this fits with room to spare.
  static_assert(sizeof "/run/init/.notify" + kMaxName <= sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.text().size());
  sys::Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.open()) return sys::last_error("socket");
  (void)unlink(path.c_str());
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return sys::last_error("bind");
  }
  if (chmod(path.c_str(), 0600) < 0) return sys::last_error("chmod");
  if (spec.account.user != 0 && chown(path.c_str(), spec.account.user, spec.account.group) < 0) {
    return sys::last_error("chown");
  }
  process.notify = std::move(fd);
  return watch(process.notify, Source::notify, i, EPOLLIN);
}

// sd_notify(3), of which only READY=1 is heard. Descriptors that come along are not accepted, and
// so closed by the kernel.
void Runner::on_notify(Index i) {
  for (int n = 0; n < kMessagesPerTurn; ++n) {
    std::array<char, 4096> buffer;
    const ssize_t size = recv(processes_[i].notify.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) return;
    std::string_view text(buffer.data(), static_cast<size_t>(size));
    while (!text.empty()) {
      // Between runs, the table takes it for what it is: nothing.
      if (take_line(text) == "READY=1") supervisor_.event(i, Event::ready, now_);
    }
  }
}

void Runner::start_probes() {
  for (size_t n = 0; n < processes_.size(); ++n) {
    const auto i = static_cast<Index>(n);
    Process& process = processes_[i];
    if (process.next_probe > now_) continue;
    if (supervisor_.state(i) != State::starting) {
      process.next_probe = kNever;
      continue;
    }
    process.next_probe = now_ + kProbeInterval;
    unwatch(process.probe);
    const Spec& spec = services_.specs[i];
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(spec.port);
    address.sin_addr.s_addr = htonl(spec.address);
    process.probe.reset(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!process.probe.open()) continue;
    if (connect(process.probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0 ||
        errno == EINPROGRESS) {
      (void)watch(process.probe, Source::probe, i, EPOLLOUT);
    } else {
      process.probe.reset();
    }
  }
}

void Runner::on_probe(Index i) {
  Process& process = processes_[i];
  if (!process.probe.open()) return;
  int error = 0;
  socklen_t size = sizeof error;
  const bool connected =
      getsockopt(process.probe.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  unwatch(process.probe);
  if (!connected) return;
  process.next_probe = kNever;
  supervisor_.event(i, Event::ready, now_);
}

// ---- What the Supervisor asks for

void Runner::send_signal(Index i, int signal) {
  const Status sent = sys::send_signal(processes_[i].pidfd, signal);
  if (!sent.ok() && sent.error().code != ESRCH) {
    log_.fail(Level::error, services_.specs[i].name.data(), sent.error());
  }
  // A stopped process cannot act on a signal.
  (void)sys::send_signal(processes_[i].pidfd, SIGCONT);
}

void Runner::slay(Index i) {
  Process& process = processes_[i];
  if (services_.specs[i].kill == Kill::tree && process.cgroup.open() &&
      sys::write_file(process.cgroup, "cgroup.kill", "1").ok()) {
    return;
  }
  (void)sys::send_signal(process.pidfd, SIGKILL);
}

// "NAME: STATE SECONDS: DETAIL". Tests and measurements read these lines.
void Runner::changed(Index i, State from, State to, Event why, Duration delay) {
  const std::string_view name = services_.specs[i].name;
  const Exit& exit = processes_[i].exit;
  const auto say = [&](Level level, std::string_view what, const Line& detail) {
    log_.say(level, name, ": ", what, " ", now_, detail.text());
  };
  switch (to) {
    case State::waiting:
    case State::starting: return;
    case State::up: return say(Level::info, "ready", Line());
    case State::stopping:
      if (why == Event::timeout) {
        return say(Level::warning, "stopping", Line(": was not ready in time"));
      }
      return say(Level::info, "stopping",
                 why == Event::deps_failed ? Line(": what it needs has failed") : Line());
    case State::killing:
      if (from == State::killing) return;
      return say(Level::warning, "killing", Line(": did not stop in time"));
    case State::cleaning:
      if (why == Event::spawn_failed) return;
      return say(exit.code == 0 && !exit.by_signal ? Level::info : Level::warning, "exited",
                 Line(exit.by_signal ? ": signal " : ": code ", exit.code));
    case State::backoff: return say(Level::info, "restart", Line(": in ", delay));
    case State::done: return say(Level::info, "done", Line());
    case State::down: return say(Level::info, "stopped", Line());
    case State::failed:
      return say(Level::error, "failed",
                 why == Event::deps_failed ? Line(": what it needs has failed") : Line());
  }
}

void Runner::impossible(Index i, State state, Event event) {
  log_.say(Level::error, services_.specs[i].name,
           ": bug: ", kEventNames[static_cast<size_t>(event)], " while ",
           kStateNames[static_cast<size_t>(state)]);
}

// ---- The end

void Runner::begin_shutdown(Ending ending, std::string_view reason) {
  Duration longest{};
  for (const Spec& spec : services_.specs) longest = std::max(longest, spec.stop_limit);
  if (!shutdown_.begin(ending, now_, longest)) return;
  log_.say(Level::notice, "shutdown ", now_, ": ", reason);
  supervisor_.stop_all(now_);
}

void Runner::advance_shutdown() {
  if (shutdown_.phase() == Shutdown::Phase::running) return;
  siginfo_t info{};
  const bool children = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  // Several phases may be over at once, with no event to come that would end the next.
  while (shutdown_.advance(now_, supervisor_.all_at_rest(), children)) {
    if (!children) continue;
    if (shutdown_.phase() == Shutdown::Phase::terminating) (void)kill(-1, SIGTERM);
    if (shutdown_.phase() == Shutdown::Phase::killing) {
      log_.say(Level::warning, "killing what is left ", now_);
      (void)kill(-1, SIGKILL);
    }
  }
}

}  // namespace copal
