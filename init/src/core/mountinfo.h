// Reads /proc/self/mountinfo. Names of mount points are chosen by services (and by what they mount
// for their tasks), so this is pure, and fuzzed.
#pragma once

#include <cstddef>
#include <span>

namespace copal {

// The mount points in `text`, in the order in which they were mounted, each with a NUL behind it:
// they are decoded where they stand. Returns how many; those that find no place are left out.
size_t mount_points(std::span<char> text, std::span<const char*> paths);

}  // namespace copal
