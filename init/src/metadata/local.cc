#include "metadata/local.h"

#include <linux/mount.h>
#include <linux/openat2.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <strings.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <vector>

#include "metadata/file.h"
#include "metadata/probe.h"
#include "metadata/tree.h"
#include "sys/kernel.h"

namespace copal::metadata {
namespace {

constexpr size_t kLimit = kMaxDocument + 1;  // one byte more, so that too much is seen

std::vector<std::string> list(const char* path) {
  std::vector<std::string> names;
  DIR* const dir = opendir(path);
  if (!dir) return names;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<Document> find_fw_cfg() {
  auto text = read_some("/sys/firmware/qemu_fw_cfg/by_name/opt/copal/metadata/raw", kLimit);
  if (!text || blank(*text)) return {};
  return Document{"fw_cfg", std::move(*text)};
}

std::optional<Document> find_smbios(std::string& problem) {
  constexpr std::string_view kEntries = "/sys/firmware/dmi/entries/";
  for (const std::string& name : list(kEntries.data())) {
    if (!name.starts_with("11-")) continue;  // OEM strings
    const auto structure = read_some(std::string(kEntries) + name + "/raw", kLimit * 2);
    const auto value = structure ? smbios_string(*structure, "copal.metadata=") : std::nullopt;
    if (!value) continue;
    auto text = decode_base64(*value);
    if (!text) problem = "SMBIOS: copal.metadata= is not base64";
    if (!text || blank(*text)) return {};
    return Document{"SMBIOS", std::move(*text)};
  }
  return {};
}

// ---- Disks

struct Seed {
  std::string_view label;
  const char* file;
};
// In the order in which they count.
constexpr std::array kSeeds = {
    Seed{"cidata", "user-data"},                     // NoCloud
    Seed{"config-2", "openstack/latest/user_data"},  // OpenStack's ConfigDrive
    Seed{"copal", "metadata.json"},
};

struct Disk {
  size_t seed;
  std::string path;
  const char* type;
};

std::vector<Disk> find_disks() {
  std::vector<Disk> disks;
  for (std::string name : list("/sys/class/block")) {
    std::replace(name.begin(), name.end(), '!', '/');
    const auto head = read_some("/dev/" + name, kVolumeHead);
    const auto volume = head ? read_volume(*head) : std::nullopt;
    if (!volume) continue;
    // FAT's tools like capital letters.
    const std::string label(volume->label);
    for (size_t i = 0; i < kSeeds.size(); ++i) {
      if (strcasecmp(label.c_str(), kSeeds[i].label.data()) != 0) continue;
      disks.push_back({i, "/dev/" + name, volume->type});
    }
  }
  std::stable_sort(disks.begin(), disks.end(),
                   [](const Disk& a, const Disk& b) { return a.seed < b.seed; });
  return disks;
}

// A file system that is mounted nowhere: only this descriptor leads to it, and when it is closed
// nothing is left to unmount.
sys::Fd mount_apart(const Disk& disk) {
  const sys::Fd context(static_cast<int>(syscall(SYS_fsopen, disk.type, FSOPEN_CLOEXEC)));
  const auto set = [&](unsigned command, const char* key, const char* value) {
    return syscall(SYS_fsconfig, context.get(), command, key, value, 0) == 0;
  };
  if (!context.open() || !set(FSCONFIG_SET_STRING, "source", disk.path.c_str()) ||
      !set(FSCONFIG_SET_FLAG, "ro", nullptr)) {
    return {};
  }
  // Without it the journal of a file system that was not unmounted would be written back first.
  if (std::string_view(disk.type) == "ext4" && !set(FSCONFIG_SET_FLAG, "noload", nullptr))
    return {};
  if (!set(FSCONFIG_CMD_CREATE, nullptr, nullptr)) return {};
  constexpr unsigned kSafe =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  return sys::Fd(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, kSafe)));
}

// Links on the disk lead to nowhere but the disk.
std::optional<std::string> read_inside(const sys::Fd& mount, const char* path) {
  const open_how how{O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, RESOLVE_IN_ROOT};
  const sys::Fd file(static_cast<int>(syscall(SYS_openat2, mount.get(), path, &how, sizeof how)));
  struct stat info {};
  if (!file.open() || fstat(file.get(), &info) < 0) return {};
  if (S_ISREG(info.st_mode)) return read_some(file, kLimit);
  errno = EINVAL;
  return {};
}

std::optional<Document> find_disk(std::string& problem) {
  for (const Disk& disk : find_disks()) {
    const Seed& seed = kSeeds[disk.seed];
    std::string origin = disk.path + " (" + std::string(seed.label) + ")";
    const sys::Fd mount = mount_apart(disk);
    if (!mount.open()) {
      problem = failure("mount", origin);
      return {};
    }
    auto text = read_inside(mount, seed.file);
    if (!text && errno != ENOENT) {
      problem = failure("read", origin + " " + seed.file);
      return {};
    }
    if (text && !blank(*text)) return Document{std::move(origin), std::move(*text)};
  }
  return {};
}

// A disk on USB or on a network of storage comes when it comes. Its node in /dev tells.
std::optional<Document> wait_for_disk(std::string& problem) {
  const Time end = sys::now() + std::chrono::seconds(30);
  const sys::Fd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (inotify_add_watch(watch.get(), "/dev", IN_CREATE) < 0) {
    problem = failure("watch", "/dev");
    return {};
  }
  while (true) {
    auto found = find_disk(problem);
    if (found || !problem.empty()) return found;
    const auto left = static_cast<int>((end - sys::now()).count());
    pollfd change{watch.get(), POLLIN, 0};
    if (left <= 0 || poll(&change, 1, left) == 0) return {};
    (void)read_some(watch, kLimit);
  }
}

}  // namespace

std::optional<Document> find_local(Source source, std::string& problem) {
  std::optional<Document> found;
  const bool any = source == Source::automatic;
  if (any || source == Source::fw_cfg) found = find_fw_cfg();
  if (!found && problem.empty() && (any || source == Source::smbios)) found = find_smbios(problem);
  if (!found && problem.empty() && any) found = find_disk(problem);
  if (source == Source::disk) found = wait_for_disk(problem);
  return found;
}

}  // namespace copal::metadata
