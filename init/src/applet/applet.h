// Programs that share init's binary. They run as processes of their own, never in PID 1.
#pragma once

#include <span>

namespace copal {

// --log FD:NAME[:RATE]... [FD:@kernel] [FD:@clients] [copal.console=LEVEL] [copal.log=COLLECTOR]:
// the log of all services, until SIGINT.
int run_log(std::span<char*> arguments);

// For when an image is built:
// --check DIR [ROOT]: whether PID 1 will like these service files.
int run_check(std::span<char*> arguments);
// --security DIR ROOT: what each could do in the wrong hands.
int run_security(std::span<char*> arguments);
// --manual: what a service file may say.
int run_manual();

// --status ADDRESS:PORT: the state of all services over HTTP.
int run_status(std::span<char*> arguments);

// --at-stop /PROGRAM [ARGUMENT...]: is ready (`ready = fd`) when no stop is missed any more, waits
// until it is stopped, and then becomes that program. Such a service takes a step before another
// one stops, which it needs, or after, if that one needs it.
int run_at_stop(std::span<char*> arguments);

// --disk: mounts what /etc/disks, /run/config/disks and the kernel's command line name.
int run_disk();

// --net: sets up the links. --net --wait: waits until the machine is online.
int run_net(std::span<char*> arguments);

// Under the name of dhcpcd's script: takes over what dhcpcd was told.
int run_dhcp_hook();

}  // namespace copal
