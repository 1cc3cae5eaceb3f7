#include "core/supervisor.h"

#include <algorithm>

namespace copal {

Supervisor::Supervisor(std::span<const Spec> specs, const Graph& graph, World& world, Arena& arena,
                       uint32_t seed)
    : specs_(specs),
      graph_(graph),
      world_(world),
      random_(seed),
      services_(arena.make<Service>(specs.size())),
      queue_(arena.make<Index>(specs.size())) {
  ok_ = services_.size() == specs.size() && queue_.size() == specs.size();
  for (size_t i = 0; ok_ && i < specs.size(); ++i) {
    const std::span<Time> ends = arena.make<Time>(specs[i].give_up_count);
    ok_ = ends.size() == specs[i].give_up_count;
    services_[i].window = Window(ends);
    if (specs[i].bad) services_[i].state = State::failed;
  }
}

void Supervisor::start_all(Time now) {
  for (size_t i = 0; i < services_.size(); ++i) {
    if (specs_[i].bad || specs_[i].when != When::boot) continue;
    services_[i].wanted = true;
    event(static_cast<Index>(i), Event::want_up, now);
  }
}

void Supervisor::stop_all(Time) {
  for (size_t i = 0; i < services_.size(); ++i) {
    if (specs_[i].last) continue;
    services_[i].wanted = false;
    services_[i].again = false;
    enqueue(static_cast<Index>(i));
  }
}

void Supervisor::start_shutdown_tasks(Time now) {
  for (size_t i = 0; i < services_.size(); ++i) {
    if (!specs_[i].bad && specs_[i].when == When::shutdown) start(static_cast<Index>(i), now);
  }
}

void Supervisor::stop_last() {
  for (size_t i = 0; i < services_.size(); ++i) {
    if (!specs_[i].last) continue;
    services_[i].wanted = false;
    enqueue(static_cast<Index>(i));
  }
}

// It runs, or will without being told once more. (That it then is left alone also bounds the walk
// through what services need, which may have many ways to the same one.)
bool Supervisor::comes(Index i, Time now) const {
  const Service& service = services_[i];
  if (!service.wanted || service.deps_failed || lost(i)) return false;
  return ends(service.state)               ? service.again
         : service.state == State::backoff ? service.deadline <= now
                                           : true;
}

void Supervisor::start(Index i, Time now) {
  if (specs_[i].bad) return;
  Service& service = services_[i];
  service.wanted = true;
  service.deps_failed = false;
  service.again = ends(service.state);
  if (service.state == State::backoff) service.deadline = now;
  for (const Index need : graph_[i].needs) {
    if (!comes(need, now)) start(need, now);
  }
  event(i, Event::want_up, now);
  enqueue(i);
}

void Supervisor::stop(Index i, Time now) {
  services_[i].wanted = false;
  services_[i].again = false;
  for (const Index waiter : graph_[i].waiters) {
    const std::span<const Index> needs = graph_[waiter].needs;
    const bool needed = std::find(needs.begin(), needs.end(), i) != needs.end();
    if (needed && services_[waiter].wanted) stop(waiter, now);
  }
  enqueue(i);
}

void Supervisor::restart(Index i, Time now) {
  if (!has_process(services_[i].state) || !services_[i].wanted) return start(i, now);
  services_[i].again = true;
  event(i, Event::want_down, now);
}

void Supervisor::restore(Index i, const Life& life, Time now) {
  static_cast<Life&>(services_[i]) = life;
  // Whether its cgroup is empty is no longer waited for, but looked at once more.
  if (life.state == State::cleaning) services_[i].deadline = now;
  if (life.state == State::up) feed(i, now);
  enqueue(i);
}

void Supervisor::feed(Index i, Time now) {
  if (services_[i].state == State::up && specs_[i].watchdog != Duration{}) {
    services_[i].deadline = now + specs_[i].watchdog;
  }
}

Duration Supervisor::extend(Index i, Duration more, Time now) {
  Service& service = services_[i];
  const bool waits = service.state == State::starting || service.state == State::stopping;
  if (!waits || service.deadline == kNever) return {};
  const Time before = service.deadline;
  service.deadline = std::max(before, now + std::min(more, kMostTime));
  return service.deadline - before;
}

void Supervisor::exited(Index i, Exit exit, Time now) {
  services_[i].exit = exit;
  event(i, Event::exited, now);
}

void Supervisor::event(Index i, Event first, Time now) {
  Service& service = services_[i];
  std::optional<Event> next = first;
  // An action may bring about another event at once: the longest chain is deps_ready,
  // spawn_failed, emptied, restart.
  while (next) {
    const Event event = *next;
    const Cell& cell = lookup(service.state, event);
    next.reset();
    if (cell.action == Action::impossible) {
      world_.impossible(i, service.state, event);
      return;
    }
    const State from = service.state;
    // A timeout is used up even where the state stays.
    if (!cell.stays || event == Event::timeout) service.deadline = kNever;
    if (!cell.stays) service.state = cell.next;
    next = act(i, from, cell.action, event, now);
    if (service.state == from) continue;
    service.since = now;
    if (service.state == State::up) {
      service.up_since = now;
      service.was_up = true;
      feed(i, now);
    }
    if (service.state == State::up || service.state == State::cleaning ||
        service.state == State::failed) {
      service.had_turn = true;
    }
    const Duration delay = service.state == State::backoff ? service.deadline - now : Duration{};
    world_.changed(i, from, service.state, event, delay);
    enqueue(i);
    enqueue_neighbours(i);
  }
}

// What is left has no longer than kSweepLimit to die, once it was killed.
std::optional<Event> Supervisor::sweep(Index i, Time now) {
  Service& service = services_[i];
  if (world_.sweep(i, service.swept)) return Event::emptied;
  if (service.swept) service.deadline = now + kSweepLimit;
  return {};
}

std::optional<Event> Supervisor::act(Index i, State from, Action action, Event event, Time now) {
  Service& service = services_[i];
  const Spec& spec = specs_[i];
  switch (action) {
    case Action::unset:
    case Action::impossible:
    case Action::none: break;
    case Action::spawn:
      service.was_up = false;
      service.broken = false;
      service.exit = {};
      service.started = now;
      ++service.starts;
      if (spec.kind == Kind::service) service.deadline = now + spec.ready_limit;
      if (spec.limit != Duration{}) service.deadline = now + spec.limit;
      if (world_.spawn(i).ok()) return {};
      service.broken = true;
      return Event::spawn_failed;
    case Action::terminate:
      service.broken = service.broken || event == Event::timeout;
      service.deadline = now + spec.stop_limit;
      world_.send_signal(i, spec.stop_signal);
      return {};
    case Action::slay:
      service.deadline = now + kKillLimit;
      world_.slay(i);
      return {};
    case Action::sweep:
      if (spec.kill == Kill::main) return Event::emptied;
      // A stop has its limit for the main process and what it leaves behind together.
      service.deadline = (from == State::stopping ? service.since : now) + spec.stop_limit;
      service.swept = from == State::killing || service.deadline <= now;
      return sweep(i, now);
    case Action::settle:
      if (event != Event::timeout || service.swept) return verdict(i, now);
      service.swept = true;
      return sweep(i, now);
    case Action::delay: {
      const Duration uptime = service.was_up ? now - service.up_since : Duration{};
      service.deadline =
          now + service.backoff.next(spec.delay_min, spec.delay_max, uptime, random_);
      if (service.again) service.deadline = now;
      service.again = false;
      return {};
    }
  }
  return {};
}

Event Supervisor::verdict(Index i, Time now) {
  Service& service = services_[i];
  const Spec& spec = specs_[i];
  if (!service.wanted) return Event::stopped;
  if (service.again) return Event::restart;
  if (service.deps_failed) return Event::give_up;
  const bool success = service.exit.code == 0 && !service.exit.by_signal && !service.broken &&
                       (service.was_up || spec.kind == Kind::task);
  if (success && spec.restart != Restart::always) return Event::finished;
  if (spec.restart == Restart::never) return Event::give_up;
  return service.window.note(now, spec.give_up_window) ? Event::give_up : Event::restart;
}

bool Supervisor::satisfies(Index need) const {
  const State state = services_[need].state;
  return state == State::up || (state == State::done && specs_[need].kind == Kind::task);
}

// A service that has ended for good serves nobody, even if it ended well.
bool Supervisor::lost(Index need) const {
  const State state = services_[need].state;
  return state == State::failed || (state == State::done && specs_[need].kind == Kind::service);
}

void Supervisor::evaluate(Index i, Time now) {
  Service& service = services_[i];
  const Edges& edges = graph_[i];
  if (!service.wanted) {
    // What runs is stopped only when nothing that goes down with it, and may use it, still runs.
    const auto running = [&](Index other) {
      return !services_[other].wanted && !at_rest(services_[other].state);
    };
    if (at_rest(service.state)) return;
    if (has_process(service.state) &&
        std::any_of(edges.waiters.begin(), edges.waiters.end(), running)) {
      return;
    }
    return event(i, Event::want_down, now);
  }
  const auto is_lost = [&](Index need) { return lost(need); };
  if (std::any_of(edges.needs.begin(), edges.needs.end(), is_lost)) {
    if (at_rest(service.state)) return;
    service.deps_failed = true;
    return event(i, Event::deps_failed, now);
  }
  if (service.state == State::failed && service.deps_failed) {
    // What it lost may come back.
    service.deps_failed = false;
    return event(i, Event::want_up, now);
  }
  if (service.state != State::waiting) return;
  const auto is_satisfied = [&](Index need) { return satisfies(need); };
  const auto had_turn = [&](Index other) {
    return services_[other].had_turn || !services_[other].wanted;
  };
  if (!std::all_of(edges.needs.begin(), edges.needs.end(), is_satisfied)) return;
  if (!std::all_of(edges.after.begin(), edges.after.end(), had_turn)) return;
  if (spawns_left_ == 0) return enqueue(i);
  --spawns_left_;
  event(i, Event::deps_ready, now);
}

void Supervisor::work(Time now, size_t spawns) {
  spawns_left_ = spawns;
  // With no spawns left, what wants to start goes back into the queue: one more round of it at
  // most.
  size_t idle = 0;
  while (queue_size_ > 0 && idle <= queue_.size()) {
    const Index i = queue_[queue_head_];
    queue_head_ = (queue_head_ + 1) % queue_.size();
    --queue_size_;
    services_[i].queued = false;
    evaluate(i, now);
    idle = spawns_left_ == 0 ? idle + 1 : 0;
  }
}

void Supervisor::tick(Time now) {
  for (size_t i = 0; i < services_.size(); ++i) {
    if (services_[i].deadline <= now) event(static_cast<Index>(i), Event::timeout, now);
  }
}

// A scan, not a heap: 1,024 services take a microsecond, and nothing can get out of step.
Time Supervisor::next_deadline() const {
  Time earliest = kNever;
  for (const Service& service : services_) earliest = std::min(earliest, service.deadline);
  return earliest;
}

bool Supervisor::all_at_rest() const {
  for (size_t i = 0; i < services_.size(); ++i) {
    if (!specs_[i].last && !at_rest(services_[i].state)) return false;
  }
  return true;
}

bool Supervisor::last_at_rest() const {
  for (size_t i = 0; i < services_.size(); ++i) {
    if (specs_[i].last && !at_rest(services_[i].state)) return false;
  }
  return true;
}

void Supervisor::enqueue(Index i) {
  if (services_[i].queued) return;
  services_[i].queued = true;
  queue_[(queue_head_ + queue_size_) % queue_.size()] = i;
  ++queue_size_;
}

void Supervisor::enqueue_neighbours(Index i) {
  for (const Index other : graph_[i].needs) enqueue(other);
  for (const Index other : graph_[i].after) enqueue(other);
  for (const Index other : graph_[i].waiters) enqueue(other);
}

}  // namespace copal
