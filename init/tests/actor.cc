// What the tests' services are made of: a program without needs, which does what its first argument
// says and then sleeps until it is stopped.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

int notify(const char* text) {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  if (!path) return 1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  return sendto(fd, text, std::strlen(text), 0, to, sizeof address) < 0 ? 1 : 0;
}

int listen_on(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) return 1;
  return listen(fd, 8) < 0 ? 1 : 0;
}

// Processes that lose their parent at once, and end at once.
int orphans(int count) {
  signal(SIGCHLD, SIG_IGN);
  for (int i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child < 0) {
      --i;  // there are as many as there may be: PID 1 is about to reap some
      usleep(1000);
    } else if (child == 0) {
      (void)!fork();
      _exit(0);
    }
  }
  return 0;
}

// One that stays, in a session of its own, and hears no SIGTERM.
int leave() {
  const pid_t child = fork();
  if (child > 0) return 0;
  if (child < 0) return 1;
  signal(SIGTERM, SIG_IGN);
  setsid();
  if (fork() > 0) _exit(0);
  for (;;) pause();
}

int act(const char* what, const char* how) {
  if (std::strcmp(what, "sleep") == 0) return 0;
  if (std::strcmp(what, "exit") == 0) _exit(std::atoi(how));
  if (std::strcmp(what, "notify") == 0) return notify("READY=1\n");
  if (std::strcmp(what, "listen") == 0) return listen_on(how);
  if (std::strcmp(what, "leave") == 0) return leave();
  if (std::strcmp(what, "orphans") == 0) return orphans(std::atoi(how));
  if (std::strcmp(what, "deaf") == 0) return signal(SIGTERM, SIG_IGN) == SIG_ERR ? 1 : 0;
  // Fails once, and not again.
  if (std::strcmp(what, "stumble") == 0)
    return open(how, O_CREAT | O_EXCL | O_CLOEXEC, 0600) < 0 ? 0 : 1;
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const int code = act(argc > 1 ? argv[1] : "sleep", argc > 2 ? argv[2] : "0");
  if (code != 0) return code;
  (void)!write(1, "acting\n", 7);
  for (;;) pause();
}
