// Programs that share init's binary. They run as processes of their own, never in PID 1.
#pragma once

#include <span>

namespace copal {

// --log FD:NAME[:RATE]... [FD:@kernel] [FD:@clients] [copal.console=LEVEL] [copal.log=COLLECTOR]:
// the log of all services, until SIGTERM.
int run_log(std::span<char*> arguments);

// --check DIR [ROOT]: whether PID 1 will like these service files.
int run_check(std::span<char*> arguments);

}  // namespace copal
