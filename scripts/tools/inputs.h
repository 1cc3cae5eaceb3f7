// The inputs of entries that are to be built, kept where nothing changes them any more: one file
// for each entry, named by it, and the bytes of what it names, named by their hash. An edit of the
// repository while make runs does not reach a build.
#pragma once

#include <string>

#include "keying.h"
#include "result.h"

namespace copal {

// Writes <folder>/<entry>, and <folder>/.bytes/<sha256> for each content. What is there is kept.
Status keep_inputs(const std::string& folder, const Keyed& keyed);

// Puts the contents of an entry below `work`, each with its canonical mode and time, and checks its
// hash on the way.
Status stage(const std::string& folder, const std::string& entry, const std::string& work,
             std::int64_t mtime);

}  // namespace copal
