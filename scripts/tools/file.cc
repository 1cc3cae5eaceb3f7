// Files, with their descriptors owned; see file.h.
#include "file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace copal {

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Error os_error(std::string_view doing, std::string_view path) {
  const int code = errno;
  return {"cannot " + std::string(doing) + " " + std::string(path) + ": " + std::strerror(code)};
}

Result<Mapping> Mapping::open(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return os_error("read", path);
  Mapping mapping;
  if (info.st_size == 0)  // mmap refuses to map nothing
    return mapping;
  const auto size = static_cast<std::size_t>(info.st_size);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return os_error("read", path);
  mapping.data_ = data;
  mapping.size_ = size;
  return mapping;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

bool readable(const std::string& path) {
  return ::access(path.c_str(), R_OK) == 0;
}

Result<std::string> read_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return os_error("read", path);
  if (!S_ISREG(info.st_mode)) return Error{"cannot read " + path + ": it is no file"};
  std::string content(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t have = 0;
  for (;;) {  // one byte of room more than the size says, to see the end
    if (have == content.size()) content.resize(content.size() + 4096);
    const auto got = ::read(fd.get(), content.data() + have, content.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error("read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  content.resize(have);
  return content;
}

Status write_all(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const auto put = ::write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return os_error("write", path);
    data.remove_prefix(static_cast<std::size_t>(put));
  }
  return Ok{};
}

Result<Writer> Writer::create(const std::string& path) {
  auto temporary = path + ".tmp" + std::to_string(::getpid());
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd) return os_error("write", temporary);
  return Writer(path, std::move(temporary), std::move(fd));
}

Writer::~Writer() {
  if (fd_) ::unlink(temporary_.c_str());
}

Status Writer::write(std::string_view data) {
  static constexpr std::size_t kEnough = std::size_t{1} << 20U;
  size_ += data.size();
  if (buffer_.size() + data.size() < kEnough) {
    buffer_ += data;
    return Ok{};
  }
  if (auto status = flush(); !status) return status;
  return write_all(fd_.get(), data, temporary_);
}

Status Writer::flush() {
  auto status = write_all(fd_.get(), buffer_, temporary_);
  buffer_.clear();
  return status;
}

Status Writer::commit() {
  if (auto status = flush(); !status) return status;
  if (::close(fd_.release()) == 0 && ::rename(temporary_.c_str(), path_.c_str()) == 0) return Ok{};
  auto error = os_error("write", path_);
  ::unlink(temporary_.c_str());
  return error;
}

Status write_file(const std::string& path, std::string_view content) {
  auto writer = Writer::create(path);
  if (!writer) return writer.error();
  if (auto status = writer->write(content); !status) return status;
  return writer->commit();
}

Status write_if_changed(const std::string& path, std::string_view content) {
  const auto old = read_file(path);
  if (old && *old == content) return Ok{};
  return write_file(path, content);
}

}  // namespace copal
