// What is on a disk, by its bytes alone: partition tables and the marks that file systems and the
// like leave. It reads what anybody may have written, so it trusts no number, and is fuzzed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/text.h"

namespace copal {

// The bytes of a disk, or of a partition.
class Source {
 public:
  // False: it cannot be read, or ends before that.
  virtual bool read(uint64_t at, std::span<std::byte> to) = 0;
  [[nodiscard]] virtual uint64_t size() const = 0;

 protected:
  ~Source() = default;
};

// clang-format off
enum class Content : uint8_t {
  ext4, xfs, btrfs, ntfs, exfat, vfat, iso9660, swap, luks, lvm, raid, zfs, gpt, gpt_backup, gpt_damaged, mbr
};
// clang-format on

struct Volume {
  uint32_t found = 0;  // a bit for each Content
  bool unreadable = false;
  uint64_t bytes = 0;  // how large the file system is, if it is ext4
  std::array<char, 17> label{};
  std::array<char, 37> uuid{};

  // The one thing that is there. (Boot code may be in front of a file system.)
  [[nodiscard]] bool is(Content content) const {
    return (found & ~(1U << static_cast<unsigned>(Content::mbr))) ==
           1U << static_cast<unsigned>(content);
  }
  [[nodiscard]] bool file_system() const { return is(Content::ext4) || is(Content::xfs); }
};

// `sector` is the disk's logical block: it says where a GPT is.
Volume examine(Source& disk, uint32_t sector);
// "ext4 'persist'", "GPT, swap"
Line describe(const Volume& volume);

struct Partition {
  std::array<char, 37> uuid{};
  std::array<char, 37> label{};
  std::optional<uint64_t> start;  // in bytes, where the table itself says it
};
// Of the whole disk's GPT, or without one of its MBR. Where the GPT's first copy is damaged, of the
// one at the end. Numbers are the kernel's, from 1.
std::optional<Partition> find_partition(Source& disk, uint32_t sector, uint32_t number);

// Where the first byte is that is not zero; `to` if all are. None: cannot be read.
std::optional<uint64_t> first_nonzero(Source& disk, uint64_t from, uint64_t to);
// The same for as much of a disk as can be read in seconds: its ends, and in between what lies
// around many places where something may begin or end. Its size if nothing is found.
std::optional<uint64_t> find_data(Source& disk);

// The rest of a disk, from a place on: what was a partition once.
class Rest final : public Source {
 public:
  Rest(Source& disk, uint64_t from) : disk_(disk), from_(from) {}
  bool read(uint64_t at, std::span<std::byte> to) override { return disk_.read(from_ + at, to); }
  [[nodiscard]] uint64_t size() const override { return disk_.size() - from_; }

 private:
  Source& disk_;
  uint64_t from_;
};

// What `init --disk` writes into the last block of a disk before it makes a file system on the
// rest: that whatever else is on the disk comes from there, for the disk file of this name. While
// it is there, the file system may be made again, as often as power fails or a scratch disk wants.
struct Claim {
  static constexpr uint64_t kRoom = uint64_t{1} << 20;  // that the file system leaves
  using Block = std::array<std::byte, 4096>;
  Claim(uint64_t size, std::string_view name);

  uint64_t at;
  Block block{};
};
bool has_claim(Source& disk, std::string_view name);

}  // namespace copal
