// How much a service could do if somebody else took it over: a number from 0 (nothing) to 10 (all
// that root can), as `systemd-analyze security` gives one. Each thing that is open to it has a
// weight; together they are 100. It compares services and keeps them from getting worse; it proves
// nothing.
#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "applet/applet.h"
#include "core/text.h"
#include "init/load.h"

namespace copal {
namespace {

class Silent final : public Reporter {
 public:
  void problem(const Place&, std::string_view) override { good_ = false; }
  [[nodiscard]] bool good() const { return good_; }

 private:
  bool good_ = true;
};

struct Weight {
  std::string_view capability;
  int weight;
};
// What leads to all others, or past the kernel, weighs most. All that is not named weighs 1.
constexpr std::array kWeights = {Weight{"sys_admin", 12},   Weight{"sys_module", 12},
                                 Weight{"sys_rawio", 12},   Weight{"sys_ptrace", 4},
                                 Weight{"dac_override", 4}, Weight{"setuid", 3},
                                 Weight{"setgid", 3},       Weight{"dac_read_search", 3},
                                 Weight{"mknod", 3},        Weight{"net_admin", 3},
                                 Weight{"bpf", 3},          Weight{"setfcap", 3},
                                 Weight{"sys_boot", 3},     Weight{"sys_time", 3},
                                 Weight{"fowner", 2},       Weight{"chown", 2},
                                 Weight{"setpcap", 2},      Weight{"perfmon", 2}};

// A sum with its reasons, the heaviest things first as they are added.
class Score {
 public:
  void add(int weight, std::string_view reason) {
    if (weight == 0) return;
    total_ += weight;
    reasons_.add(reasons_.text().empty() ? "" : ", ").add(reason);
  }
  [[nodiscard]] int total() const { return total_; }
  [[nodiscard]] std::string_view reasons() const { return reasons_.text(); }

 private:
  int total_ = 0;
  Line reasons_;
};

int weight_of_caps(uint64_t caps) {
  int sum = 0;
  for (size_t n = 0; n < kCapabilities; ++n) {
    if ((caps >> n & 1) == 0) continue;
    const auto same = [&](const Weight& row) { return row.capability == capability_name(n); };
    const auto* const row = std::find_if(kWeights.begin(), kWeights.end(), same);
    sum += row == kWeights.end() ? 1 : row->weight;
  }
  return std::min(sum, 20);
}

int weight_of_filter(std::string_view profile) {
  if (profile == "service") return 0;
  return profile.empty() ? 12 : profile == "container-manager" ? 8 : profile == "mount" ? 4 : 1;
}

int weight_of_writing(const Confinement& view) {
  int sum = 0;
  for (const char* path : view.write) {
    const std::string_view text(path);
    const bool broad = text.find('/', 1) == std::string_view::npos || text.starts_with("/sys/");
    sum += text == "/" ? 6 : broad ? 2 : 1;
  }
  return std::min(sum, 6);
}

Score score(const Spec& spec) {
  const Confinement& what = spec.confinement;
  Score score;
  score.add(spec.account.user == 0 ? 15 : 0, "root");
  score.add(weight_of_caps(what.caps), "capabilities");
  score.add(what.own_mounts ? 0 : 14 + 6 + 8 + 4, "the machine's mounts");
  score.add(weight_of_filter(what.seccomp), "system calls");
  score.add(what.new_privs ? 6 : 0, "new privileges");
  score.add((what.namespaces & CLONE_NEWNET) != 0 ? 0 : 6, "network");
  score.add(what.landlock ? 0 : 5, "no Landlock");
  if (what.own_mounts) {
    score.add(weight_of_writing(what), "files to write");
    const bool all = what.devices == Devices::all;
    score.add(all ? 8 : std::min<int>(static_cast<int>(what.nodes.size()), 4), "devices");
    score.add(what.own_proc ? 0 : 4, "others' processes");
  }
  score.add(spec.limits.memory == 0 ? 2 : 0, "no limit of memory");
  score.add(spec.limits.pids == kUnlimited ? 2 : 0, "no limit of processes");
  return score;
}

}  // namespace

int run_security(std::span<char*> arguments) {
  const char* const path = arguments.empty() ? "" : arguments[0];
  auto dir = sys::open(path, O_RDONLY | O_DIRECTORY);
  auto memory = sys::reserve(size_t{64} << 20);
  if (arguments.size() != 2 || !dir.ok() || !memory.ok()) return 2;
  Arena arena(*memory);
  Silent reporter;
  Services services;
  const Image image = open_image(arguments[1], arena);
  const Status loaded = load_services(*dir, path, &image, arena, reporter, services);
  if (!loaded.ok() || !reporter.good()) return 1;
  for (const Spec& spec : services.specs) {
    const Score result = score(spec);
    Line name(spec.name);
    while (name.text().size() < 20) name.add(" ");
    const Line line(name.text(), " ", result.total() / 10, ".", result.total() % 10, "  ",
                    result.reasons(), "\n");
    (void)!write(1, line.text().data(), line.text().size());
  }
  return 0;
}

}  // namespace copal
