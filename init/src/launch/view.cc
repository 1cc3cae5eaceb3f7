// The order matters. First copies are taken of what stays as it is, then everything becomes
// read-only, then the copies and what is the service's own are put over it.
#include "launch/view.h"

#include <linux/mount.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace copal::launch {
namespace {

constexpr const char* kDev = "/run/init/dev";
constexpr const char* kNoFolder = "/run/init/no-folder";
constexpr const char* kNoFile = "/run/init/no-file";
constexpr const char* kSmall = "mode=0755,size=64k";
constexpr unsigned long kSafe = MS_NOSUID | MS_NODEV | MS_NOEXEC;

constexpr std::array kNodes = {"null", "zero", "full", "random", "urandom", "tty"};
struct Link {
  const char* name;
  const char* target;
};
constexpr std::array kLinks = {Link{"fd", "/proc/self/fd"}, Link{"stdin", "/proc/self/fd/0"},
                               Link{"stdout", "/proc/self/fd/1"},
                               Link{"stderr", "/proc/self/fd/2"}};

// glibc and the kernel's headers disagree about <sys/mount.h>, and musl lacks the newer calls.
bool mount_at(const char* what, const char* where, const char* type, unsigned long flags,
              const char* options) {
  return syscall(SYS_mount, what, where, type, flags, options) == 0;
}
int copy_of(int dir, const char* path) {
  return static_cast<int>(
      syscall(SYS_open_tree, dir, path,
              OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | (*path ? 0 : AT_EMPTY_PATH)));
}
bool attach(int tree, const char* where) {
  const bool done =
      syscall(SYS_move_mount, tree, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH) == 0;
  if (tree >= 0) close(tree);
  return done;
}
bool make_read_only(const char* where) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  return syscall(SYS_mount_setattr, AT_FDCWD, where, AT_RECURSIVE, &attributes,
                 sizeof attributes) == 0;
}

// ---- /dev

// By mknod where that is allowed, else (in a user namespace) the machine's node is bound.
bool make_node(const char* name, const char* at) {
  Line from("/dev/", name);
  Line to(at, "/", name);
  for (size_t i = std::strlen(at) + 1; i < to.text().size(); ++i) {
    if (to.text()[i] == '/') (void)mkdir(Line(to.text().substr(0, i)).c_str(), 0755);
  }
  struct stat info {};
  if (stat(from.c_str(), &info) < 0) return false;
  if (mknod(to.c_str(), info.st_mode, info.st_rdev) == 0) {
    return chown(to.c_str(), info.st_uid, info.st_gid) == 0 &&
           chmod(to.c_str(), info.st_mode & 07777) == 0;
  }
  if (errno != EPERM || mknod(to.c_str(), S_IFREG | 0600, 0) < 0) return false;
  return mount_at(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr);
}

// Puts a new, small /dev at `at`. Null: it is done; else what failed.
const char* make_dev(const char* at, std::span<const char* const> more) {
  if (!mount_at("dev", at, "tmpfs", MS_NOSUID | MS_NOEXEC, kSmall)) return at;
  for (const char* node : kNodes) {
    // A container may lack one.
    if (!make_node(node, at) && errno != ENOENT) return node;
  }
  for (const char* node : more) {
    if (!make_node(node, at)) return node;
  }
  for (const Link& link : kLinks) {
    if (symlink(link.target, Line(at, "/", link.name).c_str()) < 0) return link.name;
  }
  if (mkdir(Line(at, "/shm").c_str(), 0755) < 0 || !make_read_only(at)) return at;
  return nullptr;
}

bool own_dev(const Confinement& view, Step& step) {
  step = {Stage::dev, "/dev"};
  if (view.devices == Devices::all) return true;
  if (view.devices == Devices::none) {
    return mount_at("dev", "/dev", "tmpfs", kSafe | MS_RDONLY, kSmall);
  }
  if (view.nodes.empty()) {
    if (!attach(copy_of(AT_FDCWD, kDev), "/dev")) return false;
  } else {
    step.detail = make_dev(kDev, view.nodes);
    if (step.detail) return false;
    step.detail = "/dev";
    if (!mount_at(kDev, "/dev", nullptr, MS_MOVE, nullptr)) return false;
  }
  return mount_at("shm", "/dev/shm", "tmpfs", kSafe, "mode=1777,size=64m");
}

// ---- What may be written

bool fresh(const char* path) {
  for (const std::string_view top : {"/run/", "/tmp/", "/var/"}) {
    if (std::string_view(path).starts_with(top)) return true;
  }
  return false;
}

// Opens a path in the file systems that are fresh at each boot, and makes what is not there. No
// link is followed: others may write there too.
sys::Fd open_or_make(const char* path, const Account& owner) {
  sys::Fd at(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::string_view rest(path + 1);
  while (at.open() && !rest.empty()) {
    const size_t slash = std::min(rest.find('/'), rest.size());
    Line name(rest.substr(0, slash));
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    const mode_t mode = rest.empty() ? 0750 : 0755;
    const bool made = mkdirat(at.get(), name.c_str(), mode) == 0;
    if (!made && errno != EEXIST && errno != EROFS) return {};
    at = sys::Fd(openat(at.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (made && rest.empty() &&
        fchownat(at.get(), "", owner.user, owner.group, AT_EMPTY_PATH) < 0) {
      return {};
    }
  }
  return at;
}

int copy_to_write(const char* path, const Account& owner) {
  if (!fresh(path)) return copy_of(AT_FDCWD, path);
  const sys::Fd place = open_or_make(path, owner);
  return place.open() ? copy_of(place.get(), "") : -1;
}

bool own_proc(const Confinement& view, Step& step) {
  step = {Stage::proc, "/proc"};
  return !view.own_proc ||
         mount_at("proc", "/proc", "proc", kSafe | MS_RDONLY, "hidepid=ptraceable");
}

// What is hidden may be what hides, so the copies come first.
bool hide(const Confinement& view, Step& step) {
  std::array<int, kMaxPaths> nothing{};
  for (size_t i = 0; i < view.hide.size(); ++i) {
    step = {Stage::hide, view.hide[i]};
    struct stat info {};
    if (stat(view.hide[i], &info) < 0) return false;
    nothing[i] = copy_of(AT_FDCWD, S_ISDIR(info.st_mode) ? kNoFolder : kNoFile);
  }
  for (size_t i = 0; i < view.hide.size(); ++i) {
    step = {Stage::hide, view.hide[i]};
    if (!attach(nothing[i], view.hide[i])) return false;
  }
  return true;
}

bool own_memory(const Confinement& view, const Account& owner, Step& step) {
  step = {Stage::tmpfs, "/tmp"};
  if (!mount_at("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=10%")) return false;
  for (const Tmpfs& tmpfs : view.tmpfs) {
    step.detail = tmpfs.path;
    Line options("mode=0750,size=", tmpfs.bytes, ",uid=", owner.user, ",gid=", owner.group);
    if (!mount_at("tmpfs", tmpfs.path, "tmpfs", kSafe, options.c_str())) return false;
  }
  return true;
}

}  // namespace

bool make_view(const Confinement& view, const Account& owner, Step& step) {
  // What is mounted later on the machine (a disk, a volume) appears here too; not the reverse.
  step = {Stage::mounts, "/"};
  if (!mount_at(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr)) return false;

  std::array<int, kMaxPaths> writes{};
  std::array<int, kMaxPaths> binds{};
  bool all_writable = false;
  for (size_t i = 0; i < view.write.size(); ++i) {
    step = {Stage::write, view.write[i]};
    writes[i] = copy_to_write(view.write[i], owner);
    if (writes[i] < 0) return false;
    all_writable = all_writable || std::strcmp(view.write[i], "/") == 0;
  }
  for (size_t i = 0; i < view.bind.size(); ++i) {
    step = {Stage::bind, view.bind[i].from};
    binds[i] = copy_of(AT_FDCWD, view.bind[i].from);
    if (binds[i] < 0) return false;
  }
  step = {Stage::mounts, "/"};
  if (!all_writable && !make_read_only("/")) return false;

  if (!own_memory(view, owner, step) || !own_proc(view, step)) return false;
  if (!own_dev(view, step) || !hide(view, step)) return false;
  for (size_t i = 0; i < view.bind.size(); ++i) {
    step = {Stage::bind, view.bind[i].to};
    if (!attach(binds[i], view.bind[i].to)) return false;
    if (!view.bind[i].write && !make_read_only(view.bind[i].to)) return false;
  }
  for (size_t i = 0; i < view.write.size() && !all_writable; ++i) {
    step = {Stage::write, view.write[i]};
    if (!attach(writes[i], view.write[i])) return false;
  }
  // Shared among those that it starts, as container runtimes expect of their root.
  step = {Stage::mounts, "/"};
  return mount_at(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr);
}

bool make_shared_parts() {
  if (mkdir(kNoFolder, 0) < 0 || mkdir(kDev, 0755) < 0) return false;
  if (mknod(kNoFile, S_IFREG, 0) < 0) return false;
  return make_dev(kDev, {}) == nullptr;
}

}  // namespace copal::launch
