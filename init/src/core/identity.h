// What a machine is known by: 32 hexadecimal digits, as machine-id(5) has them. Those of firmware's
// words are empty if these tell no machine from another.
#pragma once

#include <array>
#include <string_view>

#include "core/text.h"

namespace copal {

// Of SMBIOS. Empty, too, for those that firmware has when nobody set one: many boards share them.
Line id_of_uuid(std::string_view uuid);

// Of a device tree: its model and serial number, hashed. (FNV-1a with 128 bits, by
// draft-eastlake-fnv: it is to be the same at every boot, and other on other machines, and keeps
// no secret.)
Line id_of_serial(std::string_view model, std::string_view serial);

Line id_of_bytes(const std::array<unsigned char, 16>& bytes);

}  // namespace copal
