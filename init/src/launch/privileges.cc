#include "launch/privileges.h"

#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace copal::launch {
namespace {

// linux/landlock.h grows with the kernel, and a build machine's may be older than the image's. The
// numbers are from Documentation/userspace-api/landlock.rst of Linux 6.12.
struct Ruleset {
  uint64_t files;
  uint64_t network;
  uint64_t scoped;
};
constexpr uint64_t kExecute = 1 << 0;
constexpr uint64_t kWriteFile = 1 << 1;
constexpr uint64_t kRead = 1 << 2 | 1 << 3;  // files and folders
constexpr uint64_t kTruncate = 1 << 14;
constexpr uint64_t kIoctl = 1 << 15;
constexpr uint64_t kOfFiles = kExecute | kWriteFile | 1 << 2 | kTruncate | kIoctl;
constexpr uint64_t kScopedSignal = 1 << 1;

// What each version knows of, from the first on.
constexpr std::array<uint64_t, 5> kKnown = {(1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1,
                                            (1 << 15) - 1, (1 << 16) - 1};
constexpr int kWithScopes = 6;

bool allow(const sys::Fd& ruleset, const char* path, uint64_t access) {
  const sys::Fd at(open(path, O_PATH | O_CLOEXEC));
  struct stat info {};
  if (!at.open() || fstat(at.get(), &info) < 0) return false;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = S_ISDIR(info.st_mode) ? access : access & kOfFiles;
  rule.parent_fd = at.get();
  return syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

}  // namespace

int landlock_version() {
  const long version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return static_cast<int>(std::max(version, 0L));
}

bool drop_bounding(uint64_t caps) {
  for (size_t n = 0; n < kCapabilities; ++n) {
    if ((caps >> n & 1) != 0) continue;
    // A kernel that is older than the capability does not know it.
    if (prctl(PR_CAPBSET_DROP, n, 0, 0, 0) < 0 && errno != EINVAL) return false;
  }
  return true;
}

bool set_caps(uint64_t caps) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  for (size_t half = 0; half < data.size(); ++half) {
    const auto bits = static_cast<uint32_t>(caps >> (32 * half));
    data[half] = {bits, bits, bits};
  }
  if (syscall(SYS_capset, &header, data.data()) < 0) return false;
  for (size_t n = 0; n < kCapabilities; ++n) {
    if ((caps >> n & 1) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0) < 0) {
      return false;
    }
  }
  return true;
}

bool restrict_paths(const Confinement& confinement, Step& step) {
  step = {Stage::landlock, nullptr};
  const int version = landlock_version();
  if (version == 0) return true;  // PID 1 has said so
  const uint64_t all = kKnown[std::min<size_t>(static_cast<size_t>(version), kKnown.size()) - 1];
  const Ruleset rules{all, 0, version >= kWithScopes ? kScopedSignal : 0};
  const size_t size = version >= kWithScopes ? sizeof rules : sizeof rules.files;
  const sys::Fd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, size, 0)));
  if (!ruleset.open()) return false;

  const auto allowed = [&](const char* path, uint64_t access) {
    step.detail = path;
    return allow(ruleset, path, access & all);
  };
  if (!allowed("/", kExecute | kRead)) return false;
  if (!allowed("/dev", kRead | kWriteFile | kTruncate | kIoctl)) return false;
  if (confinement.devices == Devices::min && !allowed("/dev/shm", all)) return false;
  if (!allowed("/tmp", all)) return false;
  for (const Tmpfs& tmpfs : confinement.tmpfs) {
    if (!allowed(tmpfs.path, all)) return false;
  }
  for (const Bind& bind : confinement.bind) {
    if (bind.write && !allowed(bind.to, all)) return false;
  }
  for (const char* path : confinement.write) {
    if (!allowed(path, all)) return false;
  }
  step.detail = nullptr;
  return syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0;
}

bool install_filter(std::span<const sock_filter> filter) {
  sock_fprog program{static_cast<unsigned short>(filter.size()),
                     const_cast<sock_filter*>(filter.data())};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

}  // namespace copal::launch
