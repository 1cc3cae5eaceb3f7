#include "ctl/log.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

#include "core/text.h"
#include "sys/kernel.h"

namespace copal {
namespace {

constexpr const char* kSocket = "/run/init/log";

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

int fail(const Line& line) {
  (void)write_all(2, Line("copalctl: log: ", line.text(), "\n").text());
  return 1;
}

}  // namespace

int ctl_log(std::span<char*> arguments) {
  Line request;
  bool follow = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == "-f") {
      follow = true;
      request.add("follow ");
    } else if (word == "-n" && i + 1 < arguments.size()) {
      request.add("lines=").add(std::string_view(arguments[++i])).add(" ");
    } else if (word.starts_with("-")) {
      (void)write_all(2, "usage: copalctl log [-f] [-n LINES] [SERVICE]\n");
      return 2;
    } else {
      request.add(word).add(" ");
    }
  }
  const auto fail_socket = [](int error) {
    return fail(Line(kSocket, ": ", std::strerror(error)));
  };
  auto fd = sys::connect_to(kSocket, SOCK_STREAM);
  if (!fd.ok()) return fail_socket(fd.error().code);
  if (!write_all(fd->get(), request.add("\n").text())) return fail_socket(errno);
  std::array<char, 16384> buffer;
  bool first = true;
  bool refused = false;
  while (true) {
    const ssize_t n = read(fd->get(), buffer.data(), buffer.size());
    if (n < 0) return fail(Line(std::strerror(errno)));
    if (n == 0) break;
    // Records begin with a year.
    if (std::exchange(first, false)) refused = buffer[0] == 'l';
    if (!write_all(refused ? 2 : 1, {buffer.data(), static_cast<size_t>(n)})) return 1;
  }
  return refused ? 1 : follow ? fail(Line("the log service has gone")) : 0;
}

}  // namespace copal
