#include "init/boot.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <optional>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config.h"
#include "launch/privileges.h"

namespace copal {
namespace {

enum class If : uint8_t { expected, present };  // a kernel may well lack what is `present`

struct Mount {
  const char* type;
  const char* target;
  unsigned long flags;
  const char* options;
  If presence;
};

constexpr unsigned long kSafe = MS_NOSUID | MS_NODEV | MS_NOEXEC;

constexpr Mount kDev = {"devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755", If::expected};

constexpr std::array kMounts = {
    Mount{"proc", "/proc", kSafe, nullptr, If::expected},
    Mount{"sysfs", "/sys", kSafe, nullptr, If::expected},
    kDev,
    Mount{"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0666",
          If::expected},
    Mount{"tmpfs", "/dev/shm", kSafe, "mode=1777", If::expected},
    Mount{"tmpfs", "/run", kSafe, "mode=0755,size=25%", If::expected},
    Mount{"tmpfs", "/tmp", kSafe, "mode=1777", If::expected},
    // Nomad runs what it downloads from its data folder, which is here unless a disk is named.
    Mount{"tmpfs", "/var", MS_NOSUID | MS_NODEV, "mode=0755", If::expected},
    // Delegation works as the manual of the kernel says, and memory.low protects whole subtrees.
    Mount{"cgroup2", "/sys/fs/cgroup", kSafe, "nsdelegate,memory_recursiveprot", If::expected},
    Mount{"bpf", "/sys/fs/bpf", kSafe, "mode=0700", If::present},
    Mount{"securityfs", "/sys/kernel/security", kSafe, nullptr, If::present},
    Mount{"pstore", "/sys/fs/pstore", kSafe, nullptr, If::present},
    Mount{"efivarfs", "/sys/firmware/efi/efivars", kSafe, nullptr, If::present},
};

struct Folder {
  const char* path;
  mode_t mode;
};
constexpr std::array kFolders = {
    Folder{"/run/init", 0755}, Folder{"/run/lock", 01777},   Folder{"/var/lib", 0755},
    Folder{"/var/log", 0755},  Folder{"/var/persist", 0755}, Folder{"/var/tmp", 01777},
};

Status mount_one(const Mount& entry) {
  // Some mount points are in file systems that were mounted just before.
  (void)mkdir(entry.target, 0755);
  // The kernel may have mounted /dev already, and what runs a container or a test more than that.
  constexpr uint64_t kMountRoot = 0x2000;  // STATX_ATTR_MOUNT_ROOT, for which musl has no name
  struct statx info {};
  if (statx(AT_FDCWD, entry.target, 0, 0, &info) == 0 && (info.stx_attributes & kMountRoot) != 0) {
    return {};
  }
  if (mount(entry.type, entry.target, entry.type, entry.flags, entry.options) == 0) return {};
  return sys::last_error("mount");
}

// All at once, which is quick; or else one by one, to tell which are missing.
int enable_controllers(const sys::Fd& cgroup, const sys::Log* log) {
  constexpr const char* kFile = "cgroup.subtree_control";
  constexpr std::array kControllers = {"+cpu", "+cpuset", "+io", "+memory", "+pids"};
  const Status all = sys::write_file(cgroup, kFile, "+cpu +cpuset +io +memory +pids");
  if (all.ok() || !log) return all.error().code;
  for (const char* controller : kControllers) {
    const Status done = sys::write_file(cgroup, kFile, controller);
    if (done.ok()) continue;
    log->say(sys::Level::warning, "cgroup controller ", controller, ": ",
             std::strerror(done.error().code));
  }
  return 0;
}

bool set_clock(time_t seconds) {
  const timespec time{seconds, 0};
  return clock_settime(CLOCK_REALTIME, &time) == 0;
}

}  // namespace

void mount_dev() {
  (void)mount_one(kDev);
}

void mount_all(const sys::Log& log) {
  for (const Mount& entry : kMounts) {
    const Status done = mount_one(entry);
    if (done.ok()) continue;
    const int code = done.error().code;
    const bool absent = code == ENODEV || code == ENOENT || code == EOPNOTSUPP;
    if (entry.presence == If::present && absent) continue;
    log.fail(entry.presence == If::expected ? sys::Level::error : sys::Level::warning, entry.target,
             done.error());
  }
  for (const Folder& folder : kFolders) {
    // mkdir's mode is cut by the umask.
    if (mkdir(folder.path, 0700) == 0) (void)chmod(folder.path, folder.mode);
  }
  (void)symlink("/run", "/var/run");
  // Who writes it may write in its own folder only.
  (void)symlink("network/resolv.conf", "/run/resolv.conf");
  if (!launch::make_shared_parts()) {
    log.fail(sys::Level::error, "/run/init/dev", sys::last_error("make"));
  }
  if (launch::landlock_version() == 0) {
    log.say(sys::Level::warning, "this kernel has no Landlock: services have one lock less");
  }
  // Shared, so that what a service mounts for others (a volume, the disk under /var/persist) is
  // seen in the mount namespaces of services that run already, as Nomad, Docker and CSI expect.
  if (mount(nullptr, "/", nullptr, MS_SHARED | MS_REC, nullptr) < 0) {
    log.fail(sys::Level::error, "/", sys::last_error("share mounts"));
  }
  // The kernel lets a program write ten lines in five seconds. The log service has limits of its
  // own, that say what was left out.
  (void)sys::write_file("/proc/sys/kernel/printk_devkmsg", "on\n");
}

// A cgroup that distributes resources to children cannot hold processes itself; only the root may.
// PID 1 leaves it all the same, so that it is accounted for like everything else.
//
//   /sys/fs/cgroup/init             PID 1
//                 /services/<name>  one for each service
//                 /nomad.slice      made by Nomad, which needs the controllers in the root
sys::Fd set_up_cgroups(const sys::Log& log) {
  auto root = sys::open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
  if (!root.ok() || faccessat(root->get(), "cgroup.subtree_control", F_OK, 0) < 0) {
    log.say(sys::Level::error, "there are no cgroups: services are not kept apart");
    return {};
  }
  for (const char* name : {"init", "services"}) {
    if (mkdirat(root->get(), name, 0755) < 0 && errno != EEXIST) {
      log.fail(sys::Level::error, name, sys::last_error("mkdir cgroup"));
    }
  }
  auto services = sys::open_at(*root, "services", O_RDONLY | O_DIRECTORY);
  if (!services.ok()) {
    log.fail(sys::Level::error, "cgroup services", services.error());
    return {};
  }
  // In a container the root is no root.
  if (enable_controllers(*root, nullptr) == EBUSY) enter_own_cgroup(*services, log);
  (void)enable_controllers(*root, &log);
  (void)enable_controllers(*services, &log);
  return std::move(*services);
}

// It takes the kernel some 10 ms to move a process (a grace period of RCU), so that this is done
// when the first services are on their way.
void enter_own_cgroup(const sys::Fd& services, const sys::Log& log) {
  const Status moved = sys::write_file(services, "../init/cgroup.procs", "0");
  if (!moved.ok()) log.fail(sys::Level::error, "cgroup init", moved.error());
}

// Without a battery the clock starts in 1970, and no certificate is valid yet.
void set_clock_floor(const sys::Log& log) {
  std::array<char, 32> buffer;
  auto text = sys::read_file("/etc/copal/epoch", buffer);
  if (!text.ok()) return log.fail(sys::Level::warning, "/etc/copal/epoch", text.error());
  std::string_view rest = *text;
  const auto epoch = parse_number(take_word(rest), 0, 1L << 40);
  if (!epoch) return log.say(sys::Level::error, "/etc/copal/epoch: not a number of seconds");
  if (time(nullptr) >= *epoch) return;
  if (!set_clock(*epoch)) log.fail(sys::Level::error, "clock", sys::last_error("settime"));
  log.say(sys::Level::warning, "the clock was wrong: set to when the image was built");
}

void raise_file_limit(const sys::Log& log) {
  constexpr rlim_t kEnough = 8 * kMaxServices;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= kEnough) return;
  limit.rlim_cur = kEnough;
  limit.rlim_max = std::max(limit.rlim_max, kEnough);
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
    log.fail(sys::Level::error, "nofile", sys::last_error("setrlimit"));
  }
}

}  // namespace copal
