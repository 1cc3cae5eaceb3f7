// The initramfs cannot stay the root: pivot_root(2), which runc and Nomad's exec driver need, does
// not work on it, and it is writable. There are two layouts of the image:
//
//   EROFS    The initramfs holds /init and /system.erofs, which is mounted as it lies there.
//   plain    The initramfs holds the whole system, which is moved to a tmpfs.
//
// Either way the new file system is moved over /, over the initramfs.
#include "init/root.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sys/dir.h"

namespace copal {
namespace {

constexpr const char* kImage = "/system.erofs";
constexpr const char* kNewRoot = "/sysroot";
constexpr const char* kSecondStage = "/usr/bin/init";
constexpr unsigned long kRootFlags = MS_RDONLY | MS_NOSUID | MS_NODEV;

// ---- Moving a tree

int open_dir(int parent, const char* name) {
  return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

class Mover {
 public:
  Status move(const char* from, const char* to);

 private:
  Status move_dir(int from, int to);
  Status move_entry(int from, int to, const char* name);
  Status copy(int from, int to, const char* name, const struct stat& info);
  Status copy_file(int from, int to, const char* name, const struct stat& info);
  static Status remove_rest(int parent, const char* name, dev_t device);

  dev_t device_ = 0;       // what is mounted below is not moved
  struct stat target_ {};  // nor is what it is moved to
  sys::Fd links_;          // names by inode number, for files with several names
};

Status Mover::copy_file(int from, int to, const char* name, const struct stat& info) {
  Line number(info.st_ino);
  if (info.st_nlink > 1 && linkat(links_.get(), number.c_str(), to, name, 0) == 0) return {};

  const sys::Fd in(openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  const sys::Fd out(openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!in.open() || !out.open()) return sys::last_error("open");
  off_t left = info.st_size;
  while (left > 0) {
    const ssize_t n = sendfile(out.get(), in.get(), nullptr, static_cast<size_t>(left));
    if (n < 0) return sys::last_error("sendfile");
    if (n == 0) return Error{EIO, "sendfile"};
    left -= n;
  }
  if (info.st_nlink > 1 && linkat(to, name, links_.get(), number.c_str(), 0) < 0) {
    return sys::last_error("link");
  }
  return {};
}

Status Mover::copy(int from, int to, const char* name, const struct stat& info) {
  if (S_ISREG(info.st_mode)) {
    const Status done = copy_file(from, to, name, info);
    if (!done.ok()) return done;
  } else if (S_ISLNK(info.st_mode)) {
    std::array<char, PATH_MAX> target;
    const ssize_t n = readlinkat(from, name, target.data(), target.size() - 1);
    if (n < 0) return sys::last_error("readlink");
    target[static_cast<size_t>(n)] = '\0';
    if (symlinkat(target.data(), to, name) < 0) return sys::last_error("symlink");
  } else if (S_ISDIR(info.st_mode)) {
    if (mkdirat(to, name, 0700) < 0) return sys::last_error("mkdir");
    if (info.st_dev == device_) {
      const Status done = move_dir(open_dir(from, name), open_dir(to, name));
      if (!done.ok()) return done;
    }
  } else if (mknodat(to, name, info.st_mode, info.st_rdev) < 0) {
    return sys::last_error("mknod");
  }
  // The owner first, since changing it clears the setuid bits; the time last.
  if (fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) < 0) {
    return sys::last_error("chown");
  }
  if (!S_ISLNK(info.st_mode) && fchmodat(to, name, info.st_mode & 07777, 0) < 0) {
    return sys::last_error("chmod");
  }
  const std::array<timespec, 2> times = {info.st_mtim, info.st_mtim};
  if (utimensat(to, name, times.data(), AT_SYMLINK_NOFOLLOW) < 0) return sys::last_error("utimens");
  return {};
}

Status Mover::move_entry(int from, int to, const char* name) {
  struct stat info {};
  if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0) return sys::last_error("stat");
  if (info.st_dev == target_.st_dev && info.st_ino == target_.st_ino) return {};
  const Status done = copy(from, to, name, info);
  if (!done.ok()) return done;
  // Names of one file go at the end, all at once: until then st_nlink tells that there are several.
  if (!S_ISDIR(info.st_mode) && info.st_nlink == 1 && unlinkat(from, name, 0) < 0) {
    return sys::last_error("unlink");
  }
  return {};
}

Status Mover::move_dir(int from, int to) {
  sys::Dir source(from);
  const sys::Fd target(to);
  if (!source.open() || !target.open()) return sys::last_error("opendir");
  while (const char* name = source.next()) {
    const Status done = move_entry(source.fd(), target.get(), name);
    if (!done.ok()) return done;
  }
  return {};
}

Status Mover::remove_rest(int parent, const char* name, dev_t device) {
  sys::Dir dir(open_dir(parent, name));
  if (!dir.open()) return sys::last_error("opendir");
  while (const char* entry = dir.next()) {
    struct stat info {};
    if (fstatat(dir.fd(), entry, &info, AT_SYMLINK_NOFOLLOW) < 0) return sys::last_error("stat");
    if (info.st_dev != device) continue;
    if (!S_ISDIR(info.st_mode)) {
      if (unlinkat(dir.fd(), entry, 0) < 0) return sys::last_error("unlink");
      continue;
    }
    const Status done = remove_rest(dir.fd(), entry, device);
    if (!done.ok()) return done;
    // Stays if something is mounted below: nobody will see it.
    (void)unlinkat(dir.fd(), entry, AT_REMOVEDIR);
  }
  return {};
}

Status Mover::move(const char* from, const char* to) {
  constexpr const char* kLinks = ".links";
  struct stat info {};
  if (stat(from, &info) < 0 || stat(to, &target_) < 0) return sys::last_error("stat");
  device_ = info.st_dev;
  const sys::Fd target(open_dir(AT_FDCWD, to));
  if (!target.open() || mkdirat(target.get(), kLinks, 0700) < 0) return sys::last_error("mkdir");
  links_.reset(open_dir(target.get(), kLinks));
  const Status moved = move_dir(open_dir(AT_FDCWD, from), open_dir(AT_FDCWD, to));
  if (!moved.ok()) return moved;
  const Status cleared = remove_rest(target.get(), kLinks, target_.st_dev);
  if (!cleared.ok()) return cleared;
  if (unlinkat(target.get(), kLinks, AT_REMOVEDIR) < 0) return sys::last_error("rmdir");
  const std::array<timespec, 2> times = {info.st_mtim, info.st_mtim};
  (void)futimens(target.get(), times.data());
  // On one file system (in a test) the target may lie within, and must not be removed.
  return device_ == target_.st_dev ? Status() : remove_rest(AT_FDCWD, from, device_);
}

// ---- The two layouts

// EROFS reads its file through the page cache in a way that tmpfs does not offer and ramfs does
// (up to Linux 6.12 at least). The initramfs is a ramfs if the kernel was told rootfstype=ramfs;
// if not, the image is copied to one, at the price of some time.
Status copy_to_ramfs() {
  constexpr size_t kChunk = size_t{8} << 20;
  if (mkdir("/ram", 0700) < 0 && errno != EEXIST) return sys::last_error("mkdir");
  if (mount("ramfs", "/ram", "ramfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) < 0) {
    return sys::last_error("mount ramfs");
  }
  const sys::Fd in(open(kImage, O_RDWR | O_CLOEXEC));
  const sys::Fd out(open("/ram/system.erofs", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400));
  if (!in.open() || !out.open()) return sys::last_error("open");
  off_t done = 0;
  while (true) {
    const ssize_t n = sendfile(out.get(), in.get(), nullptr, kChunk);
    if (n < 0) return sys::last_error("sendfile");
    if (n == 0) break;
    // Give back at once what is copied, so as not to need the memory twice.
    (void)fallocate(in.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, done, n);
    done += n;
  }
  if (unlink(kImage) < 0) return sys::last_error("unlink");
  return {};
}

Status mount_erofs(const sys::Log& log) {
  if (mount(kImage, kNewRoot, "erofs", kRootFlags, nullptr) == 0) return {};
  if (errno != ENOTBLK) return sys::last_error("mount erofs");
  log.say(sys::Level::notice, "root: copying the image: boot with rootfstype=ramfs to avoid it");
  const Status copied = copy_to_ramfs();
  if (!copied.ok()) return copied;
  if (mount("/ram/system.erofs", kNewRoot, "erofs", kRootFlags, nullptr) < 0) {
    return sys::last_error("mount erofs");
  }
  return {};
}

Status fill_tmpfs() {
  // It never holds more than the initramfs did, which fitted: the default limit of half the memory
  // would only get in the way.
  if (mount("root", kNewRoot, "tmpfs", 0, "mode=0755,size=100%") < 0) {
    return sys::last_error("mount tmpfs");
  }
  const Status moved = move_tree("/", kNewRoot);
  if (!moved.ok()) return moved;
  if (mount(nullptr, kNewRoot, nullptr, MS_REMOUNT | kRootFlags, nullptr) < 0) {
    return sys::last_error("remount");
  }
  return {};
}

}  // namespace

Status move_tree(const char* from, const char* to) {
  return Mover().move(from, to);
}

Status enter_image(const sys::Log& log) {
  if (mkdir(kNewRoot, 0755) < 0 && errno != EEXIST) return sys::last_error("mkdir /sysroot");
  const bool erofs = access(kImage, F_OK) == 0;
  const Status mounted = erofs ? mount_erofs(log) : fill_tmpfs();
  if (!mounted.ok()) return mounted;
  log.say(sys::Level::info, "root: ", erofs ? "erofs " : "tmpfs ", sys::now());

  // Its memory is given back when this program is replaced by the second stage. (In the plain
  // layout it has been moved already.)
  (void)unlink("/init");
  if (chdir(kNewRoot) < 0) return sys::last_error("chdir");
  if (mount(".", "/", nullptr, MS_MOVE, nullptr) < 0) return sys::last_error("move the root");
  if (chroot(".") < 0 || chdir("/") < 0) return sys::last_error("chroot");

  const std::array<const char*, 2> argv = {"init", nullptr};
  const std::array<const char*, 1> env = {nullptr};
  execve(kSecondStage, const_cast<char* const*>(argv.data()), const_cast<char* const*>(env.data()));
  return sys::last_error("exec /usr/bin/init");
}

}  // namespace copal
