// The thin seam to the kernel: calls that libc lacks or that several files need, with RAII and
// Result in place of -1 and errno. Nothing here decides anything.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/arena.h"
#include "core/result.h"
#include "core/time.h"
#include "sys/fd.h"

namespace copal::sys {

// errno, with the step that failed.
Error last_error(const char* what);

Time now();
uint32_t random_seed();

// Address space of which only what is used costs memory.
Result<std::span<std::byte>> reserve(size_t size);

Result<Fd> open(const char* path, int flags, int mode = 0);
Result<Fd> open_at(const Fd& dir, const char* path, int flags, int mode = 0);

// A whole small file, as in /proc and /etc. Longer than `buffer`: EFBIG.
Result<std::string_view> read_file(const Fd& dir, const char* path, std::span<char> buffer);
Result<std::string_view> read_file(const char* path, std::span<char> buffer);
Result<std::string_view> load_file(const Fd& dir, const char* path, size_t limit, Arena& arena);
// One write to an existing file, as in /proc and /sys.
Status write_file(const char* path, std::string_view text);
Status write_file(const Fd& dir, const char* path, std::string_view text);

struct Pipe {
  Fd in;   // is read
  Fd out;  // is written
};
Result<Pipe> make_pipe(int flags = 0);
// A Unix socket (SOCK_...) to which only root, and a group that is not 0, may connect.
Result<Fd> listen_at(const char* path, int type, unsigned group);
// The other end of such a socket.
Result<Fd> connect_to(const char* path, int type);

// A datagram, and who sent it, from a socket with SO_PASSCRED. Its size, or -1. Descriptors that
// come along are closed.
ssize_t receive(const Fd& socket, std::span<char> buffer, pid_t& sender);

// Of the network namespace that the process is in.
Status bring_up_loopback();

// fork, but the child starts in the cgroup and with default signal handlers, and there is a pidfd
// from the first moment on. In the child, pid is 0. `flags` are CLONE_NEW... and CLONE_FILES.
struct Child {
  int pid = 0;
  Fd pidfd;
};
Result<Child> clone_into(const Fd& cgroup, uint64_t flags = 0);
// A pidfd of a child that is there already.
Fd open_pid(int pid);
Status send_signal(const Fd& pidfd, int signal);
// With all that are below it. EBUSY: there are still processes.
Status remove_cgroup(const Fd& parent, const char* name);

sigset_t catchable_signals();
// What PID 1 ignores, every service would ignore: CLONE_CLEAR_SIGHAND leaves that as it is.
void stop_ignoring_signals();

// Level as in syslog(3).
enum class Level : uint8_t { critical = 2, error = 3, warning = 4, notice = 5, info = 6 };

}  // namespace copal::sys
