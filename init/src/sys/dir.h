// The names in a folder, in no order.
#pragma once

#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys/fd.h"

namespace copal::sys {

class Dir {
 public:
  // Takes the descriptor over.
  explicit Dir(int fd) : dir_(fdopendir(fd)) {
    if (!dir_ && fd >= 0) close(fd);
  }
  Dir(const Fd& parent, const char* path)
      : Dir(openat(parent.get(), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  ~Dir() {
    if (dir_) closedir(dir_);
  }
  Dir(const Dir&) = delete;
  Dir& operator=(const Dir&) = delete;
  Dir(Dir&&) = delete;
  Dir& operator=(Dir&&) = delete;

  [[nodiscard]] bool open() const { return dir_ != nullptr; }
  [[nodiscard]] int fd() const { return dirfd(dir_); }
  // The next name other than . and ..; null at the end, or if there is no folder.
  const char* next() {
    while (const dirent* entry = dir_ ? readdir(dir_) : nullptr) {
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
        return entry->d_name;
      }
    }
    return nullptr;
  }

 private:
  DIR* dir_;
};

}  // namespace copal::sys
