#include "disk/volume.h"

#include <algorithm>
#include <cstring>

namespace copal {
namespace {

using Bytes = std::span<const std::byte>;

// A number of `n` bytes, the lowest first.
uint64_t little(Bytes from, size_t at, size_t n) {
  uint64_t value = 0;
  while (n > 0) value = value << 8 | std::to_integer<uint64_t>(from[at + --n]);
  return value;
}

bool is(Bytes from, std::string_view text) {
  return std::memcmp(from.data(), text.data(), text.size()) == 0;
}

// The text form of 16 bytes. In a GPT the first three groups are little-endian numbers.
void write_uuid(Bytes bytes, bool mixed, std::array<char, 37>& to) {
  constexpr std::array<uint8_t, 16> kMixed = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  constexpr std::string_view kDigits = "0123456789abcdef";
  size_t at = 0;
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) to[at++] = '-';
    const auto byte = std::to_integer<unsigned>(bytes[mixed ? kMixed[i] : i]);
    to[at++] = kDigits[byte >> 4];
    to[at++] = kDigits[byte & 15];
  }
}

// ---- Superblocks

struct Mark {
  Content content;
  uint32_t align;  // 0: `at` is from the start. Else before the end, rounded down to this
  uint32_t at;
  std::string_view bytes;
};
constexpr std::array kMarks = {
    Mark{Content::ext4, 0, 1024 + 56, "\x53\xef"},
    Mark{Content::xfs, 0, 0, "XFSB"},
    Mark{Content::btrfs, 0, 65536 + 64, "_BHRfS_M"},
    Mark{Content::ntfs, 0, 3, "NTFS    "},
    Mark{Content::exfat, 0, 3, "EXFAT   "},
    Mark{Content::vfat, 0, 54, "FAT1"},
    Mark{Content::vfat, 0, 82, "FAT32"},
    Mark{Content::iso9660, 0, 32768 + 1, "CD001"},
    Mark{Content::swap, 0, 4096 - 10, "SWAPSPACE2"},
    Mark{Content::luks, 0, 0, "LUKS\xba\xbe"},
    // In any of the first four sectors.
    Mark{Content::lvm, 0, 0, "LABELONE"},
    Mark{Content::lvm, 0, 512, "LABELONE"},
    Mark{Content::lvm, 0, 1024, "LABELONE"},
    Mark{Content::lvm, 0, 1536, "LABELONE"},
    // Linux md 1.1, 1.2, 1.0 and 0.90; what Intel's firmware makes.
    Mark{Content::raid, 0, 0, "\xfc\x4e\x2b\xa9"},
    Mark{Content::raid, 0, 4096, "\xfc\x4e\x2b\xa9"},
    Mark{Content::raid, 4096, 8192, "\xfc\x4e\x2b\xa9"},
    Mark{Content::raid, 65536, 65536, "\xfc\x4e\x2b\xa9"},
    Mark{Content::raid, 512, 1024, "Intel Raid ISM Cfg Sig. "},
    // The first name in ZFS's first label, after its length.
    Mark{Content::zfs, 0, 16384 + 20, {"\0\0\0\x07version", 11}},
    Mark{Content::mbr, 0, 510, "\x55\xaa"},
};

// None: the disk is too small for it.
std::optional<uint64_t> place(const Mark& mark, uint64_t size) {
  if (mark.align == 0) return mark.at;
  const uint64_t end = size & ~uint64_t{mark.align - 1};
  if (end < mark.at) return {};
  return end - mark.at;
}

void identify(Bytes head, size_t label, size_t label_size, size_t uuid, Volume& volume) {
  std::memcpy(volume.label.data(), &head[label], label_size);
  write_uuid(head.subspan(uuid, 16), false, volume.uuid);
}

// False: only the mark was there, by chance.
bool read_ext4(Bytes head, Volume& volume) {
  const Bytes block = head.subspan(1024);
  const uint64_t shift = little(block, 24, 4);
  if (shift > 6) return false;
  const bool wide = (little(block, 96, 4) & 0x80) != 0;
  const uint64_t blocks = little(block, 4, 4) | (wide ? little(block, 336, 4) << 32 : 0);
  volume.bytes = blocks << (10 + shift);
  identify(block, 120, 16, 104, volume);
  return true;
}

// ---- GPT

constexpr uint32_t kEntry = 128;  // no other size is in use, nor known to the kernel
constexpr uint32_t kMaxEntries = 4096;
constexpr std::string_view kGptMark = "EFI PART";

uint32_t crc32(uint32_t crc, Bytes bytes) {
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
  }
  return crc;
}

struct Gpt {
  bool marked = false;  // it says that it is one
  bool good = false;    // and its checksums are right
  bool backup = false;
  uint64_t entries = 0;
  uint32_t count = 0;
};

bool good_entries(Source& disk, const Gpt& gpt, uint32_t expected) {
  std::array<std::byte, kEntry> entry;
  uint32_t crc = ~0U;
  for (uint32_t i = 0; i < gpt.count; ++i) {
    if (!disk.read(gpt.entries + uint64_t{i} * kEntry, entry)) return false;
    crc = crc32(crc, entry);
  }
  return ~crc == expected;
}

Gpt read_gpt(Source& disk, uint32_t sector, uint64_t at) {
  Gpt gpt;
  std::array<std::byte, 512> header;
  if (!disk.read(at, header)) return gpt;
  gpt.marked = is(header, kGptMark);
  const uint64_t size = little(header, 12, 4);
  if (!gpt.marked || size < 92 || size > header.size()) return gpt;
  const auto expected = static_cast<uint32_t>(little(header, 16, 4));
  std::fill_n(header.begin() + 16, 4, std::byte{});
  if (~crc32(~0U, Bytes(header).first(size)) != expected) return gpt;
  const uint64_t entries = little(header, 72, 8);
  const uint64_t count = little(header, 80, 4);
  if (little(header, 24, 8) != at / sector || entries > disk.size() / sector ||
      count > kMaxEntries || little(header, 84, 4) != kEntry) {
    return gpt;
  }
  gpt.entries = entries * sector;
  gpt.count = static_cast<uint32_t>(count);
  gpt.good = good_entries(disk, gpt, static_cast<uint32_t>(little(header, 88, 4)));
  return gpt;
}

// The first copy, or if that is damaged the one at the end.
Gpt find_gpt(Source& disk, uint32_t sector) {
  if (sector < 512 || disk.size() < uint64_t{3} * sector) return {};
  const Gpt first = read_gpt(disk, sector, sector);
  if (first.good) return first;
  Gpt gpt = read_gpt(disk, sector, (disk.size() / sector - 1) * sector);
  gpt.backup = true;
  gpt.marked = gpt.marked || first.marked;
  return gpt;
}

// ---- MBR

// It is the signature of its disk and the number that make one known. The kernel has found the
// logical ones, from 5 on, where this does not look for them.
std::optional<Partition> find_mbr_partition(Source& disk, uint32_t sector, uint32_t number) {
  std::array<std::byte, 512> block;
  if (number == 0 || number > 0xff || !disk.read(0, block)) return {};
  if (!is(Bytes(block).subspan(510), "\x55\xaa")) return {};
  Partition partition;
  if (number <= 4) partition.start = little(block, 446 + size_t{16} * (number - 1) + 8, 4) * sector;
  // "5f2a9c10-01": as in a GPT the first group of digits, and of the second the first two.
  std::array<std::byte, 16> id{};
  std::copy_n(block.begin() + 440, 4, id.begin());
  id[5] = std::byte(number);
  write_uuid(id, true, partition.uuid);
  partition.uuid[11] = '\0';
  return partition;
}

}  // namespace

Volume examine(Source& disk, uint32_t sector) {
  Volume volume;
  const auto add = [&](Content content) { volume.found |= 1U << static_cast<unsigned>(content); };
  std::array<std::byte, 2048> head{};
  volume.unreadable = !disk.read(0, head);
  for (const Mark& mark : kMarks) {
    std::array<std::byte, 32> bytes;
    const auto there = std::span(bytes).first(mark.bytes.size());
    const auto at = place(mark, disk.size());
    if (!at || *at + there.size() > disk.size()) continue;
    if (!disk.read(*at, there))
      volume.unreadable = true;
    else if (is(there, mark.bytes) && (mark.content != Content::ext4 || read_ext4(head, volume))) {
      add(mark.content);
    }
  }
  if (volume.is(Content::xfs)) identify(head, 108, 12, 32, volume);
  const Gpt gpt = find_gpt(disk, sector);
  if (gpt.good)
    add(gpt.backup ? Content::gpt_backup : Content::gpt);
  else if (gpt.marked)
    add(Content::gpt_damaged);
  return volume;
}

Line describe(const Volume& volume) {
  constexpr std::array<std::string_view, 16> kNames = {
      "ext4",          "XFS",
      "Btrfs",         "NTFS",
      "exFAT",         "FAT",
      "ISO 9660",      "swap",
      "LUKS",          "LVM",
      "RAID",          "ZFS",
      "GPT",           "a GPT of which only the backup is whole",
      "a damaged GPT", "MBR"};
  Line line;
  for (size_t i = 0; i < kNames.size(); ++i) {
    if ((volume.found >> i & 1) != 0) line.add(line.text().empty() ? "" : ", ").add(kNames[i]);
  }
  if (volume.label[0] != '\0') line.add(" '").add(volume.label.data()).add("'");
  if (volume.unreadable) line.add(line.text().empty() ? "" : ", ").add("what cannot be read");
  if (line.text().empty()) line.add("nothing known");
  return line;
}

std::optional<Partition> find_partition(Source& disk, uint32_t sector, uint32_t number) {
  const Gpt gpt = find_gpt(disk, sector);
  if (!gpt.marked) return find_mbr_partition(disk, sector, number);
  std::array<std::byte, kEntry> entry;
  if (!gpt.good || number == 0 || number > gpt.count ||
      !disk.read(gpt.entries + uint64_t{number - 1} * kEntry, entry)) {
    return {};
  }
  Partition partition;
  partition.start = little(entry, 32, 8) * sector;
  write_uuid(Bytes(entry).subspan(16, 16), true, partition.uuid);
  // UTF-16. What is not ASCII is no label that a file could name.
  for (size_t i = 0; i < 36; ++i) {
    const uint64_t c = little(entry, 56 + 2 * i, 2);
    partition.label[i] = c < 0x7f ? static_cast<char>(c) : '?';
  }
  return partition;
}

std::optional<uint64_t> first_nonzero(Source& disk, uint64_t from, uint64_t to) {
  std::array<std::byte, 65536> block;
  while (from < to) {
    const auto part = std::span(block).first(std::min<uint64_t>(block.size(), to - from));
    if (!disk.read(from, part)) return {};
    // Eight at a time, since there are many.
    uint64_t word = 0;
    size_t at = 0;
    for (; at + sizeof word <= part.size(); at += sizeof word) {
      std::memcpy(&word, &part[at], sizeof word);
      if (word != 0) break;
    }
    while (at < part.size() && part[at] == std::byte{}) ++at;
    from += at;
    if (at < part.size()) return from;
  }
  return to;
}

std::optional<uint64_t> find_data(Source& disk) {
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  constexpr uint64_t kEnds = 16 * kMiB;
  // Old partitions begin and end at whole MiB. From the first, where they are small, each is looked
  // at; of the rest as many, at even distances. RAID of version 0.90 has its mark 64 KiB before the
  // end, Btrfs 64 KiB behind the beginning; all others are nearer.
  constexpr uint64_t kEach = 1024 * kMiB;
  constexpr uint64_t kBefore = uint64_t{64} << 10;
  constexpr uint64_t kBehind = uint64_t{68} << 10;
  const uint64_t size = disk.size();
  const uint64_t ends = std::min(kEnds, size);
  const uint64_t last = size - ends;
  const uint64_t step = std::max(size / 1024 / kMiB * kMiB, kMiB);
  auto at = first_nonzero(disk, 0, ends);
  if (!at || *at < ends) return at;
  at = first_nonzero(disk, last, size);
  if (!at || *at < size) return at;
  for (uint64_t place = ends; place < last; place += place < kEach ? kMiB : step) {
    const uint64_t end = std::min(place + kBehind, size);
    at = first_nonzero(disk, place - kBefore, end);
    if (!at || *at < end) return at;
  }
  return size;
}

Claim::Claim(uint64_t size, std::string_view name)
    : at((size & ~uint64_t{sizeof(Block) - 1}) - sizeof(Block)) {
  const Line text("Copal makes a file system here: ", name, "\n");
  std::memcpy(block.data(), text.text().data(), text.text().size());
}

bool has_claim(Source& disk, std::string_view name) {
  if (disk.size() < Claim::kRoom) return false;
  const Claim claim(disk.size(), name);
  Claim::Block block;
  return disk.read(claim.at, block) && block == claim.block;
}

}  // namespace copal
