// What a machine is known by: 32 hexadecimal digits, as machine-id(5) has them. Both are empty if
// the firmware's words tell no machine from another.
#pragma once

#include <string_view>

#include "core/text.h"

namespace copal {

// Of SMBIOS. Empty, too, for those that firmware has when nobody set one.
Line id_of_uuid(std::string_view uuid);

// Of a device tree: its model and serial number, hashed. (FNV-1a with 128 bits, by
// draft-eastlake-fnv: it is to be the same at every boot, and other on other machines, and keeps
// no secret.)
Line id_of_serial(std::string_view model, std::string_view serial);

}  // namespace copal
