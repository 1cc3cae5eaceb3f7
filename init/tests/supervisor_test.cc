// The Supervisor in a simulated machine: stories with a fixed outcome, and then chaos, in which
// services do whatever they like for hours of simulated time while invariants are watched.
#include "core/supervisor.h"

#include "helpers.h"

namespace copal {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string kRun = "run = /x\nuser = root\n";
const std::string kTask = "task = /x\nuser = root\n";

class Simulation final : public World {
 public:
  explicit Simulation(std::map<std::string, std::string> files, uint32_t seed = 1)
      : loaded_(std::move(files)),
        supervisor_(loaded_.specs, loaded_.graph, *this, loaded_.memory.arena(), seed),
        processes_(loaded_.specs.size()) {
    EXPECT_TRUE(supervisor_.ok());
    supervisor_.start_all(now_);
    settle();
  }

  // World
  Status spawn(Index i) override {
    Process& process = processes_[i];
    EXPECT_FALSE(process.alive) << name(i) << " runs twice";
    EXPECT_TRUE(!shutdown_ || loaded_.specs[i].when == When::shutdown)
        << name(i) << " starts in a shutdown";
    EXPECT_FALSE(process.leftovers && loaded_.specs[i].kill == Kill::tree && !process.given_up)
        << name(i) << " starts before its last run is swept up";
    for (const Index need : loaded_.graph[i].needs) {
      const State state = supervisor_.state(need);
      EXPECT_TRUE(state == State::up || state == State::done) << name(i) << " is early";
    }
    ++process.spawns;
    if (fail_spawns) return Error{EAGAIN, "test"};
    process.alive = true;
    log += name(i) + "+ ";
    return {};
  }
  void send_signal(Index i, int) override {
    EXPECT_TRUE(processes_[i].alive);
    // What is not up may also be stopped because it took too long.
    if (shutdown_ && processes_[i].up && !loaded_.specs[i].last) {
      for (const Index waiter : loaded_.graph[i].waiters) {
        EXPECT_FALSE(processes_[waiter].alive) << name(i) << " is stopped before " << name(waiter);
      }
    }
    log += name(i) + "- ";
  }
  void slay(Index i) override {
    EXPECT_TRUE(processes_[i].alive);
    processes_[i].slain = true;
    log += name(i) + "! ";
  }
  bool sweep(Index i, bool kill) override {
    EXPECT_FALSE(processes_[i].alive);
    if (processes_[i].leftovers) log += name(i) + (kill ? "~! " : "~ ");
    return !processes_[i].leftovers;
  }
  void changed(Index i, State from, State to, Event, Duration) override {
    EXPECT_NE(from, to);
    if (to == State::up) processes_[i].up = true;
    if (from == State::cleaning) processes_[i].given_up = true;
    EXPECT_TRUE(processes_[i].alive || !has_process(to) || to == State::starting);
  }
  void impossible(Index i, State state, Event event) override {
    ADD_FAILURE() << name(i) << ": " << kEventNames[static_cast<size_t>(event)] << " while "
                  << kStateNames[static_cast<size_t>(state)];
  }

  // What the tests do
  void ready(const char* who) { ready(loaded_[who]); }
  void exit(const char* who, int code) { exit(loaded_[who], Exit{code, false}); }
  void ready(Index i) {
    supervisor_.event(i, Event::ready, now_);
    settle();
  }
  void exit(Index i, Exit exit) {
    Process& process = processes_[i];
    EXPECT_TRUE(process.alive);
    process = Process{.leftovers = process.leftovers, .spawns = process.spawns};
    supervisor_.exited(i, exit, now_);
    settle();
  }
  void emptied(Index i) {
    processes_[i].leftovers = false;
    supervisor_.event(i, Event::emptied, now_);
    settle();
  }
  void start(const char* who) { start(loaded_[who]); }
  void stop(const char* who) { stop(loaded_[who]); }
  void restart(const char* who) { restart(loaded_[who]); }
  void start(Index i) {
    supervisor_.start(i, now_);
    settle();
  }
  void stop(Index i) {
    supervisor_.stop(i, now_);
    settle();
  }
  void restart(Index i) {
    supervisor_.restart(i, now_);
    settle();
  }
  void feed(Index i) { supervisor_.feed(i, now_); }
  void feed(const char* who) { feed(loaded_[who]); }
  void extend(Index i, Duration more) { supervisor_.extend(i, more, now_); }
  void extend(const char* who, Duration more) { extend(loaded_[who], more); }
  void is_last(const char* who) { loaded_.specs[loaded_[who]].last = true; }
  void leave_something(const char* who) { processes_[loaded_[who]].leftovers = true; }
  void shutdown() {
    supervisor_.stop_all(now_);
    shutdown_ = true;
    settle();
  }
  void pass(Duration time) {
    const Time end = now_ + time;
    while (supervisor_.next_deadline() <= end) {
      now_ = std::max(now_, supervisor_.next_deadline());
      supervisor_.tick(now_);
      settle();
    }
    now_ = end;
  }
  void settle() {
    int turns = 0;
    do {
      supervisor_.work(now_, 4);
      ASSERT_LT(++turns, 1000) << "work without end";
    } while (supervisor_.has_work());
  }

  State state(const char* who) const { return supervisor_.state(loaded_[who]); }
  const Spec& spec(Index i) const { return loaded_.specs[i]; }
  int spawns(const char* who) const { return processes_[loaded_[who]].spawns; }
  Supervisor& supervisor() { return supervisor_; }
  Time now() const { return now_; }
  size_t size() const { return processes_.size(); }
  bool alive(Index i) const { return processes_[i].alive; }
  bool slain(Index i) const { return processes_[i].slain; }
  bool leftovers(Index i) const { return processes_[i].leftovers; }
  void set_leftovers(Index i, bool value) { processes_[i].leftovers = value; }
  std::string name(Index i) const { return std::string(loaded_.specs[i].name); }

  std::string log;
  bool fail_spawns = false;

 private:
  struct Process {
    bool alive = false;
    bool up = false;
    bool slain = false;
    bool leftovers = false;
    bool given_up = false;  // its leftovers did not end in time
    int spawns = 0;
  };

  Loaded loaded_;
  Time now_{1000};
  bool shutdown_ = false;
  Supervisor supervisor_;
  std::vector<Process> processes_;
};

TEST(Supervisor, StartsInOrderAndStopsInReverse) {
  Simulation sim({{"a", kRun}, {"b", kRun + "needs = a\n"}, {"c", kRun + "after = b\n"}});
  EXPECT_EQ(sim.log, "a+ ");
  sim.ready("a");
  sim.ready("b");
  sim.ready("c");
  EXPECT_EQ(sim.log, "a+ b+ c+ ");
  sim.shutdown();
  EXPECT_EQ(sim.log, "a+ b+ c+ c- ");
  sim.exit("c", 0);
  sim.exit("b", 0);
  sim.exit("a", 0);
  EXPECT_EQ(sim.log, "a+ b+ c+ c- b- a- ");
  EXPECT_TRUE(sim.supervisor().all_at_rest());
  EXPECT_EQ(sim.supervisor().next_deadline(), kNever);
}

TEST(Supervisor, StartsInParallel) {
  Simulation sim({{"a", kRun}, {"b", kRun}, {"c", kRun}, {"d", kRun}, {"e", kRun}, {"f", kRun}});
  EXPECT_EQ(sim.log, "a+ b+ c+ d+ e+ f+ ");
}

TEST(Supervisor, SpreadsSpawnsOverTurns) {
  Loaded loaded({{"a", kRun}, {"b", kRun}, {"c", kRun}});
  struct Counter final : World {
    Status spawn(Index) override {
      ++spawns;
      return {};
    }
    void send_signal(Index, int) override {}
    void slay(Index) override {}
    bool sweep(Index, bool) override { return true; }
    void changed(Index, State, State, Event, Duration) override {}
    void impossible(Index, State, Event) override {}
    int spawns = 0;
  } world;
  Supervisor supervisor(loaded.specs, loaded.graph, world, loaded.memory.arena(), 1);
  supervisor.start_all(Time{});
  supervisor.work(Time{}, 2);
  EXPECT_TRUE(supervisor.has_work());
  EXPECT_EQ(world.spawns, 2);
  supervisor.work(Time{}, 2);
  EXPECT_FALSE(supervisor.has_work());
  EXPECT_EQ(world.spawns, 3);
}

// A bug of whoever calls: it is told, and nothing else happens.
TEST(Supervisor, SaysWhatIsImpossible) {
  Loaded loaded({{"a", kRun}, {"b", kRun + "needs = a\n"}});
  struct Listener final : World {
    Status spawn(Index) override { return {}; }
    void send_signal(Index, int) override {}
    void slay(Index) override {}
    bool sweep(Index, bool) override { return true; }
    void changed(Index, State, State, Event, Duration) override {}
    void impossible(Index i, State state, Event event) override {
      EXPECT_EQ(i, 1);
      EXPECT_EQ(state, State::waiting);
      EXPECT_EQ(event, Event::exited);
      ++times;
    }
    int times = 0;
  } world;
  Supervisor supervisor(loaded.specs, loaded.graph, world, loaded.memory.arena(), 1);
  supervisor.start_all(Time{});
  supervisor.exited(1, Exit{}, Time{});
  EXPECT_EQ(world.times, 1);
  EXPECT_EQ(supervisor.state(1), State::waiting);
}

TEST(Supervisor, RestartDoesNotTouchWhoNeedsIt) {
  Simulation sim({{"a", kRun}, {"b", kRun + "needs = a\n"}});
  sim.ready("a");
  sim.ready("b");
  sim.exit("a", 1);
  EXPECT_EQ(sim.state("a"), State::backoff);
  EXPECT_EQ(sim.state("b"), State::up);
  sim.exit("b", 1);
  sim.pass(seconds(1));
  EXPECT_EQ(sim.state("a"), State::starting);
  EXPECT_EQ(sim.state("b"), State::waiting);
  sim.ready("a");
  EXPECT_EQ(sim.state("b"), State::starting);
}

TEST(Supervisor, FailureSpreads) {
  Simulation sim({{"a", kRun + "restart = never\n"},
                  {"b", kRun + "needs = a\n"},
                  {"c", kRun + "needs = b\n"},
                  {"d", kRun + "after = a\n"}});
  sim.ready("a");
  sim.ready("b");
  sim.exit("a", 1);
  EXPECT_EQ(sim.state("a"), State::failed);
  EXPECT_EQ(sim.state("b"), State::stopping);
  sim.exit("b", 0);
  EXPECT_EQ(sim.state("b"), State::failed);
  EXPECT_EQ(sim.state("c"), State::stopping);
  sim.exit("c", 0);
  EXPECT_EQ(sim.state("c"), State::failed);
  EXPECT_EQ(sim.state("d"), State::starting);
}

TEST(Supervisor, WhatFailedForWhatItNeedsComesBackWithThat) {
  Simulation sim({{"a", kRun + "restart = never\n"},
                  {"b", kRun + "needs = a\n"},
                  {"c", kRun + "needs = b\n"}});
  sim.exit("a", 1);
  EXPECT_EQ(sim.state("c"), State::failed);
  sim.start("a");
  EXPECT_EQ(sim.state("b"), State::waiting);
  sim.ready("a");
  sim.ready("b");
  EXPECT_EQ(sim.state("c"), State::starting);
  // While it is still stopping, too.
  sim.exit("a", 1);
  EXPECT_EQ(sim.state("b"), State::stopping);
  sim.start("a");
  sim.ready("a");
  sim.exit("b", 0);
  EXPECT_EQ(sim.state("b"), State::starting);
}

TEST(Supervisor, AfterWaitsForOneTry) {
  Simulation sim({{"a", kRun + "ready = notify\n"}, {"b", kRun + "after = a\n"}});
  EXPECT_EQ(sim.state("b"), State::waiting);
  sim.exit("a", 1);
  EXPECT_EQ(sim.state("b"), State::starting);
}

TEST(Supervisor, GivesUp) {
  Simulation sim({{"a", kRun + "restart = always 10ms..10ms\ngive-up = 3 in 1m\n"}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(sim.state("a"), State::starting);
    sim.exit("a", 1);
    sim.pass(milliseconds(20));
  }
  EXPECT_EQ(sim.state("a"), State::failed);
}

TEST(Supervisor, Tasks) {
  Simulation sim({{"t", kTask}, {"u", kRun + "needs = t\n"}});
  sim.pass(minutes(60));  // a task may take its time
  EXPECT_EQ(sim.state("t"), State::starting);
  EXPECT_EQ(sim.state("u"), State::waiting);
  sim.exit("t", 0);
  EXPECT_EQ(sim.state("t"), State::done);
  EXPECT_EQ(sim.state("u"), State::starting);
  EXPECT_EQ(sim.spawns("t"), 1);
}

TEST(Supervisor, TaskThatFailsIsTriedAgainIfItSaysSo) {
  Simulation sim({{"t", kTask + "restart = on-failure 1s..1s\n"}, {"v", kTask}});
  sim.exit("t", 1);
  sim.exit("v", 1);
  EXPECT_EQ(sim.state("t"), State::backoff);
  EXPECT_EQ(sim.state("v"), State::failed);
  sim.pass(seconds(2));
  sim.exit("t", 0);
  EXPECT_EQ(sim.state("t"), State::done);
}

TEST(Supervisor, OnFailure) {
  Simulation sim({{"a", kRun + "restart = on-failure\n"}, {"b", kRun + "needs = a\n"}});
  sim.exit("a", 0);  // it ended well, but before it was ready
  EXPECT_EQ(sim.state("a"), State::backoff);
  sim.pass(seconds(1));
  sim.ready("a");
  EXPECT_EQ(sim.state("b"), State::starting);
  sim.exit("a", 0);
  EXPECT_EQ(sim.state("a"), State::done);
  EXPECT_EQ(sim.state("b"), State::stopping);  // nobody serves it now
}

TEST(Supervisor, NotReadyInTime) {
  Simulation sim({{"a", kRun + "ready = notify 5s\nstop = TERM 2s\n"}});
  sim.pass(milliseconds(4999));
  EXPECT_EQ(sim.state("a"), State::starting);
  sim.pass(milliseconds(1));
  EXPECT_EQ(sim.state("a"), State::stopping);
  sim.ready("a");  // too late
  EXPECT_EQ(sim.state("a"), State::stopping);
  sim.pass(seconds(2));
  EXPECT_EQ(sim.log, "a+ a- a! ");
  sim.pass(Supervisor::kKillLimit);
  EXPECT_EQ(sim.log, "a+ a- a! a! ");
  sim.exit("a", 0);
  EXPECT_EQ(sim.state("a"), State::backoff);
}

TEST(Supervisor, SweepsBeforeItRestarts) {
  Simulation sim({{"a", kRun + "restart = always 1ms..1ms\n"}});
  sim.leave_something("a");
  sim.exit("a", 1);
  EXPECT_EQ(sim.state("a"), State::cleaning);
  sim.emptied(0);
  sim.pass(milliseconds(1));
  EXPECT_EQ(sim.state("a"), State::starting);
}

TEST(Supervisor, AsksTheRestThenKillsItAndDoesNotWaitForever) {
  Simulation sim({{"a", kRun + "stop = INT 5s\n"}});
  sim.leave_something("a");
  sim.exit("a", 1);
  sim.pass(milliseconds(4999));
  EXPECT_EQ(sim.log, "a+ a~ ");
  sim.pass(milliseconds(1));
  EXPECT_EQ(sim.log, "a+ a~ a~! ");
  EXPECT_EQ(sim.state("a"), State::cleaning);
  sim.pass(Supervisor::kSweepLimit);
  EXPECT_EQ(sim.state("a"), State::backoff);
}

TEST(Supervisor, StopHasOneLimitForAll) {
  Simulation sim({{"a", kRun + "stop = INT 5s\n"}});
  sim.ready("a");
  sim.leave_something("a");
  sim.stop("a");
  sim.pass(seconds(3));
  sim.exit("a", 0);
  sim.pass(milliseconds(1999));
  EXPECT_EQ(sim.log, "a+ a- a~ ");
  sim.pass(milliseconds(1));
  EXPECT_EQ(sim.log, "a+ a- a~ a~! ");
  sim.emptied(0);
  EXPECT_EQ(sim.state("a"), State::down);
}

TEST(Supervisor, WhatIsLeftOfAKilledOneIsKilled) {
  Simulation sim({{"a", kRun + "stop = INT 5s\n"}});
  sim.ready("a");
  sim.leave_something("a");
  sim.stop("a");
  sim.pass(seconds(5));
  sim.exit("a", 0);
  EXPECT_EQ(sim.log, "a+ a- a! a~! ");
}

TEST(Supervisor, LeavesTheTreeAloneIfItSaysSo) {
  Simulation sim({{"a", kRun + "kill = main\n"}});
  sim.leave_something("a");
  sim.exit("a", 1);
  EXPECT_EQ(sim.state("a"), State::backoff);
}

TEST(Supervisor, SpawnFails) {
  Simulation sim({{"a", kRun}, {"b", kRun + "needs = a\n"}});
  sim.ready("a");
  sim.fail_spawns = true;
  sim.exit("a", 1);
  sim.pass(seconds(60));
  EXPECT_GT(sim.spawns("a"), 5);
  sim.fail_spawns = false;
  sim.pass(seconds(40));
  EXPECT_EQ(sim.state("a"), State::starting);
}

TEST(Supervisor, BadFilesHaveFailed) {
  Simulation sim({{"a", "nonsense\n"}, {"b", kRun + "needs = a\n"}, {"c", kRun + "after = a\n"}});
  EXPECT_EQ(sim.state("a"), State::failed);
  EXPECT_EQ(sim.state("b"), State::failed);
  EXPECT_EQ(sim.state("c"), State::starting);
}

TEST(Supervisor, OperatorStopsWhatNeedsItAndStartsWhatItNeeds) {
  Simulation sim({{"a", kRun}, {"b", kRun + "needs = a\n"}, {"c", kRun + "after = a\n"}});
  sim.ready("a");
  sim.ready("b");
  sim.ready("c");
  sim.log.clear();
  sim.stop("a");
  EXPECT_EQ(sim.log, "b- ");
  sim.exit("b", 0);
  sim.exit("a", 0);
  EXPECT_EQ(sim.log, "b- a- ");
  EXPECT_EQ(sim.state("a"), State::down);
  EXPECT_EQ(sim.state("c"), State::up);
  sim.start("b");
  sim.ready("a");
  sim.ready("b");
  EXPECT_EQ(sim.log, "b- a- a+ b+ ");
  EXPECT_EQ(sim.state("b"), State::up);
}

// Each needs both of the two before: 2^40 ways down, which must not all be walked.
TEST(Supervisor, OperatorStartsWhatNeedsMuch) {
  std::map<std::string, std::string> files;
  for (int layer = 10; layer < 50; ++layer) {
    for (const char* side : {"a", "b"}) {
      const std::string before = std::to_string(layer - 1);
      files[side + std::to_string(layer)] =
          kRun + (layer > 10 ? "needs = a" + before + " b" + before + "\n" : "");
    }
  }
  Simulation sim(files);
  sim.stop("a10");
  sim.stop("b10");
  sim.exit("a10", 0);
  sim.exit("b10", 0);
  sim.start("a49");
  EXPECT_EQ(sim.state("a10"), State::starting);
  EXPECT_EQ(sim.state("b49"), State::down);
  EXPECT_EQ(sim.state("a49"), State::waiting);
}

TEST(Supervisor, OperatorStartsWhatHasFailed) {
  Simulation sim(
      {{"a", kRun + "restart = never\n"}, {"b", kRun + "needs = a\n"}, {"bad", "nonsense\n"}});
  sim.exit("a", 1);
  EXPECT_EQ(sim.state("b"), State::failed);
  sim.start("b");
  EXPECT_EQ(sim.state("a"), State::starting);
  sim.ready("a");
  EXPECT_EQ(sim.state("b"), State::starting);
  sim.start("bad");
  EXPECT_EQ(sim.state("bad"), State::failed);
}

TEST(Supervisor, OperatorRestartsAtOnceAndTouchesNobodyElse) {
  Simulation sim({{"a", kRun + "restart = never\n"}, {"b", kRun + "needs = a\n"}});
  sim.ready("a");
  sim.ready("b");
  sim.log.clear();
  sim.restart("a");
  sim.exit("a", 1);
  sim.pass(Duration{});
  EXPECT_EQ(sim.log, "a- a+ ");
  EXPECT_EQ(sim.state("b"), State::up);
  sim.stop("a");
  sim.exit("b", 0);
  sim.exit("a", 0);
  sim.restart("a");
  EXPECT_EQ(sim.state("a"), State::starting);
}

// The operator's last word counts, also while the one before is being carried out.
TEST(Supervisor, OperatorChangesHisMind) {
  for (const char* word : {"start", "restart"}) {
    Simulation sim({{"a", kRun + "restart = on-failure\n"}});
    sim.ready("a");
    sim.stop("a");
    std::string_view(word) == "start" ? sim.start("a") : sim.restart("a");
    sim.exit("a", 0);
    sim.pass(Duration{});
    EXPECT_EQ(sim.state("a"), State::starting) << word;
    sim.ready("a");
    sim.restart("a");
    sim.stop("a");
    sim.exit("a", 0);
    sim.pass(seconds(1));
    EXPECT_EQ(sim.state("a"), State::down) << word;
  }
}

TEST(Supervisor, OperatorNeedNotWaitForTheNextTry) {
  for (const char* word : {"start", "restart"}) {
    Simulation sim({{"a", kRun + "restart = always 10m..10m\n"}});
    sim.exit("a", 1);
    EXPECT_EQ(sim.state("a"), State::backoff);
    std::string_view(word) == "start" ? sim.start("a") : sim.restart("a");
    sim.pass(Duration{});
    EXPECT_EQ(sim.state("a"), State::starting) << word;
  }
}

// It will have no turn: who comes after it does not wait for one.
TEST(Supervisor, OperatorStopsWhatOthersWaitFor) {
  Simulation sim({{"a", kRun + "ready = notify 1m\n"},
                  {"b", kRun + "needs = a\n"},
                  {"c", kRun + "after = b\n"}});
  EXPECT_EQ(sim.state("c"), State::waiting);
  sim.stop("b");
  EXPECT_EQ(sim.state("b"), State::down);
  EXPECT_EQ(sim.state("c"), State::starting);
}

TEST(Supervisor, WatchdogBitesWhatDoesNotFeedIt) {
  Simulation sim({{"a", kRun + "ready = notify\nwatchdog = 2s\n"}, {"b", kRun}});
  sim.ready("a");
  sim.ready("b");
  for (int i = 0; i < 3; ++i) {
    sim.pass(milliseconds(1500));
    sim.feed("a");
    sim.feed("b");
  }
  EXPECT_EQ(sim.state("a"), State::up);
  sim.pass(seconds(2));
  EXPECT_EQ(sim.state("a"), State::stopping);
  sim.feed("a");  // too late
  sim.exit("a", 0);
  EXPECT_EQ(sim.state("a"), State::backoff);  // a failure, however it ended
  EXPECT_EQ(sim.state("b"), State::up);
}

TEST(Supervisor, MoreTimeForTheAsking) {
  Simulation sim({{"a", kRun + "ready = notify 1s\nstop = TERM 1s\n"}, {"t", kTask}});
  sim.extend("a", seconds(5));
  sim.extend("a", seconds(2));  // never takes time away
  sim.extend("t", seconds(1));  // has no limit, and gets none
  sim.pass(milliseconds(4900));
  EXPECT_EQ(sim.state("a"), State::starting);
  EXPECT_EQ(sim.state("t"), State::starting);
  sim.ready("a");
  sim.extend("a", seconds(5));  // is up: nothing waits
  EXPECT_EQ(sim.supervisor().next_deadline(), kNever);
  sim.stop("a");
  sim.extend("a", seconds(3));
  sim.pass(milliseconds(2900));
  EXPECT_EQ(sim.state("a"), State::stopping);
  sim.extend("a", std::chrono::hours(24));
  sim.pass(Supervisor::kMostTime);
  EXPECT_EQ(sim.state("a"), State::killing);
}

TEST(Supervisor, TheEndHasThreeSteps) {
  Simulation sim({{"a", kRun}, {"late", kTask + "when = shutdown\n"}, {"log", kRun}});
  sim.is_last("log");
  sim.ready("a");
  sim.ready("log");
  sim.log.clear();
  sim.shutdown();
  EXPECT_EQ(sim.log, "a- ");
  sim.exit("a", 0);
  EXPECT_TRUE(sim.supervisor().all_at_rest());
  sim.supervisor().start_shutdown_tasks(sim.now());
  sim.settle();
  EXPECT_FALSE(sim.supervisor().all_at_rest());
  sim.exit("late", 0);
  EXPECT_TRUE(sim.supervisor().all_at_rest());
  EXPECT_FALSE(sim.supervisor().last_at_rest());
  sim.supervisor().stop_last();
  sim.settle();
  sim.exit("log", 0);
  EXPECT_EQ(sim.log, "a- late+ log- ");
  EXPECT_TRUE(sim.supervisor().last_at_rest());
}

// After a fault of PID 1, as recovery does it: a new Supervisor is told what the old one knew.
TEST(Supervisor, IsRestored) {
  Simulation sim(
      {{"a", kRun + "ready = notify\nwatchdog = 2s\n"}, {"b", kRun}, {"c", kRun + "needs = a\n"}});
  Supervisor& supervisor = sim.supervisor();
  Life life;
  life.wanted = true;
  life.state = State::up;
  supervisor.restore(0, life, sim.now());
  EXPECT_EQ(supervisor.life(0).deadline, sim.now() + seconds(2));
  life.state = State::waiting;
  supervisor.restore(2, life, sim.now());
  sim.log.clear();
  sim.settle();
  EXPECT_EQ(sim.log, "c+ ");
  sim.exit("b", 1);
  life.state = State::cleaning;
  life.exit.code = 1;
  supervisor.restore(1, life, sim.now());
  sim.pass(Duration{});
  EXPECT_EQ(sim.state("b"), State::backoff);
}

// All behave from now on: what an operator asks for has to come up.
void comes_up(Simulation& sim, Index asked) {
  sim.fail_spawns = false;
  const auto serves = [](State state) { return state == State::up || state == State::done; };
  for (int turn = 0; turn < 200 && !serves(sim.supervisor().state(asked)); ++turn) {
    // Again if the failure of what it needs was still on its way.
    if (turn == 0 || sim.supervisor().state(asked) == State::failed) sim.start(asked);
    for (Index i = 0; i < sim.size(); ++i) {
      const State state = sim.supervisor().state(i);
      if (sim.leftovers(i) && !sim.alive(i)) sim.emptied(i);
      if (sim.alive(i) && state == State::starting && sim.spec(i).kind == Kind::service)
        sim.ready(i);
      else if (sim.alive(i) && state != State::up)
        sim.exit(i, Exit{});
    }
    sim.pass(seconds(1));
  }
  EXPECT_TRUE(serves(sim.supervisor().state(asked))) << sim.name(asked) << " does not come up";
}

// Every service crashes, hangs, forks, recovers at random, and an operator meddles; then one of
// them is asked for; at a random time comes the shutdown.
// The Simulation watches: no two processes of one service, order of start and stop, no impossible
// event. Here: it comes to rest in bounded time.
void chaos(uint32_t seed) {
  Random random(seed);
  const auto chance = [&](uint32_t percent) { return random.next() % 100 < percent; };
  std::map<std::string, std::string> files;
  const size_t size = 1 + random.next() % 12;
  for (size_t i = 0; i < size; ++i) {
    const bool task = chance(25);
    std::string text = task ? kTask : kRun;
    for (size_t j = 0; j < i; ++j) {
      if (!chance(20)) continue;
      text += chance(60) ? "needs = " : "after = ";
      text += static_cast<char>('a' + j);
      text += '\n';
    }
    if (!task && chance(50)) text += "ready = notify 3s\n";
    if (chance(30)) text += "kill = main\n";
    const bool never = chance(20);
    if (never) text += "restart = never\n";
    if (!never && !task)
      text += chance(50) ? "restart = always 1ms..1s\n" : "restart = on-failure\n";
    if (!never && !task && chance(40)) text += "give-up = 4 in 30s\n";
    text += "stop = TERM 2s\n";
    files[std::string(1, static_cast<char>('a' + i))] = text;
  }
  Simulation sim(files, seed);
  const auto step = [&](uint32_t calm) {
    const auto i = static_cast<Index>(random.next() % sim.size());
    switch (random.next() % 9) {
      case 0: sim.ready(i); break;
      case 1:
        if (sim.alive(i) && !chance(calm)) sim.exit(i, Exit{chance(50) ? 0 : 9, chance(30)});
        break;
      case 2:
        if (sim.alive(i) && chance(20)) sim.set_leftovers(i, true);
        break;
      case 3:
        if (sim.leftovers(i) && !sim.alive(i)) sim.emptied(i);
        break;
      case 4: sim.fail_spawns = chance(10); break;
      case 5: chance(50) ? sim.start(i) : sim.restart(i); break;
      case 6:
        if (chance(30)) sim.stop(i);
        break;
      case 7: chance(50) ? sim.feed(i) : sim.extend(i, milliseconds(random.next() % 9000)); break;
      default: sim.pass(milliseconds(random.next() % 700)); break;
    }
  };
  for (uint32_t n = random.next() % 400; n > 0; --n) step(50);
  if (chance(50)) comes_up(sim, static_cast<Index>(random.next() % sim.size()));
  sim.shutdown();
  const Time begin = sim.now();
  // Now nobody obeys the stop signal, and SIGKILL takes effect sooner or later.
  while (!sim.supervisor().all_at_rest()) {
    sim.pass(milliseconds(100));
    for (Index i = 0; i < sim.size(); ++i) {
      if (sim.alive(i) && sim.slain(i) && chance(30)) sim.exit(i, Exit{9, true});
    }
    ASSERT_LT(sim.now() - begin, seconds(10) * static_cast<int>(size + 1)) << "seed " << seed;
  }
  EXPECT_EQ(sim.supervisor().next_deadline(), kNever);
}

TEST(Supervisor, SurvivesChaos) {
  for (uint32_t seed = 1; seed <= 3000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    chaos(seed);
  }
}

}  // namespace
}  // namespace copal
