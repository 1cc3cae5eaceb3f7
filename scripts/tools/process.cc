// Another program's output; see process.h.
#include "process.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"

namespace copal {
namespace {

class Actions {
 public:
  Actions() { ::posix_spawn_file_actions_init(&actions_); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions(Actions&&) = delete;
  Actions& operator=(const Actions&) = delete;
  Actions& operator=(Actions&&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

Result<std::string> read_all(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error("read from", "a pipe");
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<std::string> output_of(std::vector<std::string> command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os_error("make", "a pipe");
  const Fd from(ends[0]);
  Fd to(ends[1]);
  Actions actions;
  ::posix_spawn_file_actions_adddup2(actions.get(), to.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(actions.get(), STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (auto& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  pid_t child = 0;
  errno = ::posix_spawnp(&child, words.front(), actions.get(), nullptr, words.data(), environ);
  if (errno != 0) return os_error("run", command.front());
  to = Fd();  // the end is seen only when nobody can write any more
  auto text = read_all(from.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) return Error{command.front() + " failed"};
  return text;
}

}  // namespace copal
