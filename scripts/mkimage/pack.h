// Composes an image from its specification, checks it and writes the archives that were asked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image.h"
#include "result.h"
#include "spec.h"

namespace copal {

struct Archives {
  std::string cpio;  // "" for none
  std::string tar;
};

struct Packed {
  Image image;
  std::vector<std::string> problems;
  std::vector<std::string> damaged;  // `<entry>\t<what is wrong>`
  bool good() const { return problems.empty() && damaged.empty(); }
};

// The archives are only there at the end when the image is good.
Result<Packed> pack(const Spec& spec, std::uint16_t machine, std::int64_t mtime,
                    const Archives& archives);

}  // namespace copal
