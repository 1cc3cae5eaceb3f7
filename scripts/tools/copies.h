// Trees of the store put elsewhere: several merged into the folder that a build sees as /host or
// /sysroot, and one published as a folder of the user's.
#pragma once

#include <string>
#include <vector>

#include "result.h"

namespace copal {

// Merges trees into a new folder, by hard links where the file system allows it. Two trees that
// have different files at one path are an error.
Status merge(const std::vector<std::string>& trees, const std::string& folder, std::int64_t mtime);

// Makes `folder` a copy of <entry>/tree, unless it is one already: what was edited there, deleted
// or added is put right. It is replaced as a whole. True: there was something to do.
Result<bool> publish(const std::string& entry, const std::string& folder);

}  // namespace copal
