// What a service may do: capabilities, Landlock, seccomp.
#pragma once

#include "launch/view.h"

namespace copal::launch {

// Each is one call or a few in the child. False: errno says why, and `step` where.
bool drop_bounding(uint64_t caps);
// After the change of user, which clears the ambient set.
bool set_caps(uint64_t caps);
// A second lock on what make_view() left open: only these paths are written, and no process
// outside is signalled.
bool restrict_paths(const Confinement& confinement, Step& step);
bool install_filter(std::span<const sock_filter> filter);

// The version of Landlock that the kernel has; 0: none.
int landlock_version();

}  // namespace copal::launch
