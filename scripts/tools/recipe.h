// One recipe, read and checked: its fields as they evaluate under a configuration. A field f also
// takes what f-y has, so that `configure-$(CONFIG_LIGHT) += …` is a condition.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fields.h"
#include "problems.h"
#include "variables.h"

namespace copal {

struct Recipe {
  std::string name;
  std::string path;                     // packages/zlib/zlib.mk
  std::string folder;                   // packages/zlib
  std::map<std::string, Value> fields;  // only those that come to something

  std::string text(const std::string& field) const;
  std::vector<Piece> words(const std::string& field) const;
  Place place(const std::string& field) const;  // of its first line, for what is wrong with it
  bool is_host() const { return is_host_package(name); }
};

Recipe read_recipe(const std::string& path, const Variables& globals,
                   const std::vector<std::string>& build_systems, Problems& problems);

}  // namespace copal
