// What is written beside an image: its manifest and its table of sizes.
#pragma once

#include <string>

#include "image.h"

namespace copal {

// A sorted line for each path: path type mode uid gid size sha256|target|major:minor package, with
// tabs between.
std::string image_manifest(const Image& image);

// Bytes of each package, the largest first, then the largest files.
std::string size_report(const Image& image);

}  // namespace copal
