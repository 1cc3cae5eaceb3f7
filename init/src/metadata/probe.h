// What firmware and disks say, taken from bytes that anybody may have written: an SMBIOS structure,
// base64, the label of a file system. Nothing here reads or allocates beyond its argument.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace copal::metadata {

// The string that begins with `prefix` in an SMBIOS structure, without the prefix; as the kernel
// has it in /sys/firmware/dmi/entries/*/raw.
std::optional<std::string_view> smbios_string(std::string_view structure, std::string_view prefix);

// RFC 4648, with or without padding.
std::optional<std::string> decode_base64(std::string_view text);

struct Volume {
  const char* type = nullptr;  // as mount(2) calls it: iso9660, vfat, ext4
  std::string_view label;
};
// Where on a disk the label of an ISO 9660 volume ends; the others' are before that.
inline constexpr size_t kVolumeHead = 32768 + 2048;
// From the first kVolumeHead bytes of a disk or partition.
std::optional<Volume> read_volume(std::string_view head);

}  // namespace copal::metadata
