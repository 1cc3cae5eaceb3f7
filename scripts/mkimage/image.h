// The image as a value: every path with all that an archive or the manifest says of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace copal {

struct Item {
  char type = 'd';  // d f l c b
  unsigned mode = 0755;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;
  std::string target;  // of a link
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::string owner =
      "-";  // a package, overlay:<label>, spec; "-" for folders that nobody or several have
  std::string sha256;  // of a file: what it must be (from a package's manifest), then what it is
  std::string source;  // where the file's content is read from
  std::string entry;   // the store entry that the content comes from, if it does
};

// By path ("/" first): the order of bytes, in which every folder comes before what is in it.
using Image = std::map<std::string, Item>;

constexpr std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace copal
