// What Make wants to know of a plan: which entries are missing, what must be there before each, and
// which goals are packages. What is in the store already costs Make nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keying.h"
#include "result.h"

namespace copal {

struct MakeInput {
  std::string store;
  std::string dl;
  std::vector<std::string> goals;  // of the command line
  std::vector<std::string> known;  // goals that are the engine's own, to suggest one
};

// zlib-rebuild is the verb `rebuild` of the package zlib; zlib alone is built. Nothing if it is
// none.
struct PackageGoal {
  std::string package;
  std::string verb;
};
std::optional<PackageGoal> package_goal(const std::string& goal, const Plan& plan);
// The packages that goals may name, to be planned too; whether they exist is seen later.
std::vector<std::string> packages_in(const std::vector<std::string>& goals);

enum class Presence { there, missing, damaged };

// Of the package's sources, <sha256>/<file>, those that are not in DL.
std::vector<std::string> missing_sources(const Keyed& package, const std::string& dl);

// The missing entries that the goals come to, in build order.
std::vector<std::string> to_build(const Plan& plan, const std::vector<Keyed>& packages,
                                  const std::vector<Presence>& presence, const MakeInput& input);

// Text in Make's syntax; `presence` of the entry of each package.
Result<std::string> makefile(const Plan& plan, const std::vector<Keyed>& packages,
                             const std::vector<Presence>& presence, const MakeInput& input);

}  // namespace copal
