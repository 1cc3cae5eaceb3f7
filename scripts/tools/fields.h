// The fields of a recipe: their names, whether a build sees them (and so its key covers them), and
// what each value has to look like. docs/recipes.md describes them to people.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "problems.h"
#include "variables.h"

namespace copal {

// What the checks of values need to know of everything else.
struct FieldContext {
  const Variables& globals;                // configuration symbols, and the engine's own
  std::vector<std::string> build_systems;  // for `build`
  std::string recipe;                      // path
};

struct Field {
  std::string_view name;
  bool in_key = false;  // the build sees it as recipe_<name>
  // What is wrong with a value, or nothing: called for each word, or for the whole text.
  enum class Unit { word, text } unit = Unit::word;
  std::string (*check)(std::string_view value, const FieldContext& context) = nullptr;
};

const std::vector<Field>& fields();
const Field* find_field(std::string_view name);
std::vector<std::string> field_names();

bool is_package_name(std::string_view text);
// Whether a package of this name is for the build machine: host-… and cross-….
bool is_host_package(std::string_view name);
// The name under which a source is kept and seen in /src: go:m/x@v is x-v.zip, anything else has a
// last part of its own.
std::string source_file(std::string_view uri);

}  // namespace copal
