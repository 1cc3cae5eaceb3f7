// Writes the CPIO archive ("newc") that the kernel unpacks as its first root filesystem. The same
// image gives the same bytes: inode numbers count from 1, devices are 0, every time is the one
// given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "file.h"
#include "image.h"
#include "result.h"

namespace copal {

class CpioWriter {
 public:
  CpioWriter(Writer& out, std::int64_t mtime) : out_(out), mtime_(mtime) {}

  // `content` is that of a file. `folders`: how many folders are in this one.
  Status add(const std::string& path, const Item& item, std::string_view content,
             std::uint32_t folders);
  Status finish();

 private:
  Status pad(std::uint64_t unit);

  Writer& out_;
  std::int64_t mtime_;
  std::uint32_t inode_ = 0;
};

// Nothing, or why the format cannot hold it.
Status fits_cpio(const std::string& path, const Item& item);

}  // namespace copal
