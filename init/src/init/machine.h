// What makes this machine this one, and how its kernel is set: names and sysctls.
#pragma once

#include "sys/log.h"

namespace copal {

// From copal.hostname= on the kernel's command line, else /etc/hostname.
void set_hostname(const sys::Log& log);
// /run/machine-id: by the firmware's UUID or the device tree's serial number, so that it is the
// same after each boot; without one it is new each time.
void make_machine_id(const sys::Log& log);
// /etc/sysctl.conf: `path/below/proc/sys = value`, # begins a comment. The path has slashes, since
// the name of a network device may have a dot.
void apply_sysctls(const sys::Log& log);

// One word of the kernel's command line, by the kernel's own rules (next_arg() in lib/cmdline.c).
struct Parameter {
  std::string_view name;
  std::string_view value;  // without its quotes
};
// Cuts it off. Both are empty at the end.
Parameter take_parameter(std::string_view& command_line);
// Goes on to the next one whose name begins like Copal's and is none of them. Empty: the end.
std::string_view next_unknown_parameter(std::string_view& command_line);
// The value of the last `key=` on the kernel's command line; empty if it is not there.
std::string_view kernel_argument(std::string_view command_line, std::string_view key);
Line boot_argument(std::string_view key);  // of this boot
// Says what is unknown there.
void check_boot_arguments(const sys::Log& log);

}  // namespace copal
