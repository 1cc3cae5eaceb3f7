// What firmware and disks say, taken from bytes that anybody may have written: an SMBIOS structure,
// base64, the label of a file system. Nothing here reads or allocates beyond its argument.
#pragma once

#include <cstdint>
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

// The label of a FAT may stand in the boot sector, in the root directory, or in both, as the tool
// and its age will have it; the root directory's is the one that counts.
std::optional<uint64_t> fat_root(std::string_view head);  // where it is on the disk
std::string_view fat_label(std::string_view root);        // empty if it has none

}  // namespace copal::metadata
