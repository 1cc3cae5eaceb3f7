// Why a package is built again: the difference between the inputs of its last build and those of
// now, followed through changed dependencies down to what really changed.
#pragma once

#include <string>
#include <vector>

#include "keying.h"
#include "result.h"

namespace copal {

// `built` is the folder with the inputs of what was last built here, by package. The report ends
// with a newline.
Result<std::string> reasons(const std::vector<Keyed>& packages, const std::string& built,
                            const std::string& name);

}  // namespace copal
