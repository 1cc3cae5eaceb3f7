// PID 1's loop: waits for the kernel, tells the Supervisor, and does what the Supervisor asks for.
//
// One thread, one epoll, nothing that waits. Each service has a pidfd, so that no end is missed or
// mistaken for another; in each turn ends come first, so that nothing is done to what is gone.
#pragma once

#include <array>
#include <span>

#include "core/arena.h"
#include "core/supervisor.h"
#include "init/button.h"
#include "init/load.h"
#include "init/shutdown.h"
#include "launch/child.h"
#include "sys/log.h"

namespace copal {

class Runner final : public World {
 public:
  Runner(Services& services, sys::Fd cgroups, const sys::Log& log, Arena& arena);

  Status prepare();
  Ending run();

  // World
  Status spawn(Index i) override;
  void send_signal(Index i, int signal) override;
  void slay(Index i) override;
  bool sweep(Index i) override;
  void changed(Index i, State from, State to, Event why, Duration delay) override;
  void impossible(Index i, State state, Event event) override;

 private:
  // What a descriptor in the epoll set belongs to.
  enum class Source : uint8_t { signals, timer, button, child, status, notify, probe, cgroup };

  struct Process {
    launch::Plan plan;
    sys::Pipe output;  // both ends are kept, so that the log may restart and lose nothing
    sys::Fd notify;
    sys::Fd cgroup;
    // Of the current run; `generation` tells events of the last one from it.
    uint32_t generation = 0;
    int pid = 0;
    sys::Fd pidfd;
    sys::Fd status;         // open until the program has been executed
    sys::Fd probe;          // a connection being tried
    sys::Fd cgroup_events;  // open while the rest of the cgroup is dying
    Time next_probe = kNever;
    Exit exit;
  };

  Status prepare_service(Index i);
  Status prepare_log();
  Status open_notify(Index i);

  Status watch(const sys::Fd& fd, Source source, Index i, uint32_t events);
  void unwatch(sys::Fd& fd);
  void arm_timer(bool more_work);
  void handle(Source source, Index i);
  void on_signals();
  void on_status(Index i);
  void on_notify(Index i);
  void on_probe(Index i);
  void on_cgroup(Index i);
  void start_probes();
  void reap(Index i);
  void reap_orphans();
  bool cgroup_populated(Index i);
  void begin_shutdown(Ending ending, std::string_view reason);
  void advance_shutdown();

  Services& services_;
  sys::Fd cgroups_;
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
};

}  // namespace copal
