// What is done once, before the first service: file systems of the kernel, cgroups, clock, names.
#pragma once

#include "sys/log.h"

namespace copal {

// Only /dev, so that there is a log. For the first stage.
void mount_dev();
// All of the kernel's file systems, and fresh /run, /tmp and /var. A missing one is logged.
void mount_all(const sys::Log& log);
// The controllers, and the folder of the services' cgroups, which is returned: a closed Fd where
// there are no cgroups.
sys::Fd set_up_cgroups(const sys::Log& log);
// PID 1 goes to a leaf beside that folder.
void enter_own_cgroup(const sys::Fd& services, const sys::Log& log);
// Never earlier than the image was built.
void set_clock_floor(const sys::Log& log);
// PID 1 holds several descriptors for each service; the kernel lets it begin with 1,024.
void raise_file_limit(const sys::Log& log);

}  // namespace copal
