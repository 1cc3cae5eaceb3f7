// Files of which a machine may have its own: those of the image are in /etc/<folder>, the machine's
// in /run/config/<folder>, where each stands for the image's of the same name.
#pragma once

#include <span>
#include <string_view>

#include "core/arena.h"
#include "core/lines.h"
#include "sys/fd.h"

namespace copal::sys {

struct ConfigFile {
  std::string_view name;
  std::string_view path;
  std::string_view text;
};

// Sorted by name. What cannot be read, and what is more than `most`, goes to the reporter.
std::span<ConfigFile> load_config_files(const Fd& root, std::string_view folder, size_t most,
                                        Arena& arena, Reporter& reporter);

}  // namespace copal::sys
