// Writes a tar archive (ustar, with pax records where a value does not fit) for `mkfs.erofs
// --tar=f`: the way to give a filesystem image owners, modes and device nodes without being root.
// The same image gives the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "file.h"
#include "image.h"
#include "result.h"

namespace copal {

class TarWriter {
 public:
  TarWriter(Writer& out, std::int64_t mtime) : out_(out), mtime_(mtime) {}

  Status add(const std::string& path, const Item& item, std::string_view content);
  Status finish();

 private:
  Status block(std::string_view header, std::string_view body);

  Writer& out_;
  std::int64_t mtime_;
};

}  // namespace copal
