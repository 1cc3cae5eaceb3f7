// One entry of the store, <store>/<entry>/{tree,manifest,inputs}: sealing a freshly installed tree,
// and telling whether an entry is still what was sealed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "result.h"

namespace copal {

constexpr std::size_t kKeySize = 32;  // hex digits

std::string key_of(std::string_view inputs);

// Makes the tree canonical in place (modes, times) and writes <entry>/manifest. An empty tree is an
// error: something went wrong that nobody noticed.
Status seal(const std::string& tree, const std::string& entry, std::int64_t mtime);

// The error says what is damaged. Quick: by lstat only, and that the inputs give the key. Full:
// contents and link targets too.
enum class Depth { quick, full };
Status check_entry(const std::string& store, const std::string& entry, Depth depth);

// The first difference between a tree and a manifest's text; as above.
Status check_tree(const std::string& tree, const std::string& manifest_text, Depth depth);

}  // namespace copal
