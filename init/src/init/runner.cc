#include "init/runner.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/boot.h"

namespace copal {
namespace {

using sys::Level;

// One turn of the loop does at most so much of anything, so that it stays short. At boot nobody
// waits for an answer yet.
constexpr size_t kSpawnsPerTurn = 8;
constexpr size_t kSpawnsAtBoot = 32;

}  // namespace

Runner::Runner(Services& services, sys::Fd cgroups, Recovery& recovery, const sys::Log& log,
               Arena& arena)
    : services_(services),
      cgroups_(std::move(cgroups)),
      recovery_(recovery),
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
  control_.open(log_, services_.status_group);
  for (const bool obeys : {false, true}) {
    if (!control_.listener(obeys).open()) continue;
    (void)watch(control_.listener(obeys), Source::listener, obeys ? 1 : 0, EPOLLIN);
  }
  for (size_t i = 0; i < processes_.size(); ++i) {
    if (services_.specs[i].bad) continue;
    status = prepare_service(static_cast<Index>(i));
    if (!status.ok()) return status;
  }
  return prepare_log();
}

// ---- The loop

namespace {

// Packed into epoll's 64 bits. An event is only good if the generation is still the same: the
// descriptor may have been closed, and its number used again, earlier in the same turn.
uint64_t pack(uint8_t source, Index i, uint32_t generation) {
  return uint64_t{source} << 48 | uint64_t{i} << 32 | generation;
}

}  // namespace

Status Runner::control(int operation, const sys::Fd& fd, Source source, Index i, uint32_t events) {
  epoll_event event{};
  event.events = events;
  const uint32_t generation = source >= Source::child ? processes_[i].generation : 0;
  event.data.u64 = pack(static_cast<uint8_t>(source), i, generation);
  if (epoll_ctl(epoll_.get(), operation, fd.get(), &event) < 0) return sys::last_error("epoll_ctl");
  return {};
}

Status Runner::watch(const sys::Fd& fd, Source source, Index i, uint32_t events) {
  return control(EPOLL_CTL_ADD, fd, source, i, events);
}

Status Runner::rewatch(const sys::Fd& fd, Source source, Index i, uint32_t events) {
  return control(EPOLL_CTL_MOD, fd, source, i, events);
}

// Closing alone is not enough: a child that is on its way to execve still has a copy.
void Runner::unwatch(sys::Fd& fd) {
  if (!fd.open()) return;
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
  fd.reset();
}

void Runner::arm_timer(bool more_work) {
  Time next = std::min({supervisor_.next_deadline(), shutdown_.deadline(), watchdog_.next()});
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
  watchdog_.open(log_, now_);
  if (recovery_.recovering()) {
    go_on();
  } else {
    supervisor_.start_all(now_);
    supervisor_.work(now_, kSpawnsAtBoot);
    if (cgroups_.open()) enter_own_cgroup(cgroups_, log_);
    now_ = sys::now();
  }
  while (true) {
    supervisor_.work(now_, kSpawnsPerTurn);
    advance_shutdown();
    const bool more = supervisor_.has_work() || orphans_left_;
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
        if (source >= Source::child && generation != processes_[i].generation) continue;
        handle(source, i);
      }
    }
    if (orphans_left_) reap_orphans();
    supervisor_.tick(now_);
    start_probes();
    // Fed only from here: a loop that hangs is a machine that is reset.
    if (watchdog_.next() <= now_) watchdog_.feed(now_);
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
    case Source::listener: return on_listener(i == 1);
    case Source::client: return on_client(i);
    case Source::child: return reap(i);
    case Source::status: return on_status(i);
    case Source::notify: return on_notify(i);
    case Source::ready: return on_ready(i);
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

// ---- The log

// "NAME: STATE SECONDS: DETAIL". Tests and measurements read these lines.
void Runner::changed(Index i, State from, State to, Event why, Duration delay) {
  const std::string_view name = services_.specs[i].name;
  const Exit& exit = supervisor_.life(i).exit;
  remember(i);
  const auto say = [&](Level level, std::string_view what, const Line& detail) {
    log_.say(level, name, ": ", what, " ", now_, detail.text());
  };
  switch (to) {
    case State::waiting:
    case State::starting: return;
    case State::up: return say(Level::info, "ready", Line());
    case State::stopping:
      if (why == Event::timeout) {
        return say(Level::warning, "stopping",
                   Line(from == State::up                       ? ": its watchdog was not fed"
                        : services_.specs[i].kind == Kind::task ? ": took too long"
                                                                : ": was not ready in time"));
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
      say(Level::error, "failed",
          why == Event::deps_failed ? Line(": what it needs has failed") : Line());
      if (why == Event::give_up && services_.specs[i].give_up_then == GiveUp::reboot) {
        begin_shutdown(Ending::reboot, name);
      }
      return;
  }
}

void Runner::impossible(Index i, State state, Event event) {
  log_.say(Level::error, services_.specs[i].name,
           ": bug: ", kEventNames[static_cast<size_t>(event)], " while ",
           kStateNames[static_cast<size_t>(state)]);
}

// ---- The end

void Runner::begin_shutdown(Ending ending, std::string_view reason) {
  const Graph& graph = services_.graph;
  Shutdown::Limits limits{graph.longest(When::boot), graph.longest(When::shutdown), {}};
  for (const Spec& spec : services_.specs) {
    if (spec.kill == Kill::main) limits.rest = std::max(limits.rest, spec.rest_limit);
  }
  if (!shutdown_.begin(ending, now_, limits)) return;
  recovery_.ending() = static_cast<int32_t>(ending);
  log_.say(Level::notice, "shutdown ", now_, ": ", reason);
  tell_ending(ending, log_);
  supervisor_.stop_all(now_);
}

// Whether anything runs besides PID 1 and the log: whoever lost its parent is PID 1's child, so
// that all that runs is a child of PID 1 or has an ancestor that is one.
bool Runner::others_left() {
  std::array<char, 4096> buffer;
  auto children = sys::read_file("/proc/1/task/1/children", buffer);
  if (!children.ok()) return true;
  std::string_view rest = *children;
  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
    if (word != Line(processes_[kLogService].pid).text()) return true;
  }
  return false;
}

void Runner::advance_shutdown() {
  if (shutdown_.phase() == Shutdown::Phase::running) return;
  using Phase = Shutdown::Phase;
  // While services stop, which may be a thousand, nobody looks at all processes each time.
  const auto others = [&] { return shutdown_.phase() >= Phase::terminating && others_left(); };
  // Several phases may be over at once, with no event to come that would end the next.
  while (shutdown_.advance(now_, supervisor_.all_at_rest(), supervisor_.last_at_rest(), others())) {
    if (shutdown_.phase() == Phase::tasks) supervisor_.start_shutdown_tasks(now_);
    if (shutdown_.phase() == Phase::log) supervisor_.stop_last();
    if (!others()) continue;
    if (shutdown_.phase() == Phase::terminating) (void)kill(-1, SIGTERM);
    if (shutdown_.phase() == Phase::killing) {
      log_.say(Level::warning, "killing what is left ", now_);
      (void)kill(-1, SIGKILL);
    }
  }
}

}  // namespace copal
