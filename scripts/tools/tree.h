// A file tree as a sorted list: every path below a root, with what lstat says of it. Nothing is
// followed, nothing is left out; the order is that of the bytes of the path.
#pragma once

#include <cstdint>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "result.h"

namespace copal {

struct Node {
  std::string path;  // "/" is the root itself, then "/usr", "/usr/bin", …
  mode_t mode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
  bool whole_second = true;  // no fraction in mtime
};

Result<std::vector<Node>> walk(const std::string& root);
Result<std::string> read_link(const std::string& path);
Status set_time(const std::string& path, std::int64_t mtime);  // of a link itself
std::string child(const std::string& folder, const std::string& name);
std::string below(const std::string& root,
                  const std::string& path);  // "/usr" below "out/tree" is "out/tree/usr"

}  // namespace copal
