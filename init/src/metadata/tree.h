// A machine's configuration: one JSON document in LinuxKit's form, which becomes a tree of files.
//
//   {"nomad": {"entries": {"10-base.hcl": {"content": "…", "perm": "0640"},
//                          "tls":         {"entries": {"ca.pem": {"content": "…"}}}}}}
#pragma once

#include <cstdint>
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

// What a text is that was found where a document may be, by how it begins.
enum class Form : uint8_t {
  nothing,   // there is nothing to read in it: as good as none
  foreign,   // it is for cloud-init: #cloud-config, #!, MIME
  packed,    // gzip
  document,  // or what was meant to be one
};
Form form_of(std::string_view text);

// The whole document, or nothing, and then `problem` says where (as a JSON pointer) and what.
std::optional<Tree> parse_tree(std::string_view document, std::string& problem);

// False: it is no JSON at all, such as half a document, or a page of somebody who is in between.
bool is_json(std::string_view text);

}  // namespace copal::metadata
