// Another program's output.
#pragma once

#include <string>
#include <vector>

#include "result.h"

namespace copal {

// What a program prints; an error if it cannot be run, or fails. What it says on standard error is
// dropped.
Result<std::string> output_of(std::vector<std::string> command);

}  // namespace copal
