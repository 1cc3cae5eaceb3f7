// From a tree to files below /run/config.
#pragma once

#include <string>

#include "metadata/tree.h"

namespace copal::metadata {

// Makes the tree the machine's configuration, all of it or nothing; what was there is replaced.
// Where the image has a folder /etc/SERVICE/default and the tree has no such service,
// /run/config/SERVICE leads there. False: `problem` says why.
bool write_tree(const Tree& tree, std::string& problem);

}  // namespace copal::metadata
