// `copalctl log`: shows what the log service holds.
#pragma once

#include <span>

namespace copal {

// [-f] [-n N] [NAME]. The exit code.
int ctl_log(std::span<char*> arguments);

}  // namespace copal
