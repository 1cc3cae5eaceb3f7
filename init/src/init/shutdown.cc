#include "init/shutdown.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "core/mountinfo.h"

namespace copal {
namespace {

std::string_view name(Ending ending) {
  constexpr std::array<std::string_view, 3> kNames = {"poweroff", "reboot", "kexec"};
  return kNames[static_cast<size_t>(ending)];
}

constexpr size_t kMaxMounts = 1024;

bool of_the_kernel(std::string_view path) {
  return path == "/" || is_below(path, "/proc") || is_below(path, "/sys") || is_below(path, "/dev");
}

// Last mounted, first unmounted. What is still in use is at least made read-only, which writes it
// out in full.
void unmount_all() {
  auto memory = sys::reserve(size_t{1} << 20);
  if (!memory.ok()) return;
  const std::span<char> buffer(reinterpret_cast<char*>(memory->data()), memory->size());
  auto text = sys::read_file("/proc/self/mountinfo", buffer);
  if (!text.ok()) return;
  std::array<const char*, kMaxMounts> paths{};
  size_t count = mount_points(buffer.first(text->size()), paths);
  while (count > 0) {
    const char* const path = paths[--count];
    if (of_the_kernel(path) || umount2(path, UMOUNT_NOFOLLOW) == 0) continue;
    (void)mount(nullptr, path, nullptr, MS_REMOUNT | MS_RDONLY, nullptr);
  }
}

// How much was written since the machine started, as the kernel counts it.
Line pages_written() {
  constexpr std::string_view kName = "\nnr_written ";
  std::array<char, 8192> buffer;
  auto text = sys::read_file("/proc/vmstat", buffer);
  const size_t at = text.ok() ? text->find(kName) : std::string_view::npos;
  if (at == std::string_view::npos) return Line();
  std::string_view rest = text->substr(at + kName.size());
  return Line(take_word(rest));
}

}  // namespace

void tell_ending(Ending ending, const sys::Log& log) {
  const Line text(name(ending), "\n");
  auto file = sys::open("/run/ending", O_WRONLY | O_CREAT | O_TRUNC, 0444);
  if (!file.ok() || write(file->get(), text.text().data(), text.text().size()) < 0) {
    log.fail(sys::Level::error, "/run/ending", sys::last_error("write"));
  }
}

// All of this may wait for a disk that is gone, for ever. So a child does it, and PID 1 only waits
// as long as pages are written.
void finish_files(const sys::Log& log, Watchdog& watchdog) {
  constexpr int kLook = 500;
  constexpr Duration kPatience = std::chrono::seconds(10);
  auto child = sys::clone_into(sys::Fd());
  if (child.ok() && child->pid == 0) {
    sync();
    unmount_all();
    _exit(0);
  }
  if (!child.ok()) return log.fail(sys::Level::error, "sync", child.error());
  pollfd wait{child->pidfd.get(), POLLIN, 0};
  Time limit = sys::now() + kPatience;
  Line written;
  while (poll(&wait, 1, kLook) <= 0) {
    const Time now = sys::now();
    if (watchdog.next() <= now) watchdog.feed(now);
    if (const Line pages = pages_written(); pages.text() != written.text()) {
      written = pages;
      limit = now + kPatience;
    }
    if (now < limit) continue;
    return log.say(sys::Level::error, "sync: nothing was written for ", kPatience,
                   "; what is not on disk is lost");
  }
}

Error leave(Ending ending, const sys::Log& log) {
  log.say(sys::Level::notice, name(ending), " ", sys::now());
  if (ending == Ending::kexec) {
    (void)::reboot(RB_KEXEC);
    log.fail(sys::Level::error, "kexec", sys::last_error("no kernel is loaded; rebooting"));
  }
  (void)::reboot(ending == Ending::poweroff ? RB_POWER_OFF : RB_AUTOBOOT);
  return sys::last_error("reboot");
}

}  // namespace copal
