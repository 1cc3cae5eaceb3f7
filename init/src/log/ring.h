// What services said last: a ring of records for each, in memory that the kernel only gives when it
// is first written to. Whoever reads does so at his own pace, and learns what he missed.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/config.h"
#include "core/text.h"
#include "log/record.h"

namespace copal::log {

inline constexpr size_t kMaxRings = kMaxServices + 4;

// Places are counted in bytes from the first that was ever added.
struct Ring {
  std::string_view name;
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t records = 0;  // ever added
};

class Rings {
 public:
  static constexpr size_t kEach = size_t{256} << 10;
  static constexpr size_t kAll = size_t{16} << 20;

  // More than 64 rings share what there is.
  Rings(std::span<Ring> rings, std::span<std::byte> memory)
      : rings_(rings),
        memory_(memory),
        each_(std::min(kEach, memory.size() / rings.size() / 8 * 8)) {}

  void add(size_t index, uint8_t level, Stamp stamp, std::string_view text);
  // The record at `place`, or else the next that is there. It is good until something is added.
  std::optional<Record> at(size_t index, uint64_t& place) const;
  static uint64_t length(const Record& record);

  [[nodiscard]] std::optional<size_t> find(std::string_view name) const;
  [[nodiscard]] size_t size() const { return rings_.size(); }
  [[nodiscard]] const Ring& operator[](size_t i) const { return rings_[i]; }
  [[nodiscard]] uint64_t records() const { return records_; }

 private:
  [[nodiscard]] std::byte* bytes(size_t ring, uint64_t place) const {
    return &memory_[ring * each_ + place % each_];
  }

  std::span<Ring> rings_;
  std::span<std::byte> memory_;
  size_t each_;
  uint64_t records_ = 0;
};

// Reads all rings in the order in which records came, or one ring. Where records were gone before
// they were read, there is one that says how many.
class Reader {
 public:
  // Begins with the newest so many.
  void start(const Rings& rings, std::optional<size_t> only, uint64_t newest);
  std::optional<Record> next(const Rings& rings);

 private:
  std::optional<size_t> only_;
  uint64_t wanted_ = 0;  // 0: whatever is first
  Line note_;
  std::array<uint64_t, kMaxRings> places_;
};

}  // namespace copal::log
