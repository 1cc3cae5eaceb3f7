// The first stage, run from the initramfs: makes the image the root, read-only, and starts the
// second stage from there.
#pragma once

#include "core/result.h"
#include "sys/log.h"

namespace copal {

// Comes back only if something went wrong.
Status enter_image(const sys::Log& log);

// Copies a tree and removes what it copied, file by file, so that no moment needs twice the
// memory. Keeps owners, modes, times and links; stays on the file system of `from`.
Status move_tree(const char* from, const char* to);

}  // namespace copal
