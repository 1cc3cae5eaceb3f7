// Disks: what is recognised on one, GPTs good and damaged, disk files.
#include <sys/mount.h>

#include "disk/spec.h"
#include "disk/volume.h"
#include "helpers.h"
#include "sys/kernel.h"

namespace copal {
namespace {

constexpr uint64_t kMiB = 1 << 20;

class Image final : public Source {
 public:
  explicit Image(uint64_t size = 4 * kMiB, uint32_t sector = 512) : sector(sector), bytes_(size) {}
  bool read(uint64_t at, std::span<std::byte> to) override {
    ++reads;
    if (at > bytes_.size() || to.size() > bytes_.size() - at) return false;
    if (at < broken_to && at + to.size() > broken_from) return false;
    std::memcpy(to.data(), bytes_.data() + at, to.size());
    return true;
  }
  uint64_t size() const override { return bytes_.size(); }

  void put(uint64_t at, std::string_view text) {
    std::memcpy(&bytes_.at(at), text.data(), text.size());
  }
  void put(uint64_t at, uint64_t value, size_t n) {
    for (size_t i = 0; i < n; ++i) bytes_.at(at + i) = std::byte(value >> (8 * i));
  }
  void break_at(uint64_t from, uint64_t to) { broken_from = from, broken_to = to; }
  void resize(uint64_t size) { bytes_.resize(size); }
  std::byte& operator[](uint64_t at) { return bytes_.at(at); }
  uint32_t crc(uint64_t at, uint64_t n) const {
    // Not the loop over bits that is tested: a table, as everybody else has it.
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      table[i] = i;
      for (int k = 0; k < 8; ++k)
        table[i] = table[i] & 1 ? table[i] >> 1 ^ 0xedb88320 : table[i] >> 1;
    }
    uint32_t crc = ~0U;
    for (uint64_t i = at; i < at + n; ++i) crc = table[(crc ^ uint8_t(bytes_[i])) & 255] ^ crc >> 8;
    return ~crc;
  }

  // A header at sector `at`, whose entries are at sector `entries`.
  void put_gpt(uint64_t at, uint64_t entries, uint32_t count = 128) {
    const uint64_t head = at * sector;
    put(head, "EFI PART");
    put(head + 8, 0x10000, 4);
    put(head + 12, 92, 4);
    put(head + 24, at, 8);
    put(head + 72, entries, 8);
    put(head + 80, count, 4);
    put(head + 84, 128, 4);
    sign(at, entries, count);
  }
  void sign(uint64_t at, uint64_t entries, uint32_t count = 128) {
    const uint64_t head = at * sector;
    put(head + 88, crc(entries * sector, uint64_t{count} * 128), 4);
    put(head + 16, 0, 4);
    put(head + 16, crc(head, 92), 4);
  }
  void put_partition(uint64_t entries, uint32_t number, std::string_view label, uint64_t first) {
    const uint64_t at = entries * sector + (number - 1) * 128;
    for (uint64_t i = 0; i < 16; ++i) bytes_.at(at + i) = std::byte(0xaa);
    for (uint64_t i = 0; i < 16; ++i) bytes_.at(at + 16 + i) = std::byte(0x10 + i);
    put(at + 32, first, 8);
    for (size_t i = 0; i < label.size(); ++i) put(at + 56 + 2 * i, uint8_t(label[i]), 2);
  }
  // Both copies, with a partition 3.
  void put_both() {
    const uint64_t last = size() / sector - 1;
    const uint64_t table = 16384 / sector;
    put_partition(2, 3, "data", 2048);
    put_partition(last - table, 3, "data", 2048);
    put_gpt(1, 2);
    put_gpt(last, last - table);
  }
  void put_ext4(uint64_t blocks, std::string_view label) {
    put(1024 + 4, blocks, 4);
    put(1024 + 24, 2, 4);  // 4 KiB
    put(1024 + 56, "\x53\xef");
    for (uint64_t i = 0; i < 16; ++i) bytes_.at(1024 + 104 + i) = std::byte(0xa0 + i);
    put(1024 + 120, label);
  }

  int reads = 0;
  const uint32_t sector;
  uint64_t broken_from = 0;
  uint64_t broken_to = 0;

 private:
  std::vector<std::byte> bytes_;
};

std::string said(Image& image) {
  Line line = describe(examine(image, image.sector));
  return std::string(line.text());
}

TEST(Volume, NothingIsThere) {
  Image image;
  EXPECT_EQ(examine(image, 512).found, 0U);
  EXPECT_EQ(said(image), "nothing known");
}

TEST(Volume, DisksOfEverySizeAreLookedAt) {
  for (uint64_t size = 0; size < 140'000; size += size < 5000 ? 1 : 509) {
    Image image(size);
    EXPECT_EQ(examine(image, 512).found, 0U) << size;
    EXPECT_EQ(examine(image, 4096).found, 0U) << size;
    EXPECT_FALSE(find_partition(image, 512, 1)) << size;
  }
}

TEST(Volume, Ext4) {
  Image image;
  image.put_ext4(1000, "persist");
  Volume volume = examine(image, 512);
  EXPECT_TRUE(volume.is(Content::ext4));
  EXPECT_TRUE(volume.file_system());
  EXPECT_STREQ(volume.label.data(), "persist");
  EXPECT_STREQ(volume.uuid.data(), "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf");
  EXPECT_EQ(volume.bytes, 1000U * 4096);
  EXPECT_EQ(said(image), "ext4 'persist'");
  image.put(1024 + 336, 1, 4);
  EXPECT_EQ(examine(image, 512).bytes, 1000U * 4096) << "the high half counts only with 64bit";
  image.put(1024 + 96, 0x80, 4);
  EXPECT_EQ(examine(image, 512).bytes, (0x100000000 + 1000) * 4096);
}

TEST(Volume, ALabelMayHaveNoEnd) {
  Image image;
  image.put_ext4(1, "0123456789abcdefgh");
  EXPECT_STREQ(examine(image, 512).label.data(), "0123456789abcdef");
}

TEST(Volume, AChanceMarkIsNoExt4) {
  Image image;
  image.put_ext4(1000, "x");
  image.put(1024 + 24, 7, 4);
  EXPECT_EQ(examine(image, 512).found, 0U);
}

TEST(Volume, Xfs) {
  Image image;
  image.put(0, "XFSB");
  image.put(108, "data");
  image.put(32, 0x42, 1);
  const Volume volume = examine(image, 512);
  EXPECT_TRUE(volume.file_system());
  EXPECT_STREQ(volume.label.data(), "data");
  EXPECT_STREQ(volume.uuid.data(), "42000000-0000-0000-0000-000000000000");
}

TEST(Volume, Others) {
  const std::vector<std::tuple<uint64_t, std::string_view, std::string>> marks = {
      {65536 + 64, "_BHRfS_M", "Btrfs"},
      {3, "NTFS    ", "NTFS"},
      {3, "EXFAT   ", "exFAT"},
      {54, "FAT16", "FAT"},
      {82, "FAT32", "FAT"},
      {32769, "CD001", "ISO 9660"},
      {4086, "SWAPSPACE2", "swap"},
      {0, "LUKS\xba\xbe", "LUKS"},
      {0, "LABELONE", "LVM"},
      {512, "LABELONE", "LVM"},
      {1024, "LABELONE", "LVM"},
      {1536, "LABELONE", "LVM"},
      {16404, std::string_view("\0\0\0\7version", 11), "ZFS"},
      {0, "\xfc\x4e\x2b\xa9", "RAID"},
      {4096, "\xfc\x4e\x2b\xa9", "RAID"},
      {510, "\x55\xaa", "MBR"},
      {4 * kMiB - 8192, "\xfc\x4e\x2b\xa9", "RAID"},
      {4 * kMiB - 65536, "\xfc\x4e\x2b\xa9", "RAID"},
      {4 * kMiB - 1024, "Intel Raid ISM Cfg Sig. 1.0", "RAID"},
      {512, "EFI PART", "a damaged GPT"},
      {4 * kMiB - 512, "EFI PART", "a damaged GPT"},
  };
  for (const auto& [at, text, name] : marks) {
    Image image;
    image.put(at, text);
    EXPECT_EQ(said(image), name) << at;
    EXPECT_FALSE(examine(image, 512).file_system()) << at;
  }
}

TEST(Volume, TheEndIsRoundedAsRaidDoes) {
  Image image(4 * kMiB + 3 * 512);
  image.put(4 * kMiB - 8192, "\xfc\x4e\x2b\xa9");
  EXPECT_EQ(said(image), "RAID");
}

TEST(Volume, TwoThingsAtOnceAreNoFileSystem) {
  Image image;
  image.put_ext4(1000, "x");
  image.put(510, "\x55\xaa");
  EXPECT_TRUE(examine(image, 512).file_system()) << "boot code in front does no harm";
  image.put(4 * kMiB - 8192, "\xfc\x4e\x2b\xa9");
  EXPECT_FALSE(examine(image, 512).file_system()) << "half a mirror";
  EXPECT_EQ(said(image), "ext4, RAID, MBR 'x'");
}

TEST(Volume, WhatCannotBeReadIsNotNothing) {
  Image image;
  image.break_at(4 * kMiB - 65536, 4 * kMiB - 65000);
  EXPECT_TRUE(examine(image, 512).unreadable);
  EXPECT_EQ(said(image), "what cannot be read");
}

TEST(Gpt, Good) {
  for (const uint32_t sector : {512U, 4096U}) {
    Image image(4 * kMiB, sector);
    image.put(510, "\x55\xaa");
    image.put_both();
    EXPECT_EQ(said(image), "GPT, MBR");
    const auto partition = find_partition(image, sector, 3);
    ASSERT_TRUE(partition);
    EXPECT_STREQ(partition->label.data(), "data");
    EXPECT_STREQ(partition->uuid.data(), "13121110-1514-1716-1819-1a1b1c1d1e1f");
    EXPECT_EQ(partition->start, 2048U * sector);
    EXPECT_TRUE(find_partition(image, sector, 128));
    EXPECT_FALSE(find_partition(image, sector, 129));
    EXPECT_FALSE(find_partition(image, sector, 0));
  }
}

TEST(Gpt, AnyFlippedByteOfTheHeaderLeavesTheBackup) {
  for (uint64_t i = 0; i < 92; ++i) {
    Image image;
    image.put_both();
    image[512 + i] ^= std::byte(0x40);
    EXPECT_EQ(said(image), "a GPT of which only the backup is whole") << i;
    EXPECT_STREQ(find_partition(image, 512, 3)->label.data(), "data");
  }
}

TEST(Gpt, AFlippedByteOfTheEntriesLeavesTheBackup) {
  for (const uint64_t i : {0, 300, 16383}) {
    Image image;
    image.put_both();
    image[1024 + i] ^= std::byte(1);
    EXPECT_EQ(said(image), "a GPT of which only the backup is whole") << i;
  }
}

TEST(Gpt, BothDamaged) {
  Image image;
  image.put_both();
  image[512 + 40] ^= std::byte(1);
  image[4 * kMiB - 512 + 40] ^= std::byte(1);
  EXPECT_EQ(said(image), "a damaged GPT");
  EXPECT_FALSE(find_partition(image, 512, 3));
}

TEST(Gpt, ALargerDiskHasNoBackupAtItsEnd) {
  Image image;
  image.put_both();
  image.resize(8 * kMiB);
  EXPECT_EQ(said(image), "GPT");
  image[512 + 40] ^= std::byte(1);
  EXPECT_EQ(said(image), "a damaged GPT");
}

TEST(Gpt, TruncatedDisk) {
  Image image;
  image.put_both();
  image.resize(1024 + 8192);
  EXPECT_EQ(said(image), "a damaged GPT");
  EXPECT_FALSE(find_partition(image, 512, 3));
}

// Each with a checksum that is right: the numbers themselves are lies.
TEST(Gpt, LyingHeaders) {
  struct Lie {
    uint64_t at;
    uint64_t value;
    size_t bytes;
  };
  for (const Lie& lie :
       {Lie{24, 2, 8}, Lie{72, ~0ULL, 8}, Lie{72, ~0ULL / 512 + 1, 8}, Lie{72, 8192, 8},
        Lie{80, 0xffffffff, 4}, Lie{80, 4097, 4}, Lie{84, 64, 4}, Lie{84, 256, 4}, Lie{84, 0, 4}}) {
    Image image;
    image.put_gpt(1, 2);
    image.put(512 + lie.at, lie.value, lie.bytes);
    image.put(512 + 16, 0, 4);
    image.put(512 + 16, image.crc(512, 92), 4);
    EXPECT_EQ(said(image), "a damaged GPT") << lie.at << " " << lie.value;
    EXPECT_LT(image.reads, 200) << "a lie must not cost time";
  }
}

TEST(Gpt, AHeaderOfOddSize) {
  for (const uint32_t size : {0U, 91U, 513U, 0xffffffffU}) {
    Image image;
    image.put_gpt(1, 2);
    image.put(512 + 12, size, 4);
    EXPECT_EQ(said(image), "a damaged GPT") << size;
  }
}

TEST(Gpt, LabelsAreAsciiOrUnknown) {
  Image image;
  image.put_partition(2, 1, "ab", 34);
  image.put(1024 + 58, 0x20ac, 2);
  image.put_gpt(1, 2);
  EXPECT_STREQ(find_partition(image, 512, 1)->label.data(), "a?");
}

TEST(Mbr, PartitionsAreKnownBySignatureAndNumber) {
  for (const uint32_t sector : {512U, 4096U}) {
    Image image(4 * kMiB, sector);
    image.put(440, 0x5f2a9c10, 4);
    image.put(510, "\x55\xaa");
    image.put(446 + 16 + 8, 300, 4);
    const auto second = find_partition(image, sector, 2);
    ASSERT_TRUE(second);
    EXPECT_STREQ(second->uuid.data(), "5f2a9c10-02");
    EXPECT_STREQ(second->label.data(), "");
    EXPECT_EQ(second->start, 300U * sector);
    const auto logical = find_partition(image, sector, 26);
    ASSERT_TRUE(logical);
    EXPECT_STREQ(logical->uuid.data(), "5f2a9c10-1a");
    EXPECT_FALSE(logical->start) << "the kernel has followed the chain";
    EXPECT_FALSE(find_partition(image, sector, 0));
    EXPECT_FALSE(find_partition(image, sector, 256));
    image.put(sector, "EFI PART");
    EXPECT_FALSE(find_partition(image, sector, 2)) << "a GPT counts, even a damaged one";
  }
  Image none;
  EXPECT_FALSE(find_partition(none, 512, 1));
}

// As large as any, with little on it.
class Large final : public Source {
 public:
  explicit Large(uint64_t size) : size_(size) {}
  bool read(uint64_t at, std::span<std::byte> to) override {
    if (at > size_ || to.size() > size_ - at) return false;
    bytes += to.size();
    std::fill(to.begin(), to.end(), std::byte{});
    for (const auto& [place, text] : there_) {
      for (size_t i = 0; i < text.size(); ++i) {
        if (place + i >= at && place + i < at + to.size()) to[place + i - at] = std::byte(text[i]);
      }
    }
    return true;
  }
  uint64_t size() const override { return size_; }
  void put(uint64_t at, std::string text) { there_.emplace_back(at, std::move(text)); }
  uint64_t bytes = 0;

 private:
  uint64_t size_;
  std::vector<std::pair<uint64_t, std::string>> there_;
};

TEST(Data, IsFoundWhereOldPartitionsKeepTheirMarks) {
  constexpr uint64_t kGiB = 1024 * kMiB;
  // The first and the last MiB are zero: somebody has wiped them.
  const std::vector<std::pair<uint64_t, std::string>> marks = {
      {kMiB, "XFSB"},
      {kMiB + 512, "LABELONE"},
      {kMiB + 1080, "\x53\xef"},
      {kMiB + 4096, "\xfc\x4e\x2b\xa9"},
      {kMiB + 16404, "\7version"},
      {kMiB + 65600, "_BHRfS_M"},
      {2 * kMiB - 8192, "\xfc\x4e\x2b\xa9"},
      {101 * kMiB + 1080, "\x53\xef"},
      {513 * kMiB, "LUKS"},
      {1023 * kMiB, "NTFS"},
      {300 * kMiB - 65536, "\xfc\x4e\x2b\xa9"},  // 0.90, at the end of one
      {300 * kMiB - 8192, "\xfc\x4e\x2b\xa9"},   // 1.0
      {128 * kMiB + 56, "\x53\xef"},             // the copy of a superblock
      {64 * kMiB + 64, "_BHRfS_M"},
      {20 * kGiB - kMiB - 1024, "Intel"},
      {20 * kGiB - 9 * kMiB - 262144, "\7version"},  // ZFS's last label before its ninth partition
  };
  for (const auto& [at, text] : marks) {
    Large disk(20 * kGiB);
    disk.put(at, text);
    const auto found = find_data(disk);
    ASSERT_TRUE(found);
    EXPECT_TRUE(*found >= at && *found < at + text.size()) << at << " " << *found;
  }
}

TEST(Data, ItTakesNoLongerForALargeDisk) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{512}, kMiB + 512, 17 * kMiB, 33 * kMiB + 512,
                              5000 * kMiB, uint64_t{20} << 40, uint64_t{7} << 60}) {
    Large disk(size);
    EXPECT_EQ(find_data(disk), size);
    EXPECT_LT(disk.bytes, 320 * kMiB);
  }
}

TEST(Data, WhatCannotBeReadIsNotNothing) {
  for (const uint64_t at : {uint64_t{5000}, 18 * kMiB, 39 * kMiB}) {
    Image image(40 * kMiB);
    image.break_at(at, at + 1);
    EXPECT_FALSE(find_data(image)) << at;
  }
}

TEST(Data, HasANameWhereAPartitionBegan) {
  Image image;
  Image inner(2 * kMiB);
  inner.put_ext4(100, "old");
  for (uint64_t i = 0; i < 4096; ++i) image[kMiB + i] = inner[i];
  EXPECT_EQ(examine(image, 512).found, 0U);
  Rest rest(image, kMiB);
  EXPECT_EQ(std::string(describe(examine(rest, 512)).text()), "ext4 'old'");
  EXPECT_EQ(rest.size(), 3 * kMiB);
}

TEST(Claim, IsForOneDiskFile) {
  for (const uint64_t size : {4 * kMiB, 4 * kMiB + 3 * 512, 2 * kMiB}) {
    Image image(size);
    EXPECT_FALSE(has_claim(image, "scratch"));
    const Claim claim(size, "scratch");
    EXPECT_EQ(claim.at % 4096, 0U);
    EXPECT_GE(claim.at, size - Claim::kRoom);
    image.put(claim.at, std::string_view(reinterpret_cast<const char*>(claim.block.data()), 4096));
    EXPECT_TRUE(has_claim(image, "scratch"));
    EXPECT_FALSE(has_claim(image, "scratch2"));
    EXPECT_FALSE(has_claim(image, "scratc"));
    EXPECT_EQ(examine(image, 512).found, 0U);
    EXPECT_EQ(find_data(image), claim.at) << "a disk that is claimed is not empty";
    image[claim.at + 100] = std::byte(1);
    EXPECT_FALSE(has_claim(image, "scratch"));
  }
  Image small(4096);
  EXPECT_FALSE(has_claim(small, "scratch"));
}

TEST(Nonzero, IsFound) {
  Image image(kMiB);
  EXPECT_EQ(first_nonzero(image, 0, kMiB), kMiB);
  for (const uint64_t at : {0, 1, 4095, 4096, 1048575}) {
    Image one(kMiB);
    one.put(at, 1, 1);
    EXPECT_EQ(first_nonzero(one, 0, kMiB), at);
    EXPECT_EQ(first_nonzero(one, at + 1, kMiB), kMiB);
    EXPECT_EQ(first_nonzero(one, 0, at), at);
  }
  image.break_at(5000, 5001);
  EXPECT_FALSE(first_nonzero(image, 0, kMiB));
  EXPECT_FALSE(first_nonzero(image, 0, kMiB + 1)) << "the disk ends before that";
}

// ---- Disk files

class Parsed {
 public:
  explicit Parsed(std::string_view text) {
    disk = parse_disk("data", "data", text, memory.arena(), problems);
  }
  Memory memory;
  Problems problems;
  Disk disk;
};

TEST(DiskFile, Whole) {
  const Parsed parsed(
      "find = size 10G..2T\nmount = /var/persist/db\ntype = ext4\nformat = if-empty\nlabel = \"my "
      "data\"\n"
      "check = no\ngrow = no\noptions = noexec dev\nwait = 30s\noptional = yes\n");
  const Disk& disk = parsed.disk;
  EXPECT_EQ(parsed.problems.list, std::vector<std::string>());
  EXPECT_FALSE(disk.bad);
  EXPECT_EQ(disk.find, Find::size);
  EXPECT_EQ(disk.least, 10ULL << 30);
  EXPECT_EQ(disk.most, 2ULL << 40);
  EXPECT_EQ(disk.mount, "/var/persist/db");
  EXPECT_EQ(disk.type, Type::ext4);
  EXPECT_EQ(disk.format, Format::if_empty);
  EXPECT_EQ(disk.label, "my data");
  EXPECT_FALSE(disk.check);
  EXPECT_FALSE(disk.grow);
  EXPECT_EQ(disk.flags, MS_NOSUID | MS_NOEXEC);
  EXPECT_EQ(disk.wait, std::chrono::seconds(30));
  EXPECT_TRUE(disk.optional);
}

TEST(DiskFile, Defaults) {
  const Parsed parsed("find = label persist\n");
  const Disk& disk = parsed.disk;
  EXPECT_FALSE(disk.bad || disk.optional || disk.repair || disk.erase);
  EXPECT_EQ(disk.format, Format::no);
  EXPECT_TRUE(disk.check && disk.grow);
  EXPECT_EQ(disk.mount, "/var/persist");
  EXPECT_EQ(disk.wanted, "persist");
  EXPECT_EQ(disk.flags, MS_NOSUID | MS_NODEV);
}

TEST(DiskFile, EveryWayToFindOne) {
  const std::string sixteen(16, 'x');
  for (const std::string& find :
       {"label " + sixteen, std::string("label \"my data\""),
        std::string("label ") + "d\xc3\xa4ten",
        std::string("uuid 0f2c7a52-3c1e-4e55-9d0c-2F6D1F3B7A11"),
        std::string("partlabel \"EFI system\""),
        std::string("partuuid 0f2c7a52-3c1e-4e55-9d0c-2f6d1f3b7a11"),
        std::string("partuuid 5F2a9c10-0a"), std::string("size 100G..20T"),
        std::string("size 1P..7E"), std::string("path /dev/cciss/c0d0"),
        std::string("path /dev/vdb")}) {
    const Parsed parsed("find = " + find + "\n");
    EXPECT_EQ(parsed.problems.list, std::vector<std::string>()) << find;
  }
}

TEST(DiskFile, Mistakes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "write `find = `: which disk?"},
      {"find = lable x", "1:8: unknown word 'lable': did you mean 'label'?"},
      {"fnid = label x", "1:1: unknown key 'fnid': did you mean 'find'?"},
      {"find = label", "1:1: expected find = label NAME"},
      {"find = label \"\"", "1:15: a label has 1 to 16 bytes, not 0"},
      {"find = label 12345678901234567", "1:14: a label has 1 to 16 bytes, not 17"},
      {"find = label 1234567890123\ntype = xfs", "the label of an XFS has at most 12 bytes"},
      {"find = uuid x", "1:13: expected a UUID, as in "},
      {"find = uuid 0f2c7a52-3c1e-4e55-9d0c-2f6d1f3b7a1", "1:13: expected a UUID, as in "},
      {"find = uuid 5f2a9c10-01",
       "1:13: expected a UUID, as in 0f2c7a52-3c1e-4e55-9d0c-2f6d1f3b7a11; that of a partition is"},
      {"find = partlabel \"\"", "1:19: a partition is found by a name of 1 to 36 ASCII"},
      {"find = partlabel d\xc3\xa4ten", "1:18: a partition is found by a name of 1 to 36 ASCII"},
      {"find = partlabel 1234567890123456789012345678901234567", "1:18: a partition is found by"},
      {"find = partuuid 5f2a9c10-1", "1:17: expected the UUID of a partition: of a GPT, as in"},
      {"find = partuuid 5f2a9c10-00", "1:17: expected the UUID of a partition: of a GPT, as in"},
      {"find = partuuid 5g2a9c10-01", "1:17: expected the UUID of a partition: of a GPT, as in"},
      {"find = size 1K..2K..3K", "1:17: '2K..3K' is not a size"},
      {"find = size 1K..8E", "1:17: '8E' is not a size: write a number and K, M, G, T, P or E"},
      {"find = path /dev/", "1:13: a device is below /dev, as in /dev/vdb"},
      {"find = path /dev/../vdb", "1:13: a device is below /dev, as in /dev/vdb"},
      {"find = path /dev//vdb", "1:13: a device is below /dev, as in /dev/vdb"},
      {"find = path /dev/disk/by-label/x", "1:13: links are not looked at: find it by"},
      {"find = label a\nlabel = b", "`label` is what a file system gets that is made: write "},
      {"find = size 1G..2G\nformat = if-empty\nlabel = \"\"", "3:10: a label has 1 to 16 bytes"},
      {"find = label a\ntype = xfs\ngrow = yes", "an XFS is neither checked nor grown here"},
      {"find = label a\ntype = xfs\ncheck = yes", "an XFS is neither checked nor grown here"},
      {"find = size 10G", "1:13: expected LEAST..MOST, as in 10G..2T"},
      {"find = size 10..2T", "1:13: '10' is not a size"},
      {"find = size 2T..10G", "1:13: the least is more than the most"},
      {"find = path vdb", "1:13: a device is below /dev"},
      {"find = label a\nfind = label b", "2:1: `find` is given twice"},
      {"find = label a\nmount = /etc", "2:9: expected /var/persist or a folder in it"},
      {"find = label a\nmount = /var/persistent", "2:9: expected /var/persist or a folder in it"},
      {"find = label a\nmount = /var/persist/", "2:9: expected /var/persist or a folder in it"},
      {"find = label a\nmount = /var/persist/../x", "2:9: expected /var/persist or a folder in it"},
      {"find = label a\nmount = /var/persist//x", "2:9: expected /var/persist or a folder in it"},
      {"find = label a\ntype = ext3", "2:8: unknown word 'ext3': did you mean 'ext4'?"},
      {"find = label a\nformat = yes", "2:10: unknown word 'yes'"},
      {"find = label a\nformat = each-boot", "an empty disk has no label"},
      {"find = size 1G..2G\nformat = eachboot",
       "2:10: unknown word 'eachboot': did you mean 'each-"},
      {"find = label a\nformat = if-empty", "an empty disk has no label"},
      {"find = uuid 0f2c7a52-3c1e-4e55-9d0c-2f6d1f3b7a11\nformat = if-empty",
       "an empty disk has no label"},
      {"find = size 1G..2G\nformat = if-empty\ntype = xfs", "only ext4 can be made here"},
      {"find = size 1G..2G\nlabel = 12345678901234567", "2:9: a label has 1 to 16 bytes, not 17"},
      {"find = label a\noptions = exec", "2:11: unknown word 'exec': did you mean"},
      {"find = label a\nwait = 10", "2:8: '10' is not a time"},
      {"find = label a\noptional = maybe", "2:12: unknown word 'maybe'"},
  };
  for (const auto& [text, message] : cases) {
    const Parsed parsed(text);
    EXPECT_TRUE(parsed.disk.bad) << text;
    ASSERT_EQ(parsed.problems.list.size(), 1U) << text;
    EXPECT_TRUE(parsed.problems.list[0].starts_with(message)) << parsed.problems.list[0];
  }
}

TEST(BootDisk, ShortForms) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"console=ttyS0", ""},
      {"copal.disk=LABEL=persist", "find = label \"persist\""},
      {"copal.disk=LABEL=", "find = label \"\""},
      {"copal.disk=LABEL=#1", "find = label \"#1\""},
      {"a copal.disk=UUID=x b", "find = uuid \"x\""},
      {"copal.disk=PARTLABEL=x", "find = partlabel \"x\""},
      {"copal.disk=PARTUUID=x", "find = partuuid \"x\""},
      {"copal.disk=/dev/vdb copal.disk-format=if-empty",
       "find = path \"/dev/vdb\"\nformat = if-empty"},
      {"copal.disk=size:10G..2T", "find = size \"10G..2T\""},
      {"copal.disk=vdb", "find = vdb"},
      {"copal.disk-format=if-empty", "find = \nformat = if-empty"},
  };
  for (const auto& [line, text] : cases) {
    Memory memory;
    EXPECT_EQ(boot_disk(line, memory.arena()), text);
  }
}

class Folder {
 public:
  Folder() : path_(testing::TempDir() + "disks-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~Folder() { EXPECT_EQ(system(("rm -r " + path_).c_str()), 0); }
  void put(const std::string& file, const std::string& text) const {
    const std::string path = path_ + "/" + file;
    EXPECT_EQ(system(("mkdir -p $(dirname " + path + ")").c_str()), 0);
    FILE* const out = fopen(path.c_str(), "w");
    fputs(text.c_str(), out);
    fclose(out);
  }
  const std::string& path() const { return path_; }
  std::vector<std::string> load(std::string_view command_line = {}) {
    auto root = sys::open(path_.c_str(), 0);
    std::vector<std::string> found;
    problems.list.clear();
    for (const Disk& disk : load_disks(*root, command_line, memory.arena(), problems)) {
      found.push_back(std::string(disk.name) + (disk.bad ? "!" : "=") + std::string(disk.wanted));
    }
    return found;
  }
  Memory memory;
  Problems problems;

 private:
  std::string path_;
};

TEST(DiskFiles, TheMachinesWinAndFoldersComeFirst) {
  Folder root;
  EXPECT_TRUE(root.load().empty());
  root.put("etc/disks/b", "find = label b\nmount = /var/persist/b\n");
  root.put("etc/disks/data", "find = label image\n");
  EXPECT_EQ(root.load(), (std::vector<std::string>{"data=image", "b=b"}));
  root.put("run/config/disks/data", "find = label machine\n");
  EXPECT_EQ(root.load(), (std::vector<std::string>{"data=machine", "b=b"}));
  EXPECT_TRUE(root.problems.list.empty());
}

TEST(DiskFiles, TheCommandLineIsAFileCalledPersist) {
  Folder root;
  root.put("etc/disks/persist", "find = label image\n");
  EXPECT_EQ(root.load("copal.disk=LABEL=mine"), (std::vector<std::string>{"persist=mine"}));
}

TEST(DiskFiles, TheCommandLineRepairsAndErasesOneByName) {
  const auto all = [](std::string_view line, std::vector<std::string>& problems) {
    Folder root;
    root.put("etc/disks/a", "find = label a\nmount = /var/persist/a\n");
    root.put("etc/disks/b", "find = size 1G..2G\nformat = if-empty\n");
    auto folder = sys::open(root.path().c_str(), 0);
    std::string found;
    for (const Disk& disk : load_disks(*folder, line, root.memory.arena(), root.problems)) {
      found.append(disk.name).append(disk.repair ? "r" : "").append(disk.erase ? "e" : "");
      found.append(disk.bad ? "!" : ".");
    }
    problems = root.problems.list;
    return found;
  };
  std::vector<std::string> problems;
  EXPECT_EQ(all("quiet", problems), "b.a.");
  EXPECT_EQ(all("copal.disk-repair=a copal.disk-erase=b", problems), "be.ar.");
  EXPECT_EQ(problems, std::vector<std::string>());
  EXPECT_EQ(all("copal.disk-repair=c", problems), "b.a.");
  EXPECT_EQ(problems, std::vector<std::string>{"there is no disk file 'c'"});
  EXPECT_EQ(all("copal.disk-erase=a", problems), "b.ae!");
  EXPECT_EQ(problems, std::vector<std::string>{"the file of 'a' says `format = no`"});
  EXPECT_EQ(all("copal.disk=LABEL=x copal.disk-repair=persist", problems), "b!persistr!a.");
}

TEST(DiskFiles, OnePlaceIsForOneDisk) {
  Folder root;
  root.put("etc/disks/a", "find = label a\n");
  root.put("etc/disks/b", "find = label b\n");
  root.put("etc/disks/c", "find = label c\nmount = /var/persist/c");
  EXPECT_EQ(root.load().size(), 3U);
  EXPECT_EQ(root.problems.list.size(), 1U);
  EXPECT_EQ(root.load().back(), "c=c");
}

TEST(DiskFiles, AFolderIsNoFile) {
  Folder root;
  root.put("etc/disks/a/b", "find = label a\n");
  EXPECT_TRUE(root.load().empty());
  EXPECT_EQ(root.problems.list, std::vector<std::string>{"not a file: Invalid argument"});
}

}  // namespace
}  // namespace copal
