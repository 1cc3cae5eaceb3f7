// Files, with their descriptors owned: read one whole, map one read-only, replace one only when its
// content differs (temporary name, then rename, so that no reader ever sees half a file).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "result.h"

namespace copal {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd();
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

class Mapping {
 public:
  static Result<Mapping> open(const std::string& path);
  ~Mapping();
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  Mapping& operator=(Mapping&&) = delete;

  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  Mapping() = default;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

// A large file written piece by piece under a temporary name. What is not committed is removed
// again.
class Writer {
 public:
  static Result<Writer> create(const std::string& path);
  ~Writer();
  Writer(Writer&&) = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  Writer& operator=(Writer&&) = delete;

  Status write(std::string_view data);
  Status commit();
  std::uint64_t size() const { return size_; }

 private:
  Writer(std::string path, std::string temporary, Fd fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}
  Status flush();

  std::string path_;
  std::string temporary_;
  Fd fd_;
  std::string buffer_;
  std::uint64_t size_ = 0;
};

Error os_error(std::string_view doing, std::string_view path);  // from errno
bool exists(const std::string& path);                           // a link that leads nowhere, too
bool readable(const std::string& path);                         // what it leads to
Result<std::string> read_file(const std::string& path);
Status write_all(int fd, std::string_view data, const std::string& path);
Status write_file(const std::string& path, std::string_view content);  // replaces it, whole
Status write_if_changed(const std::string& path, std::string_view content);

}  // namespace copal
