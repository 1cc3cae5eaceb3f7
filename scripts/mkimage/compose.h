// From the specification to the image: which paths there are, whose they are, with which mode and
// owner. Two packages that own one path are a problem, an overlay wins over everything before it,
// parents come by themselves.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "image.h"
#include "spec.h"

namespace copal {

struct Composition {
  Image image;
  std::vector<std::string> problems;
  std::vector<std::string> damaged;  // store entries that cannot be read
};

Composition compose(const Spec& spec);

}  // namespace copal
