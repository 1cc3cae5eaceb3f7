// gzip (RFC 1952, 1951): user data of a cloud is often packed. No library for it is in the tree,
// and of one only this much would be used: what is packed is small, and is unpacked once.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace copal::metadata {

// One whole file, whose checksum is right. Nothing: it is damaged, or is larger than `limit`.
std::optional<std::string> gunzip(std::string_view packed, size_t limit);
inline constexpr std::string_view kDamaged = "is gzip, but damaged, or larger than 1 MiB";

}  // namespace copal::metadata
