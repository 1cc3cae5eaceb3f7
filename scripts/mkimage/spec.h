// The image specification: what goes into an image. One statement on a line, words separated by
// blanks (a blank in a path is \x20), comments on lines of their own:
//
//   package <name> <tree> [<path>...]      these paths of a store entry's tree; a folder means all
//   in it overlay <label> <folder>               laid over the packages, in the order given dir
//   <path> <mode> [<uid> <gid>]        a folder, new or already there link <path> <target> file
//   <path> <source> <mode>            a single file from anywhere node <path> c|b <major> <minor>
//   <mode> owner <path> <uid> <gid> <mode>        of a path that is there; mode - keeps the mode
//   allow <path> <check> # <reason>        an exception to a check
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image.h"
#include "result.h"

namespace copal {

struct PackageSpec {
  std::string name;
  std::string tree;
  std::vector<std::string> paths;
};

struct OverlaySpec {
  std::string label;
  std::string folder;
};

struct OwnerSpec {
  std::string path;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool has_mode = false;
  unsigned mode = 0;
};

struct AllowSpec {
  std::string path;
  std::string check;
  std::size_t line = 0;
};

struct Spec {
  std::vector<PackageSpec> packages;
  std::vector<OverlaySpec> overlays;
  std::vector<std::pair<std::string, Item>> items;  // dir, link, file, node
  std::vector<OwnerSpec> owners;
  std::vector<AllowSpec> allows;
};

Result<Spec> parse_spec(std::string_view text);

}  // namespace copal
