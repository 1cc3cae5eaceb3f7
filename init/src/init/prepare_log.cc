// What the log service gets from PID 1: as nobody, and confined, it can open nothing itself.
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>

#include "init/machine.h"
#include "init/runner.h"

namespace copal {

// After a fault of PID 1 they are the ones that the log has.
void Runner::open_for_log() {
  kernel_log_.reset(recovery_.kernel_log());
  log_clients_.reset(recovery_.log_clients());
  if (recovery_.recovering()) return;
  auto kernel_log = sys::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (kernel_log.ok()) kernel_log_ = std::move(*kernel_log);
  auto clients = sys::listen_at("/run/init/log", SOCK_STREAM, 0);
  if (clients.ok()) log_clients_ = std::move(*clients);
  if (!clients.ok()) log_.fail(sys::Level::error, "/run/init/log", clients.error());
  recovery_.kernel_log() = kernel_log_.get();
  recovery_.log_clients() = log_clients_.get();
}

// It is told as arguments which descriptor belongs to whom (`12:nomad`), and what the kernel's
// command line has for it.
Status Runner::prepare_log() {
  const Spec& spec = services_.specs[kLogService];
  constexpr size_t kOthers = 4;
  size_t words = spec.argv.size() - 1;
  const std::span<const char*> argv =
      arena_.make<const char*>(words + processes_.size() + kOthers + 1);
  const std::span<int> keep = arena_.make<int>(processes_.size() + kOthers);
  if (argv.empty() || keep.empty()) return Error{ENOMEM, "prepare"};
  std::copy_n(spec.argv.begin(), words, argv.begin());
  size_t kept = 0;
  bool memory = true;
  const auto add = [&](const Line& word) {
    argv[words] = arena_.copy(word.text()).data();
    memory = memory && argv[words++];
  };
  const auto hand_over = [&](const sys::Fd& fd, const Line& name) {
    if (!fd.open()) return;
    keep[kept++] = fd.get();
    add(Line(fd.get(), ":", name.text()));
  };
  for (size_t i = 0; i < processes_.size(); ++i) {
    hand_over(processes_[i].output.in,
              Line(services_.specs[i].name, ":", services_.specs[i].log_rate));
  }
  open_for_log();
  hand_over(kernel_log_, Line("@kernel"));
  hand_over(log_clients_, Line("@clients"));
  for (const std::string_view key : {"copal.console", "copal.log"}) {
    const Line value = boot_argument(key);
    if (!value.text().empty()) add(Line(key, "=", value.text()));
  }
  if (!memory) return Error{ENOMEM, "prepare"};
  processes_[kLogService].plan.argv = argv.data();
  processes_[kLogService].plan.keep = keep.first(kept);
  return {};
}

}  // namespace copal
