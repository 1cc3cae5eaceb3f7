// The manifest of a store entry: what its tree holds. The first line is `copal-manifest 1 <mtime>`,
// then comes one line for each path, sorted, with tabs between path, type (d f l), mode, size and
// the file's SHA-256 or the link's target. Paths and targets are escaped (see text.h), so a line is
// a line whatever a file is called.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "result.h"

namespace copal {

struct ManifestLine {
  std::string path;
  char type = 'f';
  unsigned mode = 0;
  std::uint64_t size = 0;
  std::string detail;  // SHA-256 of a file, target of a link, "-" for a folder
};

struct Manifest {
  std::int64_t mtime = 0;  // of everything in the tree
  std::vector<ManifestLine> paths;
};

std::string write_manifest(const Manifest& manifest);
Result<Manifest> parse_manifest(std::string_view text);

}  // namespace copal
