// Programs that share init's binary. They run as processes of their own, never in PID 1.
#pragma once

#include <span>

namespace copal {

// --log FD:NAME...: what services print, into the kernel's log, until SIGTERM.
int run_log(std::span<char*> arguments);

// --check DIR [ROOT]: whether PID 1 will like these service files.
int run_check(std::span<char*> arguments);

// --disk: mounts what /etc/disks, /run/config/disks and the kernel's command line name.
int run_disk();

}  // namespace copal
