#include "metadata/local.h"

#include <linux/mount.h>
#include <linux/openat2.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <set>
#include <strings.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include "metadata/file.h"
#include "metadata/gzip.h"
#include "metadata/probe.h"
#include "metadata/provider.h"
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

// What is said of a source that is passed over: once, however often it is looked at.
class Notes {
 public:
  void add(const std::string& line) {
    if (said_.insert(line).second) say(line);
  }

 private:
  std::set<std::string> said_;
};

// What was found is a document, or is passed over: it is for somebody else, or empty.
std::optional<Document> take(std::string origin, std::string text, Notes& notes,
                             std::string& problem) {
  if (form_of(text) == Form::packed) {
    auto unpacked = gunzip(text, kLimit);
    if (!unpacked) problem = origin + ": " + std::string(kDamaged);
    if (!unpacked) return {};
    text = std::move(*unpacked);
  }
  const Form form = form_of(text);
  if (form == Form::foreign)
    notes.add(origin + ": is for cloud-init, not for this machine; skipped");
  if (form == Form::nothing) notes.add(origin + ": is empty; skipped");
  if (form == Form::foreign || form == Form::nothing) return {};
  return Document{std::move(origin), std::move(text), {}};
}

std::optional<Document> find_fw_cfg(Notes& notes, std::string& problem) {
  auto text = read_some("/sys/firmware/qemu_fw_cfg/by_name/opt/copal/metadata/raw", kLimit);
  return text ? take("fw_cfg", std::move(*text), notes, problem) : std::nullopt;
}

std::optional<Document> find_smbios(Notes& notes, std::string& problem) {
  constexpr std::string_view kEntries = "/sys/firmware/dmi/entries/";
  for (const std::string& name : list(kEntries.data())) {
    if (!name.starts_with("11-")) continue;  // OEM strings
    const auto structure = read_some(std::string(kEntries) + name + "/raw", kLimit * 2);
    const auto value = structure ? smbios_string(*structure, "copal.metadata=") : std::nullopt;
    if (!value) continue;
    auto text = decode_base64(*value);
    if (!text) problem = "SMBIOS: copal.metadata= is not base64";
    return text ? take("SMBIOS", std::move(*text), notes, problem) : std::nullopt;
  }
  return {};
}

// ---- Disks

struct Seed {
  std::string_view label;
  const char* type;  // of the file system; null: any
  std::array<const char*, 3> files;
  Question hostname{};
  Question keys{};
};
// In the order in which they count.
constexpr std::array kSeeds = {
    // NoCloud. A CD without Rock Ridge and Joliet has short names; LinuxKit takes `config` as well.
    Seed{"cidata",
         nullptr,
         {"user-data", "user_dat", "config"},
         {"meta-data", Reading::setting, "local-hostname"}},
    // OpenStack's ConfigDrive.
    Seed{"config-2",
         nullptr,
         {"openstack/latest/user_data"},
         {"openstack/latest/meta_data.json", Reading::json, "/hostname"},
         {"openstack/latest/meta_data.json", Reading::json, "/public_keys/*"}},
    Seed{"copal", nullptr, {"metadata.json"}},
    Seed{"config",
         "iso9660",
         {"config"}},  // what `linuxkit run` and `linuxkit metadata create` write
};

struct Disk {
  size_t seed;
  std::string path;
  const char* type;
};

// No medium in the drive, no drive, nobody's loop device.
bool absent(int error) {
  return error == ENOMEDIUM || error == ENXIO || error == ENOENT || error == ENODEV;
}

std::string label_of(const sys::Fd& device, std::string_view head, const Volume& volume) {
  std::string label(volume.label);
  const auto root = std::string_view(volume.type) == "vfat" ? fat_root(head) : std::nullopt;
  if (!root) return label;
  constexpr size_t kDirectory = 16384;  // the label comes before most files
  if (lseek(device.get(), static_cast<off_t>(*root), SEEK_SET) < 0) return label;
  const std::string directory = read_some(device, kDirectory).value_or("");
  const std::string_view better = fat_label(directory);
  return better.empty() ? label : std::string(better);
}

// Adds the disk as often as it is one of the seeds.
void examine(const std::string& path, std::vector<Disk>& disks, Notes& notes) {
  const sys::Fd device(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  const auto head = device.open() ? read_some(device, kVolumeHead) : std::nullopt;
  if (!head && !absent(errno)) notes.add(failure("read", path) + "; skipped");
  const auto volume = head ? read_volume(*head) : std::nullopt;
  if (!volume) return;
  const std::string label = label_of(device, *head, *volume);
  for (size_t i = 0; i < kSeeds.size(); ++i) {
    const bool fits = !kSeeds[i].type || std::string_view(kSeeds[i].type) == volume->type;
    // FAT's tools like capital letters.
    if (fits && strcasecmp(label.c_str(), kSeeds[i].label.data()) == 0) {
      disks.push_back({i, path, volume->type});
    }
  }
}

std::vector<Disk> find_disks(Notes& notes) {
  std::vector<Disk> disks;
  for (std::string name : list("/sys/class/block")) {
    std::replace(name.begin(), name.end(), '!', '/');
    examine("/dev/" + name, disks, notes);
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

// What is said beside the document. What cannot be read is not there.
std::string answer_on(const sys::Fd& mount, const Question& question) {
  const auto text = question.path ? read_inside(mount, question.path) : std::nullopt;
  return text ? read_answer(question, *text).value_or("") : "";
}

// The document on one disk. None: it has none, which is said, or `problem` says what is wrong.
std::optional<Document> read_disk(const Disk& disk, Notes& notes, std::string& problem) {
  const Seed& seed = kSeeds[disk.seed];
  const std::string origin = disk.path + " (" + std::string(seed.label) + ")";
  const sys::Fd mount = mount_apart(disk);
  if (!mount.open()) {
    problem = failure("mount", origin);
    return {};
  }
  for (const char* const file : seed.files) {
    if (!file) break;
    auto text = read_inside(mount, file);
    if (text) {
      auto found = take(origin, std::move(*text), notes, problem);
      if (found)
        found->identity = {answer_on(mount, seed.hostname), answer_on(mount, seed.keys), {}};
      return found;
    }
    if (errno == ENOENT) continue;
    problem = failure("read", origin + " " + file);
    return {};
  }
  notes.add(origin + ": there is no " + seed.files[0] + "; skipped");
  return {};
}

std::optional<Document> find_disk(Notes& notes, std::string& problem) {
  for (const Disk& disk : find_disks(notes)) {
    auto found = read_disk(disk, notes, problem);
    if (found || !problem.empty()) return found;
  }
  return {};
}

// A disk on USB or on a network of storage comes when it comes. Its node in /dev tells.
std::optional<Document> wait_for_disk(Notes& notes, std::string& problem) {
  const Time end = sys::now() + std::chrono::seconds(30);
  const sys::Fd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (inotify_add_watch(watch.get(), "/dev", IN_CREATE) < 0) {
    problem = failure("watch", "/dev");
    return {};
  }
  while (true) {
    auto found = find_disk(notes, problem);
    if (found || !problem.empty()) return found;
    const auto left = static_cast<int>((end - sys::now()).count());
    pollfd change{watch.get(), POLLIN, 0};
    if (left <= 0 || poll(&change, 1, left) == 0) return {};
    (void)read_some(watch, kLimit);
  }
}

}  // namespace

std::optional<Document> find_local(Source source, std::string& problem) {
  Notes notes;
  std::optional<Document> found;
  const bool any = source == Source::automatic;
  const auto go_on = [&] { return !found && problem.empty(); };
  if (any || source == Source::fw_cfg) found = find_fw_cfg(notes, problem);
  if (go_on() && (any || source == Source::smbios)) found = find_smbios(notes, problem);
  if (go_on() && any) found = find_disk(notes, problem);
  if (source == Source::disk) found = wait_for_disk(notes, problem);
  return found;
}

}  // namespace copal::metadata
