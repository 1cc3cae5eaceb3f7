// PID 1's loop: waits for the kernel, tells the Supervisor, and does what the Supervisor asks for.
//
// One thread, one epoll, nothing that waits. Each service has a pidfd, so that no end is missed or
// mistaken for another; in each turn ends come first, so that nothing is done to what is gone.
#pragma once

#include <array>
#include <span>

#include "core/arena.h"
#include "core/request.h"
#include "core/supervisor.h"
#include "init/button.h"
#include "init/control.h"
#include "init/load.h"
#include "init/recovery.h"
#include "init/shutdown.h"
#include "init/watchdog.h"
#include "launch/child.h"
#include "sys/log.h"

namespace copal {

class Runner final : public World {
 public:
  Runner(Services& services, sys::Fd cgroups, Recovery& recovery, const sys::Log& log,
         Arena& arena);

  Status prepare();
  Ending run();
  Watchdog& watchdog() { return watchdog_; }

  // World
  Status spawn(Index i) override;
  void send_signal(Index i, int signal) override;
  void slay(Index i) override;
  bool sweep(Index i, bool kill) override;
  void changed(Index i, State from, State to, Event why, Duration delay) override;
  void impossible(Index i, State state, Event event) override;

 private:
  // What a descriptor in the epoll set belongs to. From `child` on, to one run of a service.
  enum class Source : uint8_t {
    signals,
    timer,
    button,
    listener,
    client,
    notify,
    child,
    status,
    ready,
    probe,
    cgroup
  };

  struct Process {
    launch::Plan plan;
    sys::Pipe output;  // both ends are kept, so that the log may restart and lose nothing
    sys::Fd notify;
    sys::Fd cgroup;
    bool cgroup_used_up = false;
    // Of the current run; `generation` tells events of the last one from it.
    uint32_t generation = 0;
    int pid = 0;
    sys::Fd pidfd;
    sys::Fd status;      // open until the program has been executed
    sys::Fd ready;       // a newline here means that it is ready
    sys::Fd status_out;  // the child's ends of both, until it has opened them itself
    sys::Fd ready_out;
    sys::Fd probe;          // a connection being tried
    sys::Fd cgroup_events;  // open while the rest of the cgroup is dying
    Time next_probe = kNever;
  };

  // prepare_log.cc
  void open_for_log();
  Status prepare_log();

  // start.cc
  Status prepare_service(Index i);
  Status add_notify_variables(const Spec& spec, launch::Plan& plan);
  Status open_cgroup(Index i);
  Status watch_child(Index i);
  void remember(Index i);
  void go_on();

  // readiness.cc
  Status open_notify(Index i);
  void on_status(Index i);
  void on_notify(Index i);
  [[nodiscard]] bool is_of(Index i, pid_t pid) const;
  void say_for(Index i, std::string_view what, std::string_view text);
  void on_ready(Index i);
  void on_probe(Index i);
  void start_probes();
  void start_probe(Index i);
  void is_ready(Index i);

  // end.cc
  void reap(Index i);
  void reap_orphans();
  Status kill_cgroup(Index i);
  Status terminate_cgroup(Index i);
  void send_to_main(Index i, int signal);
  bool cgroup_populated(Index i);
  void on_cgroup(Index i);

  // control.cc
  void on_listener(bool obeys);
  void on_client(size_t n);
  bool tell_of(Index i);
  std::string_view tell(size_t from);
  const char* obey(const Request& request);

  // runner.cc
  Status control(int operation, const sys::Fd& fd, Source source, Index i, uint32_t events);
  Status watch(const sys::Fd& fd, Source source, Index i, uint32_t events);
  // The same descriptor, for something else.
  Status rewatch(const sys::Fd& fd, Source source, Index i, uint32_t events);
  void unwatch(sys::Fd& fd);
  void arm_timer(bool more_work);
  void handle(Source source, Index i);
  void on_signals();
  void begin_shutdown(Ending ending, std::string_view reason);
  void advance_shutdown();
  bool others_left();

  Services& services_;
  sys::Fd cgroups_;
  Recovery& recovery_;
  const sys::Log& log_;
  Arena& arena_;
  Supervisor supervisor_;
  std::span<Process> processes_;
  std::array<sys::Fd, kMaxButtons> buttons_;
  sys::Fd kernel_log_;  // these two are the log's, and kept for when it is restarted
  sys::Fd log_clients_;
  sys::Fd epoll_;
  sys::Fd signals_;
  sys::Fd timer_;
  Time armed_ = kNever;
  Time now_{};
  bool orphans_left_ = true;  // there may be some from before
  Shutdown shutdown_;
  Watchdog watchdog_;
  Control control_;
  Answer answer_;
};

}  // namespace copal
