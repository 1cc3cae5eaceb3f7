#include "metadata/file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace copal::metadata {

void say(std::string_view text) {
  const std::string line = std::string(text) + "\n";
  (void)!write(2, line.data(), line.size());
}

std::string failure(std::string_view step, std::string_view path) {
  const int code = errno;
  return std::string(step).append(" ").append(path).append(": ").append(std::strerror(code));
}

std::optional<std::string> read_some(const sys::Fd& file, size_t limit) {
  std::string text;
  std::array<char, 16384> buffer;
  while (text.size() < limit) {
    const ssize_t n = read(file.get(), buffer.data(), std::min(buffer.size(), limit - text.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {};
    if (n == 0) break;
    text.append(buffer.data(), static_cast<size_t>(n));
  }
  return text;
}

std::optional<std::string> read_some(const std::string& path, size_t limit) {
  // Not blocking: a CD drive without a disk then says so at once.
  const sys::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.open()) return {};
  return read_some(file, limit);
}

std::string read_word(const std::string& path) {
  std::string text = read_some(path, 256).value_or("");
  const size_t last = text.find_last_not_of(std::string_view(" \n\0", 3));
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text;
}

}  // namespace copal::metadata
