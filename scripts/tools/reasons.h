// Why a package is built again: the difference between the inputs of its last build and those of
// now, followed through changed dependencies down to what really changed.
#pragma once

#include <string>

#include "result.h"

namespace copal {

// `current` and `built` are folders of inputs files. The report ends with a newline.
Result<std::string> reasons(const std::string& current, const std::string& built,
                            const std::string& name);

}  // namespace copal
