// Files and messages: what the parts of this program have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sys/fd.h"

namespace copal::metadata {

// One line to stderr, which init takes to the log.
void say(std::string_view text);

// "open /run/x: No such file or directory", by errno.
std::string failure(std::string_view step, std::string_view path);

// At most `limit` bytes from the file's beginning; nothing, with errno, if it cannot be read.
std::optional<std::string> read_some(const sys::Fd& file, size_t limit);
std::optional<std::string> read_some(const std::string& path, size_t limit);

// A line of /sys without its newline, or of a device tree without its NUL; empty if it is not
// there.
std::string read_word(const std::string& path);

}  // namespace copal::metadata
