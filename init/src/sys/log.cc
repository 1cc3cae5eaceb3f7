#include "sys/log.h"

#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace copal::sys {

Status Log::open() {
  auto kmsg = sys::open("/dev/kmsg", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_APPEND);
  if (!kmsg.ok()) return kmsg.error();
  kmsg_ = std::move(*kmsg);
  return {};
}

Line kmsg_prefix(Level level) {
  constexpr int kDaemon = 3;
  return Line("<", kDaemon * 8 + static_cast<int>(level), ">");
}

void Log::write(Level level, const Line& line) const {
  if (!kmsg_.open()) return;
  const Line whole(kmsg_prefix(level).text(), "init: ", line.text(), "\n");
  // If the log does not take it, there is nobody left to tell.
  (void)!::write(kmsg_.get(), whole.text().data(), whole.text().size());
}

void Log::fail(Level level, const char* subject, Error error) const {
  say(level, subject, ": ", error.what, ": ", std::strerror(error.code));
}

}  // namespace copal::sys
