#include "sys/kernel.h"

#include <linux/sched.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

namespace copal::sys {

Error last_error(const char* what) {
  return {errno, what};
}

Time now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::chrono::seconds(time.tv_sec) + Time(time.tv_nsec / 1'000'000);
}

// Only spreads restarts, so that it must never wait for entropy.
uint32_t random_seed() {
  uint32_t seed = 0;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK | GRND_INSECURE) == sizeof seed) return seed;
  return static_cast<uint32_t>(now().count());
}

Result<std::span<std::byte>> reserve(size_t size) {
  void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return last_error("mmap");
  return std::span(static_cast<std::byte*>(at), size);
}

Result<Fd> open(const char* path, int flags, int mode) {
  Fd fd(::open(path, flags | O_CLOEXEC, mode));
  if (!fd.open()) return last_error("open");
  return fd;
}

Result<Fd> open_at(const Fd& dir, const char* path, int flags, int mode) {
  Fd fd(::openat(dir.get(), path, flags | O_CLOEXEC, mode));
  if (!fd.open()) return last_error("open");
  return fd;
}

static Result<std::string_view> read_all(const Fd& file, std::span<char> buffer) {
  size_t size = 0;
  while (true) {
    const ssize_t n = read(file.get(), buffer.data() + size, buffer.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return last_error("read");
    if (n == 0) return std::string_view(buffer.data(), size);
    size += static_cast<size_t>(n);
    if (size == buffer.size()) return Error{EFBIG, "read"};
  }
}

Result<std::string_view> read_file(const Fd& dir, const char* path, std::span<char> buffer) {
  // Not blocking: a FIFO or a device in place of a file is then an error, and no trap.
  auto file = open_at(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file.ok()) return file.error();
  return read_all(*file, buffer);
}

Result<std::string_view> read_file(const char* path, std::span<char> buffer) {
  return read_file(Fd(), path, buffer);
}

Result<std::string_view> load_file(const Fd& dir, const char* path, size_t limit, Arena& arena) {
  auto file = open_at(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file.ok()) return file.error();
  struct stat info {};
  if (fstat(file->get(), &info) < 0) return last_error("stat");
  if (!S_ISREG(info.st_mode)) return Error{EINVAL, "not a file"};
  const auto size = static_cast<size_t>(info.st_size);
  if (size > limit) return Error{EFBIG, "read"};
  const std::span<char> buffer = arena.make<char>(size + 1);
  if (buffer.empty()) return Error{ENOMEM, "read"};
  return read_all(*file, buffer);
}

Status write_file(const Fd& dir, const char* path, std::string_view text) {
  auto file = open_at(dir, path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  if (!file.ok()) return file.error();
  if (write(file->get(), text.data(), text.size()) < 0) return last_error("write");
  return {};
}

Status write_file(const char* path, std::string_view text) {
  return write_file(Fd(), path, text);
}

Result<Pipe> make_pipe(int flags) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC | flags) < 0) return last_error("pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

static sockaddr_un address_of(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return address;
}

Result<Fd> listen_at(const char* path, int type, unsigned group) {
  constexpr int kWaiting = 8;
  const sockaddr_un address = address_of(path);
  Fd fd(socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.open()) return last_error("socket");
  (void)unlink(path);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return last_error("bind");
  }
  if (group != 0 && chown(path, 0, group) < 0) return last_error("chown");
  if (chmod(path, group == 0 ? 0600 : 0660) < 0) return last_error("chmod");
  if (listen(fd.get(), kWaiting) < 0) return last_error("listen");
  return fd;
}

Result<Fd> connect_to(const char* path, int type) {
  const sockaddr_un address = address_of(path);
  Fd fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd.open()) return last_error("socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return last_error("connect");
  }
  return fd;
}

Status bring_up_loopback() {
  const Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof "lo");
  if (!any.open() || ioctl(any.get(), SIOCGIFFLAGS, &request) < 0) return last_error("get flags");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (ioctl(any.get(), SIOCSIFFLAGS, &request) < 0) return last_error("set flags");
  return {};
}

Result<Child> clone_into(const Fd& cgroup, uint64_t flags) {
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND | flags;
  args.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (cgroup.open()) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<unsigned long long>(cgroup.get());
  }
  const long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return last_error("clone3");
  return Child{static_cast<int>(pid), Fd(pid == 0 ? -1 : pidfd)};
}

ssize_t receive(const Fd& socket, std::span<char> buffer, pid_t& sender) {
  iovec part{buffer.data(), buffer.size()};
  // With room for nothing else.
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* const header = size < 0 ? nullptr : CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS) {
    ucred credentials{};
    std::memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
    sender = credentials.pid;
  }
  return size;
}

Fd open_pid(int pid) {
  return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

Status send_signal(const Fd& pidfd, int signal) {
  if (syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) < 0) {
    return last_error("pidfd_send_signal");
  }
  return {};
}

// Not readdir(), which allocates.
Status remove_cgroup(const Fd& parent, const char* name) {
  struct Entry {  // as getdents64(2) writes them, one behind the other
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[1];
  };
  constexpr uint8_t kFolder = 4;
  if (::unlinkat(parent.get(), name, AT_REMOVEDIR) == 0) return {};
  if (errno != EBUSY && errno != ENOTEMPTY) return last_error("remove cgroup");
  auto dir = open_at(parent, name, O_RDONLY | O_DIRECTORY);
  if (!dir.ok()) return dir.error();
  alignas(Entry) std::array<char, 2048> buffer;
  while (true) {
    const long size = syscall(SYS_getdents64, dir->get(), buffer.data(), buffer.size());
    if (size <= 0) break;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer.data() + at);
      at += entry->size;
      if (entry->type != kFolder || entry->name[0] == '.') continue;
      const Status removed = remove_cgroup(*dir, entry->name);
      if (!removed.ok()) return removed;
    }
  }
  if (::unlinkat(parent.get(), name, AT_REMOVEDIR) < 0) return last_error("remove cgroup");
  return {};
}

// All but those that the kernel sends for a fault of the program itself.
sigset_t catchable_signals() {
  sigset_t set;
  sigfillset(&set);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) {
    sigdelset(&set, signal);
  }
  return set;
}

// By system call, since the C library keeps some signals to itself. The kernel's structure begins
// with the handler; all zero is the default action.
void stop_ignoring_signals() {
  constexpr size_t kSetSize = 8;
  for (int signal = 1; signal <= 64; ++signal) {
    std::array<uintptr_t, 4> action{};
    if (syscall(SYS_rt_sigaction, signal, nullptr, action.data(), kSetSize) < 0) continue;
    if (action[0] != reinterpret_cast<uintptr_t>(SIG_IGN)) continue;
    action = {};
    (void)syscall(SYS_rt_sigaction, signal, action.data(), nullptr, kSetSize);
  }
}

}  // namespace copal::sys
