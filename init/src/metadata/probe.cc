#include "metadata/probe.h"

#include <algorithm>
#include <cstdint>

namespace copal::metadata {
namespace {

// A label in a field of fixed size, filled up with blanks or NULs.
std::string_view label_in(std::string_view head, size_t at, size_t size) {
  if (head.size() < at + size) return {};
  std::string_view field = head.substr(at, size);
  field = field.substr(0, field.find('\0'));
  return field.substr(0, field.find_last_not_of(' ') + 1);
}

// A number of `n` bytes, the lowest first.
uint64_t little(std::string_view head, size_t at, size_t n) {
  uint64_t value = 0;
  while (n > 0) value = value << 8 | static_cast<unsigned char>(head[at + --n]);
  return value;
}

bool has(std::string_view head, size_t at, std::string_view magic) {
  return head.size() >= at + magic.size() && head.substr(at, magic.size()) == magic;
}

int base64_digit(char c) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t at = kDigits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::optional<std::string_view> smbios_string(std::string_view structure, std::string_view prefix) {
  // Type, length of the formatted part, handle; then strings, each with a NUL, and one NUL more.
  if (structure.size() < 2) return {};
  const size_t formatted = static_cast<unsigned char>(structure[1]);
  std::string_view rest = structure.substr(std::min(formatted, structure.size()));
  while (!rest.empty() && rest[0] != '\0') {
    const std::string_view text = rest.substr(0, rest.find('\0'));
    if (text.starts_with(prefix)) return text.substr(prefix.size());
    rest.remove_prefix(std::min(text.size() + 1, rest.size()));
  }
  return {};
}

std::optional<std::string> decode_base64(std::string_view text) {
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return {};
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return count < 6 ? std::optional(bytes) : std::nullopt;
}

std::optional<Volume> read_volume(std::string_view head) {
  constexpr size_t kIso = 32768;
  if (has(head, kIso, "\1CD001")) return Volume{"iso9660", label_in(head, kIso + 40, 32)};
  constexpr size_t kExt4 = 1024;
  if (has(head, kExt4 + 56, "\x53\xef")) return Volume{"ext4", label_in(head, kExt4 + 120, 16)};
  if (!has(head, 510, "\x55\xaa")) return {};
  if (has(head, 82, "FAT32   ")) return Volume{"vfat", label_in(head, 71, 11)};
  const bool small = has(head, 54, "FAT12   ") || has(head, 54, "FAT16   ");
  return small ? std::optional(Volume{"vfat", label_in(head, 43, 11)}) : std::nullopt;
}

std::optional<uint64_t> fat_root(std::string_view head) {
  if (head.size() < 512) return {};
  const uint64_t sector = little(head, 11, 2);
  const uint64_t cluster = sector * little(head, 13, 1);
  const uint64_t reserved = little(head, 14, 2);
  const uint64_t tables = little(head, 16, 1);
  const uint64_t small = little(head, 22, 2);  // sectors of a table; 0: it is FAT32
  if (small != 0) return (reserved + tables * small) * sector;
  const uint64_t first = little(head, 44, 4);  // the root directory's cluster
  if (first < 2) return {};
  return (reserved + tables * little(head, 36, 4)) * sector + (first - 2) * cluster;
}

std::string_view fat_label(std::string_view root) {
  constexpr size_t kEntry = 32;
  for (; root.size() >= kEntry && root[0] != '\0'; root.remove_prefix(kEntry)) {
    const auto kind = static_cast<unsigned char>(root[11]);
    constexpr unsigned kVolume = 0x08;
    constexpr unsigned kFolder = 0x10;  // with it, it is part of a long name
    const bool deleted = root[0] == '\xe5';
    if (!deleted && (kind & (kVolume | kFolder)) == kVolume && kind != 0x0f) {
      return label_in(root, 0, 11);
    }
  }
  return {};
}

}  // namespace copal::metadata
