// From a plan to keys: the inputs text of each package (everything that its output depends on,
// readable), its key (the hash of that text) and so the name of its store entry.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "content.h"
#include "plan.h"
#include "problems.h"

namespace copal {

struct Keyed {
  const Package* package = nullptr;
  std::string entry;  // <name>-<version>-<key>
  std::string inputs;
  std::vector<std::string> depends;  // entries
  std::vector<Content> contents;
  std::vector<std::string> sources;  // below DL: <sha256>/<file>
};

struct KeyInput {
  // The environment of every build for the target: what scripts/arch/<arch>.mk calls TARGET….
  std::map<std::string, std::string> target;
  std::map<std::string, std::string> all;  // and of every build
  const Variables& globals;                // for `symbols`
};

// In the order of the plan.
std::vector<Keyed> key_packages(const Plan& plan, const KeyInput& input, Problems& problems);

}  // namespace copal
