// The table's invariants are checked when it is compiled. Here are its readings: the ways a service
// may go, told as stories.
#include "core/machine.h"

#include "helpers.h"

namespace copal {
namespace {

State after(State state, std::initializer_list<Event> events) {
  for (const Event event : events) {
    const Cell& cell = lookup(state, event);
    EXPECT_NE(cell.action, Action::impossible)
        << kEventNames[static_cast<size_t>(event)] << " while "
        << kStateNames[static_cast<size_t>(state)];
    if (!cell.stays) state = cell.next;
  }
  return state;
}

TEST(Machine, AServicesLife) {
  EXPECT_EQ(after(State::down, {Event::want_up, Event::deps_ready, Event::ready}), State::up);
  EXPECT_EQ(after(State::up, {Event::want_down, Event::exited, Event::emptied, Event::stopped}),
            State::down);
}

TEST(Machine, ACrash) {
  EXPECT_EQ(after(State::up, {Event::exited, Event::timeout, Event::restart, Event::timeout}),
            State::waiting);
  EXPECT_EQ(after(State::starting, {Event::exited, Event::emptied, Event::give_up}), State::failed);
}

TEST(Machine, ATask) {
  EXPECT_EQ(
      after(State::waiting, {Event::deps_ready, Event::exited, Event::emptied, Event::finished}),
      State::done);
}

TEST(Machine, LateNewsChangesNothing) {
  for (const State state : {State::stopping, State::killing, State::cleaning, State::backoff,
                            State::down, State::done, State::failed}) {
    EXPECT_EQ(after(state, {Event::ready}), state);
  }
}

TEST(Machine, DeafServicesAreKilledAgain) {
  EXPECT_EQ(after(State::up, {Event::want_down, Event::timeout, Event::timeout, Event::timeout}),
            State::killing);
}

}  // namespace
}  // namespace copal
