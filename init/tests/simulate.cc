// The core in a simulated machine, for millions of events: services of random kinds and settings,
// in random graphs, become ready, end, crash, hang, leave something behind or cannot be started,
// and at some moment everything is stopped. What must hold is stated once, in class Rules.
//
// usage: simulate [SEED [EVENTS]]
//
// A failure prints the seed, and the services and the least events that still break the rule.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "core/supervisor.h"

namespace copal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kSlowestDeath =
    seconds(8);  // from SIGKILL on; longer than it takes to repeat it

// What a service file would say. References are positions in the scenario's list.
struct Service {
  Spec spec;
  std::vector<size_t> needs;
  std::vector<size_t> after;
};

enum class Step : uint8_t {
  ready,
  exit,
  leave,    // it has started something that will outlive it
  emptied,  // and that is gone
  spawns,   // from now on they fail in `value` of 100 cases
  pass,     // time
  late,     // time, but the timer is only looked at in the end
  work,     // until nothing is left to do
  work_a_little,
};
constexpr const char* kStepNames[] = {"ready",      "exit",        "leave",
                                      "emptied",    "spawns fail", "time passes",
                                      "late timer", "work",        "work a little"};

struct Operation {
  Step step{};
  size_t who = 0;
  uint32_t value = 0;
};

struct Scenario {
  uint32_t seed = 0;
  std::vector<Service> services;
  std::vector<Operation> operations;
  bool calm = false;  // at the end faults cease, and everything must recover before it is stopped
};

std::string name_of(size_t i) {
  return "s" + std::to_string(i);
}

uint32_t mix(uint32_t a, uint32_t b, uint32_t c) {
  Random random(a * 2654435761U ^ b * 40503U ^ c * 2246822519U ^ 0x9e3779b9U);
  for (int i = 0; i < 3; ++i) random.next();
  return random.next();
}

class Silent final : public Reporter {
 public:
  void problem(const Place&, std::string_view) override {}
};

// ---- What must hold

// Watches what the Supervisor does, and knows nothing of how it does it. The first rule that is
// broken is kept.
class Rules {
 public:
  Rules(const Scenario& scenario, const std::vector<bool>& bad)
      : scenario_(scenario), lives_(scenario.services.size()) {
    for (size_t i = 0; i < lives_.size(); ++i) {
      lives_[i].bad = bad[i];
      lives_[i].had_turn = bad[i];
      lives_[i].state = bad[i] ? State::failed : State::down;
      for (const size_t need : spec_of(i).needs) lives_[need].waiters.push_back(i);
      for (const size_t other : spec_of(i).after) lives_[other].waiters.push_back(i);
    }
  }

  struct Life {
    State state = State::down;
    bool bad = false;
    bool alive = false;
    bool had_turn = false;
    // In this run:
    bool ready = false;  // it said so
    bool was_up = false;
    bool timed_out = false;
    bool forsaken = false;  // stopped for what it needs has failed
    bool no_process = false;
    bool slain = false;
    bool asked = false;    // to stop
    bool left = false;     // something it started is still there
    bool forlorn = false;  // and its time is over
    Time rest_limit{};     // when that is killed
    Time swept = kNever;   // and when it was
    int runs = 0;
    Exit exit;
    Time since{};  // of the state
    Time started{};
    Time up{};
    Time signalled{};
    Time not_before{};
    Time dies = kNever;
    uint32_t failures = 0;
    std::vector<Time> ends;
    std::vector<size_t> waiters;
  };

  [[nodiscard]] bool broken() const { return !broken_.empty(); }
  [[nodiscard]] const std::string& what() const { return broken_; }
  [[nodiscard]] Life& operator[](size_t i) { return lives_[i]; }
  [[nodiscard]] size_t size() const { return lives_.size(); }
  [[nodiscard]] bool stopped() const { return stopped_; }

  // A process comes into being when it is wanted, has no other, everything that it needs is there,
  // everything that it comes after had its turn, its last run is swept up, and it has waited as
  // long as it should.
  void spawned(size_t i, Time now) {
    Life& life = lives_[i];
    rule(!life.alive, i, "runs twice");
    rule(!life.bad, i, "is bad, and runs");
    rule(!stopped_, i, "starts after the stop");
    rule(now >= life.not_before, i, "starts before its back-off is over");
    rule(!life.left || spec(i).kill == Kill::main || life.forlorn, i,
         "starts before its last run is swept up");
    for (const size_t need : spec_of(i).needs) {
      rule(serves(need), i, "starts before what it needs is ready");
    }
    for (const size_t other : spec_of(i).after) {
      rule(lives_[other].had_turn, i, "starts before what it comes after");
    }
    life.started = now;
    life.ready = life.was_up = life.timed_out = life.forsaken = life.no_process = life.slain =
        life.asked = false;
    life.exit = {};
    life.dies = kNever;
    ++life.runs;
  }

  // The stop signal is the one of the file, and comes once.
  void signalled(size_t i, int signal, Time now) {
    Life& life = lives_[i];
    rule(life.alive, i, "is dead, and is signalled");
    rule(signal == spec(i).stop_signal, i, "gets the wrong signal");
    rule(life.state == State::starting || life.state == State::up, i, "is signalled again");
    life.signalled = now;
    life.asked = true;
  }

  // SIGKILL comes when the time for stopping is over, and not before.
  void slain(size_t i, Time now) {
    Life& life = lives_[i];
    rule(life.alive, i, "is dead, and is killed");
    rule(life.state == State::stopping || life.state == State::killing, i,
         "is killed without having been asked");
    rule(now >= life.signalled + spec(i).stop_limit, i, "is killed too early");
    life.slain = true;
  }

  // What a main process leaves behind has what is left of the time for stopping; if it ended by
  // itself, all of it.
  void swept(size_t i, bool kill, Time now) {
    Life& life = lives_[i];
    rule(!life.alive, i, "is swept up while it lives");
    if (life.state == State::stopping) {
      life.rest_limit = life.signalled + spec(i).stop_limit;
    } else if (life.state != State::cleaning) {
      life.rest_limit = life.state == State::killing ? now : now + spec(i).stop_limit;
    }
    rule(kill == (now >= life.rest_limit), i, "has its rest killed too early or too late");
    life.swept = kill ? now : kNever;
  }

  void changed(size_t i, State from, State to, Event why, Duration delay, Time now) {
    Life& life = lives_[i];
    rule(from == life.state && from != to, i, "changes from a state that it is not in");
    life.state = to;
    life.since = now;
    switch (to) {
      case State::up:
        rule(life.alive && life.ready, i, "is up, but did not say so");
        life.up = now;
        life.was_up = true;
        break;
      case State::stopping: stopping(i, why, now); break;
      case State::cleaning: rule(!life.alive, i, "is swept up while it lives"); break;
      case State::waiting: rule(!stopped_, i, "is wanted after the stop"); break;
      default: break;
    }
    if (to == State::up || to == State::cleaning || at_rest(to)) life.had_turn = true;
    if (from != State::cleaning) {
      // Without a run before, rest comes by the stop, or by the failure of what is needed.
      if (at_rest(to)) {
        rule(to == State::down ? stopped_ : to == State::failed && doomed(i), i,
             "rests for no reason");
      }
      return;
    }
    life.forlorn = life.left && spec(i).kill == Kill::tree;
    rule(!life.forlorn || (life.swept != kNever && now >= life.swept + Supervisor::kSweepLimit), i,
         "does not wait for the rest to end");
    verdict(i, to, delay, now);
  }

  void impossible(size_t i, State state, Event event) {
    rule(false, i,
         std::string("impossible: ") + std::string(kEventNames[static_cast<size_t>(event)]) +
             " while " + std::string(kStateNames[static_cast<size_t>(state)]));
  }

  // At any moment: a process lives as long as its state has one, and no longer.
  void always(const Supervisor& supervisor) {
    for (size_t i = 0; i < size(); ++i) {
      const State state = supervisor.state(static_cast<Index>(i));
      rule(state == lives_[i].state, i, "is not in the state that was told");
      rule(has_process(state) == lives_[i].alive, i,
           "has a process without a state, or a state without");
    }
  }

  // When the timer was looked at: nothing is over its time.
  void on_time(const Supervisor& supervisor, Time now) {
    for (size_t i = 0; i < size(); ++i) {
      const Life& life = lives_[i];
      Time limit = kNever;
      if (life.state == State::starting && spec(i).kind == Kind::service) {
        limit = life.started + spec(i).ready_limit;
      }
      if (life.state == State::stopping) limit = life.since + spec(i).stop_limit;
      if (life.state == State::killing) limit = now + Supervisor::kKillLimit + milliseconds(1);
      if (life.state == State::cleaning) {
        limit = life.swept == kNever ? life.rest_limit : life.swept + Supervisor::kSweepLimit;
      }
      if (life.state == State::backoff) limit = life.not_before;
      rule(limit > now, i, "is over its time");
      rule(limit == kNever || supervisor.next_deadline() <= limit, i, "has no timer for its limit");
    }
    rule(supervisor.next_deadline() > now, 0, "(some service) has a deadline in the past");
  }

  // When nothing is left to do: who waits waits for something, and who has lost what it needs ends.
  void settled() {
    for (size_t i = 0; i < size(); ++i) {
      const Life& life = lives_[i];
      if (stopped_) {
        rule(life.state != State::waiting && life.state != State::backoff, i, "was not stopped");
        const bool free = std::all_of(life.waiters.begin(), life.waiters.end(),
                                      [&](size_t w) { return at_rest(lives_[w].state); });
        rule(!free || (life.state != State::starting && life.state != State::up), i,
             "may be stopped, and is not");
        continue;
      }
      const bool runs_on = life.state == State::waiting || life.state == State::starting ||
                           life.state == State::up || life.state == State::backoff;
      rule(!doomed(i) || !runs_on, i, "has lost what it needs, and goes on");
      rule(life.bad || life.state != State::down, i, "is wanted, and is down");
      if (life.state != State::waiting) continue;
      const auto& service = spec_of(i);
      const bool reason = std::any_of(service.needs.begin(), service.needs.end(),
                                      [&](size_t n) { return !serves(n); }) ||
                          std::any_of(service.after.begin(), service.after.end(),
                                      [&](size_t o) { return !lives_[o].had_turn; });
      rule(reason, i, "waits for nothing");
    }
  }

  // After a time without faults everything has come to where it belongs.
  void recovered() {
    for (size_t i = 0; i < size(); ++i) {
      const State state = lives_[i].state;
      rule(at_rest(state) || state == State::up, i, "does not recover");
    }
  }

  void stop(Time now) {
    stopped_ = true;
    stop_ = now;
  }

  // Everything is at rest within the sum of the limits along the longest chain of waiters.
  [[nodiscard]] Time latest_rest() const {
    Duration most{};
    std::vector<Duration> memo(size(), Duration(-1));
    for (size_t i = 0; i < size(); ++i) most = std::max(most, longest(i, memo));
    return stop_ + most;
  }

  void rule(bool holds, size_t i, const std::string& text) {
    if (!holds && broken_.empty()) broken_ = name_of(i) + " " + text;
  }

 private:
  [[nodiscard]] const Service& spec_of(size_t i) const { return scenario_.services[i]; }
  [[nodiscard]] const Spec& spec(size_t i) const { return scenario_.services[i].spec; }

  [[nodiscard]] bool serves(size_t need) const {
    const State state = lives_[need].state;
    return state == State::up || (state == State::done && spec(need).kind == Kind::task);
  }
  // Something that it needs has ended for good.
  [[nodiscard]] bool doomed(size_t i) const {
    return std::any_of(spec_of(i).needs.begin(), spec_of(i).needs.end(), [&](size_t need) {
      return at_rest(lives_[need].state) && lives_[need].state != State::down && !serves(need);
    });
  }

  // A process is stopped for one of three reasons; in a stop, only after all that wait for it.
  void stopping(size_t i, Event why, Time now) {
    Life& life = lives_[i];
    if (why == Event::timeout) {
      life.timed_out = true;
      rule(!life.ready && now >= life.started + spec(i).ready_limit, i, "is not given its time");
      rule(spec(i).kind == Kind::service, i, "is a task, and has a limit");
    } else if (why == Event::deps_failed) {
      rule(doomed(i) && !stopped_, i, "is stopped although what it needs is there");
      life.forsaken = true;
    } else {
      rule(stopped_, i, "is stopped for no reason");
      for (const size_t waiter : life.waiters) {
        rule(at_rest(lives_[waiter].state), i, "is stopped before " + name_of(waiter));
      }
    }
  }

  // The one decision about an end, made again from what was seen.
  void verdict(size_t i, State to, Duration delay, Time now) {
    Life& life = lives_[i];
    const Spec& s = spec(i);
    if (stopped_) return rule(to == State::down, i, "does not stay down");
    if (life.forsaken)
      return rule(to == State::failed, i, "lost what it needs, and has not failed");
    if (doomed(i) && to == State::failed) return;
    const bool well = life.exit.code == 0 && !life.exit.by_signal && !life.no_process &&
                      !life.timed_out && (life.was_up || s.kind == Kind::task);
    if (well && s.restart != Restart::always)
      return rule(to == State::done, i, "ended well, and is not done");
    if (s.restart == Restart::never) return rule(to == State::failed, i, "is tried again");
    life.ends.push_back(now);
    const size_t count = s.give_up_count;
    const bool enough = count > 0 && life.ends.size() >= count &&
                        now - life.ends[life.ends.size() - count] <= s.give_up_window;
    if (enough) return rule(to == State::failed, i, "does not give up");
    rule(to == State::backoff, i, "is not tried again");
    if (life.was_up && now - life.up >= seconds(60)) life.failures = 0;
    // Doubles with each failure from the shortest to the longest, give or take a tenth.
    const uint32_t n = std::min(life.failures, 30U);
    const Duration meant = std::min(Duration(s.delay_min.count() << n), s.delay_max);
    ++life.failures;
    rule(delay >= meant - meant / 10 && delay <= meant + meant / 10, i, "has the wrong back-off");
    life.not_before = now + delay;
  }

  [[nodiscard]] Duration longest(size_t i, std::vector<Duration>& memo) const {
    if (memo[i] >= Duration{}) return memo[i];
    if (lives_[i].bad) return {};  // never runs; and cycles are made of those
    Duration before{};
    for (const size_t waiter : lives_[i].waiters) before = std::max(before, longest(waiter, memo));
    return memo[i] = before + spec(i).stop_limit + kSlowestDeath + Supervisor::kSweepLimit;
  }

  const Scenario& scenario_;
  std::vector<Life> lives_;
  bool stopped_ = false;
  Time stop_{};
  std::string broken_;
};

// ---- The machine

class Simulation final : public World {
 public:
  Simulation(const Scenario& scenario, bool tell)
      : scenario_(scenario),
        tell_(tell),
        block_(size_t{256} << 10),
        arena_(block_),
        rules_(scenario, build()),
        supervisor_(specs_, graph_, *this, arena_, scenario.seed) {}

  // What rule was broken; empty: none was.
  std::string run();
  [[nodiscard]] size_t events() const { return events_; }

  // World
  Status spawn(Index i) override;
  void send_signal(Index i, int signal) override;
  void slay(Index i) override;
  bool sweep(Index i, bool kill) override {
    rules_.swept(i, kill, now_);
    return !rules_[i].left;
  }
  void changed(Index i, State from, State to, Event why, Duration delay) override;
  void impossible(Index i, State state, Event event) override {
    rules_.impossible(i, state, event);
  }

 private:
  std::vector<bool> build();
  void apply(const Operation& operation);
  void exit(size_t i, Exit exit);
  void settle();
  void work(size_t spawns);
  void tick();
  void pass(Duration time);
  void recover();
  void end();
  void plan_death(size_t i);
  void say(const char* what, size_t i, long value = -1) const;

  const Scenario& scenario_;
  bool tell_;
  std::vector<std::byte> block_;
  Arena arena_;
  std::vector<std::string> names_;
  std::vector<std::vector<Reference>> references_;
  std::vector<Spec> specs_;
  Graph graph_;
  Rules rules_;
  Time now_{1000};
  Supervisor supervisor_;
  uint32_t failing_ = 0;  // spawns, in 100
  uint32_t spawned_ = 0;
  size_t spawns_ = 0;  // in this turn
  size_t events_ = 0;
  bool ending_ = false;
};

std::vector<bool> Simulation::build() {
  const size_t size = scenario_.services.size();
  for (size_t i = 0; i < size; ++i) names_.push_back(name_of(i));
  references_.reserve(2 * size);
  for (size_t i = 0; i < size; ++i) {
    const Service& service = scenario_.services[i];
    Spec spec = service.spec;
    spec.name = names_[i];
    for (const auto& [from, to] :
         {std::pair(&service.needs, &spec.needs), {&service.after, &spec.after}}) {
      auto& list = references_.emplace_back();
      for (const size_t other : *from) list.push_back(Reference{names_[other], {}});
      *to = list;
    }
    specs_.push_back(spec);
  }
  Silent silent;
  std::vector<bool> bad(size, !graph_.build(specs_, arena_, silent));
  for (size_t i = 0; i < size; ++i) bad[i] = specs_[i].bad;
  return bad;
}

void Simulation::say(const char* what, size_t i, long value) const {
  constexpr size_t kEnough = 500;  // of a story whose fault is that it has no end
  if (!tell_ || events_ > kEnough) return;
  std::printf("  %8.3f  %s %s", static_cast<double>(now_.count()) / 1000, name_of(i).c_str(), what);
  if (value >= 0) std::printf(" %ld", value);
  std::printf("\n");
}

Status Simulation::spawn(Index i) {
  ++spawns_;
  ++events_;
  rules_.spawned(i, now_);
  if (mix(scenario_.seed, 7, ++spawned_) % 100 < failing_) {
    rules_[i].no_process = true;
    say("cannot be started", i);
    return Error{EAGAIN, "simulation"};
  }
  rules_[i].alive = true;
  say("is started", i);
  return {};
}

void Simulation::send_signal(Index i, int signal) {
  rules_.signalled(i, signal, now_);
  say("gets signal", i, signal);
  if (ending_) plan_death(i);
}

void Simulation::slay(Index i) {
  rules_.slain(i, now_);
  say("is killed", i);
  if (ending_) plan_death(i);
}

void Simulation::changed(Index i, State from, State to, Event why, Duration delay) {
  ++events_;
  say(kStateNames[static_cast<size_t>(to)].data(), i, to == State::backoff ? delay.count() : -1);
  rules_.changed(i, from, to, why, delay, now_);
}

void Simulation::work(size_t spawns) {
  spawns_ = 0;
  supervisor_.work(now_, spawns);
  rules_.rule(spawns_ <= spawns, 0, "(together with others) starts too many in one turn");
  rules_.always(supervisor_);
}

void Simulation::settle() {
  for (size_t turns = 0; !rules_.broken(); ++turns) {
    spawns_ = 0;
    supervisor_.work(now_, 3);
    rules_.rule(spawns_ <= 3, 0, "(together with others) starts too many in one turn");
    rules_.rule(turns < 4 * rules_.size() + 4, 0, "(some service) is worked at without end");
    if (!supervisor_.has_work()) break;
  }
  rules_.always(supervisor_);
  rules_.settled();
}

void Simulation::tick() {
  supervisor_.tick(now_);
  rules_.always(supervisor_);
  settle();
}

void Simulation::pass(Duration time) {
  const Time end = now_ + time;
  while (!rules_.broken() && supervisor_.next_deadline() <= end) {
    now_ = std::max(now_, supervisor_.next_deadline());
    ++events_;
    tick();
  }
  now_ = end;
  rules_.on_time(supervisor_, now_);
}

void Simulation::exit(size_t i, Exit exit) {
  Rules::Life& life = rules_[i];
  if (!life.alive) return;
  say(exit.by_signal ? "dies of signal" : "ends with code", i, exit.code);
  life.alive = false;
  life.exit = exit;
  supervisor_.exited(static_cast<Index>(i), exit, now_);
}

void Simulation::apply(const Operation& operation) {
  const size_t i = operation.who;
  const uint32_t value = operation.value;
  Rules::Life& life = rules_[i];
  ++events_;
  switch (operation.step) {
    case Step::ready:
      if (specs_[i].kind == Kind::task) return;  // it has no way to say so
      say("says that it is ready", i);
      life.ready = life.ready || life.alive;
      supervisor_.event(static_cast<Index>(i), Event::ready, now_);
      break;
    case Step::exit:
      exit(i, Exit{static_cast<int>(value % 3 == 0 ? value % 7 : 0), value % 5 == 0});
      break;
    case Step::leave: life.left = life.left || life.alive; break;
    case Step::emptied:
      if (life.alive || !life.left) return;
      life.left = false;
      supervisor_.event(static_cast<Index>(i), Event::emptied, now_);
      break;
    case Step::spawns: failing_ = value; break;
    case Step::pass: settle(); return pass(milliseconds(value));
    case Step::late:
      now_ += milliseconds(value);
      tick();
      return pass(Duration{});
    case Step::work: return settle();
    case Step::work_a_little: return work(value);
  }
  rules_.always(supervisor_);
}

// Nothing fails any more. Whatever can run has to run in the end.
void Simulation::recover() {
  failing_ = 0;
  const auto restless = [&] {
    for (size_t i = 0; i < rules_.size(); ++i) {
      const State state = rules_[i].state;
      if (!at_rest(state) && state != State::up) return true;
    }
    return false;
  };
  for (size_t turn = 0; restless() && turn < 1000 && !rules_.broken(); ++turn) {
    for (size_t i = 0; i < rules_.size(); ++i) {
      const State state = rules_[i].state;
      if (!rules_[i].alive) {
        apply({Step::emptied, i, 0});
      } else if (state == State::starting && specs_[i].kind == Kind::service) {
        apply({Step::ready, i, 0});
      } else if (state != State::up) {
        exit(i, Exit{});
      }
    }
    settle();
    if (supervisor_.next_deadline() != kNever) {
      pass(std::max(supervisor_.next_deadline() - now_, Duration{}));
    }
  }
  rules_.recovered();
}

// In the end half of all obey the stop signal, sooner or later, and SIGKILL works, sooner or later.
void Simulation::plan_death(size_t i) {
  Rules::Life& life = rules_[i];
  const uint32_t chance =
      mix(scenario_.seed, static_cast<uint32_t>(i), static_cast<uint32_t>(life.runs));
  Time dies = kNever;
  if (life.slain) {
    dies = now_ + Duration(chance % (kSlowestDeath.count() + 1));
  } else if (chance % 2 == 0) {
    dies = now_ + Duration(chance / 2 % (2 * specs_[i].stop_limit.count() + 1));
  }
  life.dies = std::min(life.dies, dies);
}

void Simulation::end() {
  say("and all others are stopped", 0);
  rules_.stop(now_);
  ending_ = true;
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i].alive && (rules_[i].asked || rules_[i].slain)) plan_death(i);
  }
  const Time latest = rules_.latest_rest();
  supervisor_.stop_all(now_);
  settle();
  while (!supervisor_.all_at_rest() && !rules_.broken()) {
    Time next = supervisor_.next_deadline();
    for (size_t i = 0; i < rules_.size(); ++i) {
      if (rules_[i].alive) next = std::min(next, rules_[i].dies);
    }
    rules_.rule(next <= latest, 0, "(some service) does not come to rest in time");
    if (rules_.broken()) return;
    now_ = std::max(now_, next);
    ++events_;
    for (size_t i = 0; i < rules_.size(); ++i) {
      if (rules_[i].alive && rules_[i].dies <= now_) exit(i, Exit{9, true});
    }
    tick();
  }
  rules_.rule(supervisor_.next_deadline() == kNever, 0,
              "(some service) has a deadline, though all rest");
  pass(seconds(3600));
  rules_.rule(supervisor_.all_at_rest(), 0, "(some service) does not stay at rest");
}

std::string Simulation::run() {
  rules_.rule(supervisor_.ok(), 0, "(and all others) did not fit into memory");
  if (rules_.broken()) return rules_.what();
  supervisor_.start_all(now_);
  for (const Operation& operation : scenario_.operations) {
    apply(operation);
    if (rules_.broken()) return rules_.what();
  }
  settle();
  pass(Duration{});
  if (scenario_.calm && !rules_.broken()) recover();
  if (!rules_.broken()) end();
  return rules_.what();
}

// ---- Scenarios

Spec random_spec(Random& random) {
  const auto one_of = [&](std::initializer_list<int> list) {
    return list.begin()[random.next() % list.size()];
  };
  Spec spec;
  spec.kind = random.next() % 4 == 0 ? Kind::task : Kind::service;
  spec.bad = random.next() % 40 == 0;
  spec.ready = Ready::notify;
  spec.ready_limit = milliseconds(one_of({1, 20, 500, 3000, 30000}));
  spec.stop_signal = one_of({15, 2, 1});
  spec.stop_limit = milliseconds(one_of({0, 1, 300, 2000, 10000}));
  spec.kill = random.next() % 3 == 0 ? Kill::main : Kill::tree;
  spec.restart = spec.kind == Kind::task ? static_cast<Restart>(one_of({1, 2}))
                                         : static_cast<Restart>(one_of({0, 0, 0, 1, 2}));
  spec.delay_min = milliseconds(one_of({1, 1, 20, 100, 1000}));
  spec.delay_max = std::max(spec.delay_min, milliseconds(one_of({1, 50, 1000, 30000})));
  if (spec.restart != Restart::never && random.next() % 2 == 0) {
    spec.give_up_count = 1 + random.next() % 5;
    spec.give_up_window = milliseconds(one_of({1, 1000, 30000, 600000}));
  }
  return spec;
}

Operation random_operation(Random& random, size_t size) {
  // How often each step comes, in the order of the enumeration.
  constexpr int kWeights[] = {30, 25, 5, 5, 2, 15, 3, 12, 6};
  int sum = 0;
  for (const int weight : kWeights) sum += weight;
  int chosen = static_cast<int>(random.next() % static_cast<uint32_t>(sum));
  size_t step = 0;
  while (chosen >= kWeights[step]) chosen -= kWeights[step++];
  Operation operation{static_cast<Step>(step), random.next() % size, random.next() % 1000};
  switch (operation.step) {
    case Step::spawns:
      operation.value = operation.value % 2 == 0 ? 0 : operation.value % 101;
      break;
    case Step::pass:
    case Step::late: operation.value = operation.value % 20 == 0 ? 70000 : operation.value; break;
    case Step::work_a_little: operation.value = 1 + operation.value % 3; break;
    default: break;
  }
  return operation;
}

Scenario random_scenario(uint32_t seed) {
  Random random(mix(seed, 1, 1));
  Scenario scenario;
  scenario.seed = seed;
  scenario.calm = random.next() % 2 == 0;
  const size_t size = 1 + random.next() % (random.next() % 8 == 0 ? 40 : 10);
  const uint32_t density = random.next() % 30;
  const bool cycles = random.next() % 10 == 0;
  for (size_t i = 0; i < size; ++i) {
    Service& service = scenario.services.emplace_back();
    service.spec = random_spec(random);
    for (size_t j = 0; j < size; ++j) {
      if (j == i || (j > i && !(cycles && random.next() % 5 == 0))) continue;
      if (random.next() % 100 >= density) continue;
      (random.next() % 5 < 3 ? service.needs : service.after).push_back(j);
    }
  }
  for (uint32_t n = random.next() % 500; n > 0; --n) {
    scenario.operations.push_back(random_operation(random, size));
  }
  return scenario;
}

// ---- Failures

// The broken rule without the service's name, which changes when others are taken away.
std::string rule_of(const std::string& broken) {
  return broken.substr(std::min(broken.find(' '), broken.size()));
}

bool still_breaks(const Scenario& scenario, const std::string& rule) {
  return rule_of(Simulation(scenario, false).run()) == rule;
}

Scenario without_operations(const Scenario& scenario, size_t from, size_t count) {
  Scenario less = scenario;
  const auto begin = less.operations.begin() + static_cast<ptrdiff_t>(from);
  less.operations.erase(
      begin, begin + static_cast<ptrdiff_t>(std::min(count, less.operations.size() - from)));
  return less;
}

Scenario without_service(const Scenario& scenario, size_t gone) {
  Scenario less = scenario;
  less.services.erase(less.services.begin() + static_cast<ptrdiff_t>(gone));
  for (Service& service : less.services) {
    for (auto* list : {&service.needs, &service.after}) {
      std::erase(*list, gone);
      for (size_t& other : *list) other -= other > gone ? 1 : 0;
    }
  }
  std::erase_if(less.operations,
                [&](const Operation& o) { return o.who == gone && o.step <= Step::emptied; });
  for (Operation& operation : less.operations)
    operation.who -= operation.who >= gone && operation.who > 0 ? 1 : 0;
  return less;
}

Scenario shrink(Scenario scenario, const std::string& rule) {
  const auto keep_if_breaks = [&](Scenario less) {
    if (!still_breaks(less, rule)) return false;
    scenario = std::move(less);
    return true;
  };
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (size_t count = std::max<size_t>(scenario.operations.size() / 2, 1); count > 0;
         count /= 2) {
      for (size_t from = 0; from < scenario.operations.size();) {
        if (keep_if_breaks(without_operations(scenario, from, count))) {
          smaller = true;
        } else {
          from += count;
        }
      }
    }
    for (size_t i = scenario.services.size(); i-- > 0 && scenario.services.size() > 1;) {
      smaller = keep_if_breaks(without_service(scenario, i)) || smaller;
    }
  }
  return scenario;
}

void print(const Scenario& scenario) {
  constexpr const char* kRestarts[] = {"always", "on-failure", "never"};
  for (size_t i = 0; i < scenario.services.size(); ++i) {
    const auto& [spec, needs, after] = scenario.services[i];
    const auto count = [](Duration time) { return static_cast<long>(time.count()); };
    std::printf(
        "%s: %s%s, ready in %ld ms, stop in %ld ms, kill %s, restart %s %ld..%ld ms",
        name_of(i).c_str(), spec.bad ? "bad " : "", spec.kind == Kind::task ? "task" : "service",
        count(spec.ready_limit), count(spec.stop_limit), spec.kill == Kill::tree ? "tree" : "main",
        kRestarts[static_cast<size_t>(spec.restart)], count(spec.delay_min), count(spec.delay_max));
    if (spec.give_up_count > 0)
      std::printf(", give up %u in %ld ms", spec.give_up_count, count(spec.give_up_window));
    for (const size_t need : needs) std::printf(", needs %s", name_of(need).c_str());
    for (const size_t other : after) std::printf(", after %s", name_of(other).c_str());
    std::printf("\n");
  }
  for (const Operation& o : scenario.operations) {
    std::printf("  %s %s %u\n", kStepNames[static_cast<size_t>(o.step)], name_of(o.who).c_str(),
                o.value);
  }
}

int simulate(uint32_t seed, size_t events) {
  size_t done = 0;
  uint32_t scenarios = 0;
  do {
    const Scenario scenario = random_scenario(seed + scenarios);
    Simulation simulation(scenario, false);
    const std::string broken = simulation.run();
    if (!broken.empty()) {
      std::printf("simulate: seed %u: %s\n", seed + scenarios, broken.c_str());
      const Scenario least = shrink(scenario, rule_of(broken));
      print(least);
      std::printf("what happened:\n");
      std::printf("  %s\n", Simulation(least, true).run().c_str());
      std::printf("again: simulate %u 1\n", seed + scenarios);
      return 1;
    }
    done += simulation.events();
    ++scenarios;
  } while (done < events);
  std::printf("simulate: %zu events in %u machines, seeds %u to %u: every rule held\n", done,
              scenarios, seed, seed + scenarios - 1);
  return 0;
}

}  // namespace
}  // namespace copal

int main(int argc, char** argv) {
  const auto number = [&](int i, unsigned long otherwise) {
    return argc > i ? std::strtoul(argv[i], nullptr, 10) : otherwise;
  };
  return copal::simulate(static_cast<uint32_t>(number(1, 1)), number(2, 1'000'000));
}
