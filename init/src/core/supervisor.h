// All services together: which may start, which must stop, what to do about an end. It knows no
// system call: it is told events and the time, and acts on a World, which is PID 1 in the machine
// and a simulation in the tests.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/arena.h"
#include "core/config.h"
#include "core/graph.h"
#include "core/machine.h"
#include "core/policy.h"
#include "core/result.h"
#include "core/time.h"

namespace copal {

struct Exit {
  int code = 0;  // or the number of the signal
  bool by_signal = false;
};

// What is known of a service from one moment to the next.
struct Life {
  State state = State::down;
  bool wanted = false;
  bool had_turn = false;     // what `after` waits for: it was up, ended or failed once
  bool was_up = false;       // in this run
  bool broken = false;       // this run is a failure, however it ends
  bool deps_failed = false;  // no use in trying again
  bool again = false;        // was stopped only to be started again
  bool swept = false;        // what this run left behind was killed
  uint32_t starts = 0;
  Exit exit;
  Time deadline = kNever;
  Time since{};    // the state it is in
  Time started{};  // this run
  Time up_since{};
};

class World {
 public:
  virtual Status spawn(Index service) = 0;
  virtual void send_signal(Index service, int signal) = 0;
  virtual void slay(Index service) = 0;
  // Asks what the main process left in its cgroup to end, or kills it. True: there is nothing left;
  // false: some of it is still there, and `emptied` will tell.
  virtual bool sweep(Index service, bool kill) = 0;
  // For the log. `why` is what led to the new state; when it is State::backoff, `delay` is set.
  virtual void changed(Index service, State from, State to, Event why, Duration delay) = 0;
  virtual void impossible(Index service, State state, Event event) = 0;

 protected:
  ~World() = default;
};

class Supervisor {
 public:
  // Limits that no file can change.
  static constexpr Duration kKillLimit = std::chrono::seconds(5);   // then SIGKILL is sent again
  static constexpr Duration kSweepLimit = std::chrono::seconds(2);  // then the rest is left behind
  static constexpr Duration kMostTime = std::chrono::minutes(10);
  static_assert(kKillLimit + kSweepLimit == kDeath);

  // False from ok(): there was not enough memory.
  Supervisor(std::span<const Spec> specs, const Graph& graph, World& world, Arena& arena,
             uint32_t seed);
  [[nodiscard]] bool ok() const { return ok_; }

  void start_all(Time now);
  // The end, in three steps, each once the one before is at rest: all but those that are last;
  // what is to run at shutdown; the last.
  void stop_all(Time now);
  void start_shutdown_tasks(Time now);
  void stop_last();

  // What an operator asks for, of which the last word counts. Starting brings up what it needs and
  // waits for no back-off, stopping takes down what needs it.
  void start(Index i, Time now);
  void stop(Index i, Time now);
  void restart(Index i, Time now);

  // A service says that it is alive; or that it needs more time, of which it gets at most
  // kMostTime. By how much its deadline moved.
  void feed(Index i, Time now);
  Duration extend(Index i, Duration more, Time now);

  void event(Index i, Event first, Time now);
  void exited(Index i, Exit exit, Time now);
  // Looks at what has to be looked at, and starts at most `spawns` processes, so that starting
  // many services never keeps PID 1 from its other work.
  void work(Time now, size_t spawns);
  [[nodiscard]] bool has_work() const { return queue_size_ > 0; }
  // Handles all deadlines that have come.
  void tick(Time now);

  [[nodiscard]] Time next_deadline() const;
  // All but the last ones.
  [[nodiscard]] bool all_at_rest() const;
  [[nodiscard]] bool last_at_rest() const;
  [[nodiscard]] State state(Index service) const { return services_[service].state; }
  [[nodiscard]] const Life& life(Index service) const { return services_[service]; }
  // After a fault of PID 1: as it was. What was to be done about it is done again.
  void restore(Index i, const Life& life, Time now);

 private:
  struct Service : Life {
    bool queued = false;
    Backoff backoff;
    Window window;
  };

  void evaluate(Index i, Time now);
  std::optional<Event> act(Index i, State from, Action action, Event event, Time now);
  std::optional<Event> sweep(Index i, Time now);
  Event verdict(Index i, Time now);
  [[nodiscard]] bool comes(Index i, Time now) const;
  [[nodiscard]] bool satisfies(Index need) const;
  [[nodiscard]] bool lost(Index need) const;
  void enqueue(Index i);
  void enqueue_neighbours(Index i);

  std::span<const Spec> specs_;
  const Graph& graph_;
  World& world_;
  Random random_;
  bool ok_ = false;
  std::span<Service> services_;
  std::span<Index> queue_;  // a ring; `queued` keeps a service from being in it twice
  size_t queue_head_ = 0;
  size_t queue_size_ = 0;
  size_t spawns_left_ = 0;
};

}  // namespace copal
