// What the engine knows about the packages of a plan, for people and programs.
#pragma once

#include <string>
#include <vector>

#include "keying.h"

namespace copal {

// One JSON object: package → its fields, recipe, entry, and the names of its sources' files.
std::string info_json(const Plan& plan, const std::vector<Keyed>& packages);

// What a package needs, as an indented tree; or, `reverse`, what needs it.
std::string dependencies(const std::vector<Keyed>& packages, const std::string& name, bool reverse);

// Every package there is, with its summary: whether the configuration selects it, too.
std::string package_list(const Plan& plan);

}  // namespace copal
