// Flat assignments in Make's syntax, which is all that recipes, architectures and config.mk consist
// of: `name = value`, `name := value`, `name += value`, comments on lines of their own, and lines
// continued with a backslash. Whatever else Make knows (rules, conditionals, functions) is a
// mistake here, and is said to be one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "problems.h"

namespace copal {

struct Assignment {
  std::string name;  // not expanded yet: `configure-$(CONFIG_LIGHT)`
  bool append = false;
  std::string value;  // not expanded yet; blanks around it are gone
  int line = 0;
};

std::vector<Assignment> parse_assignments(const std::string& path, std::string_view text,
                                          Problems& problems);

}  // namespace copal
