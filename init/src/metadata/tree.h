// A machine's configuration: one JSON document in LinuxKit's form, which becomes a tree of files.
//
//   {"nomad": {"entries": {"10-base.hcl": {"content": "…", "perm": "0640"},
//                          "tls":         {"entries": {"ca.pem": {"content": "…"}}}}}}
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace copal::metadata {

inline constexpr size_t kMaxDocument = size_t{1} << 20;
inline constexpr size_t kMaxNodes = 1000;
inline constexpr size_t kMaxDepth = 8;
inline constexpr size_t kMaxName = 255;

struct Node {
  std::string path;  // "nomad/tls/ca.pem"
  bool folder = false;
  mode_t mode = 0;
  std::string content;
};

// A folder stands before what is in it; what belongs to one service stands together.
using Tree = std::vector<Node>;

// The whole document, or nothing, and then `problem` says where (as a JSON pointer) and what.
std::optional<Tree> parse_tree(std::string_view document, std::string& problem);

// True for a text without anything to read in it: as good as none.
bool blank(std::string_view text);

}  // namespace copal::metadata
