// `init --disk` finds the disks that the image and the machine's configuration name, and mounts
// them below /var/persist. It never guesses: of two disks that fit it takes none, and it makes a
// file system only where that was asked for and nothing at all is on the disk.
#include <linux/capability.h>
#include <linux/openat2.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applet/applet.h"
#include "disk/device.h"
#include "sys/kernel.h"
#include "sys/print.h"

namespace copal {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr const char* kCheck = "/usr/bin/e2fsck";
constexpr const char* kMake = "/usr/bin/mke2fs";
constexpr const char* kEnd = nullptr;
constexpr uint64_t kMountRoot = 0x2000;  // STATX_ATTR_MOUNT_ROOT, which musl does not have
// What is found to be wrong must not get worse.
constexpr const char* kExt4Options = "errors=remount-ro";
constexpr unsigned long kResize = _IOW('f', 16, uint64_t);  // EXT4_IOC_RESIZE_FS

template <typename... Parts>
void say(const Disk& disk, const Parts&... parts) {
  // What was cut off ends with a newline too.
  sys::print(Line(disk.name, ": ", parts...));
  sys::print(Line("\n"));
}

template <typename... Parts>
bool fail(const Disk& disk, const Parts&... parts) {
  say(disk, parts...);
  return false;
}

// What reads a disk that anybody may have written has no capabilities: user and group are enough
// for the device.
[[noreturn]] void become(const char* const* argv) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  const std::array<const char*, 1> env = {nullptr};
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0 && dup2(null, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
      syscall(SYS_capset, &header, none.data()) == 0) {
    execve(argv[0], const_cast<char* const*>(argv), const_cast<char* const*>(env.data()));
  }
  _exit(127);
}

// The program's exit code, or none if it did not come to an end of its own.
std::optional<int> run(const Disk& disk, const char* const* argv) {
  if (access(argv[0], X_OK) < 0) {
    say(disk, "this image has no ", argv[0], ": it needs the package e2fsprogs");
    return {};
  }
  const pid_t child = fork();
  if (child == 0) become(argv);
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child > 0 && WIFEXITED(status)) return WEXITSTATUS(status);
  say(disk, argv[0], ": did not come to an end");
  return {};
}

void examine_again(Device& device) {
  DeviceFile file(device.path.c_str());
  device.volume = examine(file, file.sector());
}

// Made here, and either not to the end or for one boot only. A file system that reaches as far as
// the claim may have any text there.
bool is_claimed(const Disk& disk, Device& device) {
  const Volume& volume = device.volume;
  const bool beside =
      volume.is(Content::ext4) && volume.bytes <= device.size - std::min(device.size, Claim::kRoom);
  DeviceFile file(device.path.c_str());
  return (beside || (volume.found == 0 && !volume.unreadable)) && has_claim(file, disk.name);
}

bool is_empty(const Disk& disk, Device& device) {
  DeviceFile file(device.path.c_str());
  if (device.volume.found != 0 || device.volume.unreadable) {
    return fail(disk, device.path.text(), " is not empty but has ", describe(device.volume).text(),
                ": it is not formatted");
  }
  const auto at = find_data(file);
  if (!at) return fail(disk, device.path.text(), " cannot be read: it is not formatted");
  if (*at == file.size()) return *at != 0;
  // What lies at the beginning of an old partition may have a name.
  Rest rest(file, *at / kMiB * kMiB);
  const Volume there = examine(rest, file.sector());
  return fail(disk, device.path.text(), " is not empty but has ",
              there.found != 0 ? describe(there).text() : "something unknown", " at byte ", *at,
              ": it is not formatted");
}

// All of it, or nothing.
bool write_at(const sys::Fd& file, uint64_t at, std::span<const std::byte> bytes) {
  return pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
         static_cast<ssize_t>(bytes.size());
}

// Before a file system is made: nothing on the disk is worth anything from now on. What is erased
// leaves no mark where the file system happens not to write.
bool claim(const Disk& disk, Device& device) {
  if (device.size < 2 * Claim::kRoom) {
    return fail(disk, device.path.text(), " is too small: it has no 2 MiB");
  }
  auto file = sys::open(device.path.c_str(), O_WRONLY | O_EXCL);
  const Claim claim(device.size, disk.name);
  const Claim::Block zero{};
  bool good = file.ok();
  for (uint64_t at = 0; good && disk.erase && at < Claim::kRoom; at += zero.size()) {
    good = write_at(*file, at, zero) && write_at(*file, device.size - zero.size() - at, zero);
  }
  if (good && write_at(*file, claim.at, claim.block) && fsync(file->get()) == 0) return true;
  return fail(disk, device.path.text(), " cannot be written: ", std::strerror(errno));
}

// From now on it is.
bool release(const Disk& disk, Device& device) {
  if (!is_claimed(disk, device)) return true;
  auto file = sys::open(device.path.c_str(), O_WRONLY | O_EXCL);
  const Claim::Block zero{};
  if (file.ok() && write_at(*file, Claim(device.size, disk.name).at, zero) &&
      fsync(file->get()) == 0) {
    return true;
  }
  return fail(disk, device.path.text(), " cannot be written: ", std::strerror(errno));
}

bool make(const Disk& disk, Device& device, const char* why) {
  say(disk, device.path.text(), why, ": making an ext4 file system");
  if (!claim(disk, device)) return false;
  // Tables are written when they are used first, so that a large disk takes no longer.
  constexpr const char* kLazy = "lazy_itable_init=1,lazy_journal_init=1";
  const char* const label = disk.label.empty() ? "" : disk.label.data();
  Line size((device.size - Claim::kRoom) >> 10, "k");
  const std::array argv = {
      kMake, "-q", "-t", "ext4", "-E", kLazy, "-L", label, device.path.c_str(), size.c_str(), kEnd};
  const auto code = run(disk, argv.data());
  if (code != 0) return fail(disk, "mke2fs failed: exit code ", code.value_or(-1));
  examine_again(device);
  if (!device.volume.is(Content::ext4)) {
    return fail(disk, device.path.text(), " has no ext4 even so, but ",
                describe(device.volume).text());
  }
  return disk.format == Format::each_boot || release(disk, device);
}

// The exit codes of e2fsck(8): 1, errors were corrected; 2, and the machine should reboot, which
// is for a root that was mounted meanwhile; more, errors are left or it could not do its work.
bool check(const Disk& disk, Device& device) {
  const std::array argv = {kCheck, "-p", device.path.c_str(), kEnd};
  const auto code = run(disk, argv.data());
  if (code == 0) return true;
  if (code && *code < 4) {
    say(disk, device.path.text(), " had errors, which are corrected");
    return true;
  }
  return fail(
      disk, device.path.text(), " cannot be repaired without a decision (e2fsck: exit code ",
      code.value_or(-1),
      "): it is not mounted. To let e2fsck decide, boot once with copal.disk-repair=", disk.name);
}

// The decision: whatever e2fsck proposes. It knows where the copies of a superblock are that is no
// longer one.
void repair(const Disk& disk, Device& device) {
  const bool other = device.volume.found != 0 && !device.volume.is(Content::ext4);
  if (other || disk.type == Type::xfs) return;
  say(disk, device.path.text(), " is repaired as copal.disk-repair asks");
  const std::array argv = {kCheck, "-f", "-y", device.path.c_str(), kEnd};
  (void)run(disk, argv.data());
  examine_again(device);
}

// The folder, which is made if need be. No link on another disk leads elsewhere.
sys::Fd open_target(const Disk& disk) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  size_t end = std::string_view("/var/persist").size();
  while (true) {
    Line folder(disk.mount.substr(0, end));
    (void)mkdir(folder.c_str(), 0755);
    sys::Fd target(
        static_cast<int>(syscall(SYS_openat2, AT_FDCWD, folder.c_str(), &how, sizeof how)));
    if (!target.open() || end == disk.mount.size()) return target;
    end = std::min(disk.mount.find('/', end + 1), disk.mount.size());
  }
}

bool is_mounted(const sys::Fd& target, Device& device) {
  struct statx folder {};
  struct stat node {};
  return statx(target.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &folder) == 0 &&
         stat(device.path.c_str(), &node) == 0 && (folder.stx_attributes & kMountRoot) != 0 &&
         makedev(folder.stx_dev_major, folder.stx_dev_minor) == node.st_rdev;
}

// To the whole of its device, but for the place of a claim, which no service must be able to write.
// That it cannot is no reason to do without the data.
void grow(const Disk& disk, Device& device) {
  auto root = sys::open(disk.mount.data(), O_RDONLY | O_DIRECTORY);
  struct statfs info {};
  if (!root.ok() || fstatfs(root->get(), &info) < 0) return;
  const uint64_t size = device.size - std::min(device.size, Claim::kRoom);
  uint64_t blocks = size / static_cast<uint64_t>(info.f_bsize);
  if (blocks <= device.volume.bytes / static_cast<uint64_t>(info.f_bsize)) return;
  if (ioctl(root->get(), kResize, &blocks) < 0) {
    return say(disk, "cannot grow: ", std::strerror(errno));
  }
  say(disk, "grown from ", device.volume.bytes / kMiB, " to ", size / kMiB, " MiB");
}

bool mount_device(const Disk& disk, Device& device, const sys::Fd& target) {
  const bool ext4 = device.volume.is(Content::ext4);
  if (::mount(device.path.c_str(), Line("/proc/self/fd/", target.get()).c_str(),
              ext4 ? "ext4" : "xfs", disk.flags, ext4 ? kExt4Options : nullptr) < 0) {
    return fail(disk, device.path.text(), " cannot be mounted: ", std::strerror(errno));
  }
  if (ext4 && disk.grow) grow(disk, device);
  say(disk, device.path.text(), " (", describe(device.volume).text(), ") is mounted at ",
      disk.mount);
  return true;
}

// What is there already, made fit to be mounted.
bool prepare_there(const Disk& disk, Device& device) {
  const bool ext4 = device.volume.is(Content::ext4);
  if (disk.type != Type::any && (disk.type == Type::ext4) != ext4) {
    return fail(disk, device.path.text(), " has ", describe(device.volume).text(),
                ", which is another `type`");
  }
  return !ext4 || (release(disk, device) && (!disk.check || check(disk, device)));
}

bool prepare(const Disk& disk, Device& device) {
  const bool scratch = disk.format == Format::each_boot;
  if (disk.format != Format::no && is_claimed(disk, device)) {
    return make(disk, device, scratch ? " is for one boot" : " was not made to the end");
  }
  if (disk.repair) repair(disk, device);
  const bool there = device.volume.file_system() && !scratch;
  if (there && prepare_there(disk, device)) return true;
  if (disk.erase) return make(disk, device, " is erased as copal.disk-erase asks");
  if (there) return false;
  if (disk.format == Format::no) {
    return fail(disk, device.path.text(), " has ", describe(device.volume).text(),
                ", no ext4 or XFS (`format = if-empty` makes one where nothing is)");
  }
  return is_empty(disk, device) && make(disk, device, " is empty");
}

bool set_up(const Disk& disk, Device& device) {
  const sys::Fd target = open_target(disk);
  if (!target.open()) return fail(disk, disk.mount, ": ", std::strerror(errno));
  if (is_mounted(target, device)) return true;
  if (!sys::open(device.path.c_str(), O_RDONLY | O_NONBLOCK | O_EXCL).ok()) {
    return fail(disk, device.path.text(), " is in use: ", std::strerror(errno));
  }
  return prepare(disk, device) && mount_device(disk, device, target);
}

bool find_and_set_up(const Disk& disk, const DeviceEvents& events, Time start) {
  Search found = search(disk);
  while (found.count == 0 && events.wait(start + disk.wait)) found = search(disk);
  if (found.count == 1) return set_up(disk, found.found);
  if (found.count > 1) {
    return fail(disk, found.found.path.text(), " and ", found.another.text(), " are both ",
                disk.wanted, ": neither is touched");
  }
  say(disk, "there is no disk ", disk.wanted);
  print_devices(disk.name);
  return disk.optional;
}

}  // namespace

int run_disk() {
  const Time start = sys::now();
  // Before the first look, so that nothing is missed.
  const DeviceEvents events;
  auto memory = sys::reserve(size_t{8} << 20);
  auto root = sys::open("/", O_RDONLY | O_DIRECTORY);
  if (!memory.ok() || !root.ok()) return 1;
  Arena arena(*memory);
  sys::Printer reporter;
  std::array<char, 4096> buffer;
  auto command_line = sys::read_file("/proc/cmdline", buffer);
  bool good = true;
  for (const Disk& disk :
       load_disks(*root, command_line.ok() ? *command_line : "", arena, reporter)) {
    if (!disk.bad) good = find_and_set_up(disk, events, start) && good;
  }
  return good && reporter.problems() == 0 ? 0 : 1;
}

}  // namespace copal
