// Programs that share init's binary. They run as processes of their own, never in PID 1.
#pragma once

#include <span>

namespace copal {

// --log FD:NAME...: what services print, into the kernel's log, until SIGTERM.
int run_log(std::span<char*> arguments);

// --check DIR [ROOT]: whether PID 1 will like these service files.
int run_check(std::span<char*> arguments);

// --net: sets up the links. --net --wait: waits until the machine is online. --net --check [DIR].
int run_net(std::span<char*> arguments);

// Under the name of dhcpcd's script: takes over what dhcpcd was told.
int run_dhcp_hook();

}  // namespace copal
