// The life of a service, as one total table: for every state and every event, the next state and
// the one thing to do. Nothing else decides what happens to a service.
//
//   down --want_up--> waiting --deps_ready--> starting --ready--> up
//   starting, up --exited--> cleaning        starting, up --want_down--> stopping
//   stopping --exited--> cleaning            stopping --timeout--> killing --exited--> cleaning
//   cleaning --(nothing is left)--> one verdict:
//       stopped: down    finished: done    restart: backoff --timeout--> waiting    give_up: failed
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace copal {

enum class State : uint8_t {
  down,      // not wanted
  waiting,   // for other services
  starting,  // has a process, is not ready
  up,        // ready
  stopping,  // was sent its stop signal
  killing,   // was sent SIGKILL
  cleaning,  // main process gone, others of its cgroup not yet
  backoff,   // waiting for its next try
  done,      // a task that succeeded, or a service that ended and is not to be restarted
  failed,
};
inline constexpr size_t kStates = 10;
inline constexpr std::array<std::string_view, kStates> kStateNames = {
    "down",    "waiting",  "starting", "up",   "stopping",
    "killing", "cleaning", "backoff",  "done", "failed"};

enum class Event : uint8_t {
  want_up,
  want_down,  // and nothing that runs waits for it
  deps_ready,
  deps_failed,  // something it needs has failed for good
  ready,
  spawn_failed,  // there is no process
  exited,        // the main process is reaped
  timeout,       // the state's deadline has come; in `up` that of the watchdog
  emptied,       // nothing is left in its cgroup
  stopped,       // the four verdicts
  finished,
  restart,
  give_up,
};
inline constexpr size_t kEvents = 13;
inline constexpr std::array<std::string_view, kEvents> kEventNames = {
    "want_up", "want_down", "deps_ready", "deps_failed", "ready",   "spawn_failed", "exited",
    "timeout", "emptied",   "stopped",    "finished",    "restart", "give_up"};

enum class Action : uint8_t {
  unset,       // only here so that a cell left out is noticed
  impossible,  // logged and ignored: a bug must not end PID 1
  none,
  spawn,      // start the process, set the limit for getting ready
  terminate,  // send the stop signal, set the limit for stopping
  slay,       // SIGKILL
  sweep,      // have what the main process left behind end, if the file says so
  settle,     // find the verdict; what is left at the end of its time is killed first
  delay,      // set the time of the next try
};

struct Cell {
  State next = State::down;
  Action action = Action::unset;
  bool stays = false;  // `next` is the state it is in
};

namespace table {
// NOLINTBEGIN(readability-identifier-naming): names that fit the table.
inline constexpr Cell never = {State::down, Action::impossible, true};
inline constexpr Cell stay_ = {State::down, Action::none, true};
inline constexpr Cell settl = {State::down, Action::settle, true};
inline constexpr Cell down_ = {State::down, Action::none};
inline constexpr Cell wait_ = {State::waiting, Action::none};
inline constexpr Cell spawn = {State::starting, Action::spawn};
inline constexpr Cell is_up = {State::up, Action::none};
inline constexpr Cell term_ = {State::stopping, Action::terminate};
inline constexpr Cell slay_ = {State::killing, Action::slay};
inline constexpr Cell sweep = {State::cleaning, Action::sweep};
inline constexpr Cell back_ = {State::backoff, Action::delay};
inline constexpr Cell done_ = {State::done, Action::none};
inline constexpr Cell fail_ = {State::failed, Action::none};

// clang-format off
inline constexpr std::array<std::array<Cell, kEvents>, kStates> kTable = {{
  //           want_ want_ deps_ deps_       spawn_             empti                   give_
  //           up    down  ready failed ready failed exited time ed   stop  finis rest  up
  /* down */ {{wait_,stay_,stay_,stay_,stay_,never,never,stay_,stay_,never,never,never,never}},
  /* wait */ {{stay_,down_,spawn,fail_,stay_,never,never,stay_,stay_,never,never,never,never}},
  /* star */ {{stay_,term_,stay_,term_,is_up,sweep,sweep,term_,stay_,never,never,never,never}},
  /* up   */ {{stay_,term_,stay_,term_,stay_,never,sweep,term_,stay_,never,never,never,never}},
  /* stop */ {{stay_,stay_,stay_,stay_,stay_,never,sweep,slay_,stay_,never,never,never,never}},
  /* kill */ {{stay_,stay_,stay_,stay_,stay_,never,sweep,slay_,stay_,never,never,never,never}},
  /* clea */ {{stay_,stay_,stay_,stay_,stay_,never,never,settl,settl,down_,done_,back_,fail_}},
  /* back */ {{stay_,down_,stay_,fail_,stay_,never,never,wait_,stay_,never,never,never,never}},
  /* done */ {{wait_,stay_,stay_,stay_,stay_,never,never,stay_,stay_,never,never,never,never}},
  /* fail */ {{wait_,stay_,stay_,stay_,stay_,never,never,stay_,stay_,never,never,never,never}},
}};
// clang-format on

// NOLINTEND(readability-identifier-naming)

constexpr bool holds(auto property) {
  for (size_t s = 0; s < kStates; ++s) {
    for (size_t e = 0; e < kEvents; ++e) {
      const Cell& cell = kTable[s][e];
      const State next = cell.stays ? static_cast<State>(s) : cell.next;
      if (!property(static_cast<State>(s), static_cast<Event>(e), next, cell.action)) return false;
    }
  }
  return true;
}
}  // namespace table

constexpr bool ends(State state) {
  return state == State::stopping || state == State::killing || state == State::cleaning;
}

constexpr bool has_process(State state) {
  return state == State::starting || state == State::up || state == State::stopping ||
         state == State::killing;
}

// Nothing of it runs, and nothing will unless it is asked for.
constexpr bool at_rest(State state) {
  return state == State::down || state == State::done || state == State::failed;
}

constexpr const Cell& lookup(State state, Event event) {
  return table::kTable[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

static_assert(table::holds([](State, Event, State, Action action) {
                return action != Action::unset;
              }),
              "every cell is filled");
static_assert(table::holds([](State from, Event event, State to, Action action) {
                if (action == Action::impossible || !has_process(from)) return true;
                const bool ends = event == Event::exited || event == Event::spawn_failed;
                return has_process(to) ? !ends : ends && action == Action::sweep;
              }),
              "a process is left behind only when it has ended, and its rest is swept up");
static_assert(table::holds([](State from, Event, State to, Action action) {
                return (has_process(to) && !has_process(from)) == (action == Action::spawn);
              }),
              "a process comes into being in one way");
static_assert(table::holds([](State from, Event event, State to, Action) {
                return event != Event::want_down || at_rest(to) || to == State::stopping ||
                       from == State::killing || from == State::cleaning;
              }),
              "from every state, a stop leads towards rest");

}  // namespace copal
