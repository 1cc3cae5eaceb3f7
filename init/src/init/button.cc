#include "init/button.h"

#include <linux/input.h>

#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace copal {
namespace {

bool has_power_key(int fd) {
  std::array<unsigned char, KEY_MAX / 8 + 1> keys{};
  // Not ioctl(): to musl a request is an int, and this one does not fit.
  if (syscall(SYS_ioctl, fd, EVIOCGBIT(EV_KEY, keys.size()), keys.data()) < 0) return false;
  return (keys[KEY_POWER / 8] >> (KEY_POWER % 8) & 1) != 0;
}

}  // namespace

std::array<sys::Fd, kMaxButtons> open_power_buttons() {
  std::array<sys::Fd, kMaxButtons> buttons;
  size_t count = 0;
  DIR* const dir = opendir("/dev/input");
  if (!dir) return buttons;
  while (const dirent* entry = readdir(dir)) {
    if (std::strncmp(entry->d_name, "event", 5) != 0 || count == kMaxButtons) continue;
    sys::Fd fd(openat(dirfd(dir), entry->d_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (fd.open() && has_power_key(fd.get())) buttons[count++] = std::move(fd);
  }
  closedir(dir);
  return buttons;
}

bool pressed(const sys::Fd& button) {
  input_event event{};
  bool found = false;
  while (read(button.get(), &event, sizeof event) == sizeof event) {
    found = found || (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1);
  }
  return found;
}

}  // namespace copal
