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

class World {
 public:
  virtual Status spawn(Index service) = 0;
  virtual void send_signal(Index service, int signal) = 0;
  virtual void slay(Index service) = 0;
  // Kills what the main process left in its cgroup. True: there is nothing left; false: some of it
  // is still dying, and `emptied` will tell.
  virtual bool sweep(Index service) = 0;
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

  // False from ok(): there was not enough memory.
  Supervisor(std::span<const Spec> specs, const Graph& graph, World& world, Arena& arena,
             uint32_t seed);
  [[nodiscard]] bool ok() const { return ok_; }

  void start_all(Time now);
  void stop_all(Time now);

  void event(Index i, Event first, Time now);
  void exited(Index i, Exit exit, Time now);
  // Looks at what has to be looked at, and starts at most `spawns` processes, so that starting
  // many services never keeps PID 1 from its other work. True: there is more to do.
  bool work(Time now, size_t spawns);
  // Handles all deadlines that have come.
  void tick(Time now);

  [[nodiscard]] Time next_deadline() const;
  [[nodiscard]] bool all_at_rest() const;
  [[nodiscard]] State state(Index service) const { return services_[service].state; }

 private:
  struct Service {
    State state = State::down;
    bool wanted = false;
    bool queued = false;
    bool had_turn = false;     // what `after` waits for: it was up, ended or failed once
    bool was_up = false;       // in this run
    bool broken = false;       // this run is a failure, however it ends
    bool deps_failed = false;  // no use in trying again
    Exit exit;
    Time deadline = kNever;
    Time up_since{};
    Backoff backoff;
    Window window;
  };

  void evaluate(Index i, Time now);
  std::optional<Event> act(Index i, Action action, Event event, Time now);
  Event verdict(Index i, Time now);
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
