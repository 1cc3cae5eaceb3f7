// Which packages a configuration comes to: those that are selected, what they need, and what their
// build systems need (scripts/build/needs.mk). Only their recipes are read. The result is in an
// order in which every package comes after what it depends on; it is a function of the packages
// alone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "problems.h"
#include "recipe.h"
#include "variables.h"

namespace copal {

struct Package {
  Recipe recipe;
  std::vector<std::string> depends;  // sorted, each once; with what the build system needs
  std::vector<std::string> entries;  // of these, what is seen whole at /entries/<name>
  std::string override;              // a working tree that is built instead of the pinned sources
};

struct Plan {
  std::vector<Package> packages;
  std::map<std::string, std::string> recipe_files;  // of every package there is: name → path
  std::string image;                                // the package of `make all`
  std::string sandbox;                              // the package of the build sandbox
  std::string packer;                               // the package that packs go-vendor: sources
  const Package* find(const std::string& name) const;
};

// The file below DL that packs sources, and whether a recipe has one that is packed.
std::string packer_source(const Plan& plan);
bool is_packed(const Recipe& recipe);

// What there is to plan with. The repository is the working folder.
struct PlanInput {
  const Variables& globals;  // configuration symbols, architecture, HOST_ARCH
  // Goals of make that may name packages (zlib, zlib-rebuild): these are planned too.
  std::vector<std::string> wanted;
  bool all = false;                              // every recipe there is, for `make lint`
  std::map<std::string, std::string> overrides;  // package → working tree
};

Plan make_plan(const PlanInput& input, Problems& problems);

}  // namespace copal
