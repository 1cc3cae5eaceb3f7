// The plan: what the Make engine hands to `keys`. One line for each package, `field=value` words
// separated by tabs, `name=` first. All fields are data that go into the key as they are, except
// source (<sha256>:<file>), file (a path of the repository) and depends (names of packages).
// Parsing also puts the packages in an order in which every package comes after what it depends on;
// that order does not depend on the plan's own.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "result.h"

namespace copal {

struct Package {
  std::string name;
  std::string version;
  std::vector<std::pair<std::string, std::string>> data;     // name and version among them
  std::vector<std::pair<std::string, std::string>> sources;  // SHA-256, file name
  std::vector<std::string> files;
  std::vector<std::string> depends;  // sorted, each once
};

Result<std::vector<Package>> parse_plan(std::string_view text);
Result<std::vector<Package>> in_build_order(std::vector<Package> packages);

}  // namespace copal
