// What is on a disk: superblocks and GPTs. The first byte of the input says how large the disk's
// sectors are, and whether its GPT gets the right checksums, which no fuzzer would find; the rest
// is the disk, from its start.
#include "disk/volume.h"

#include <cstring>
#include <vector>

namespace copal {
namespace {

void hold(bool truth) {
  if (!truth) __builtin_trap();
}

class Image final : public Source {
 public:
  explicit Image(std::span<const uint8_t> data) : bytes_(data.size()) {
    if (!data.empty()) std::memcpy(bytes_.data(), data.data(), data.size());
  }
  bool read(uint64_t at, std::span<std::byte> to) override {
    ++reads;
    if (at > bytes_.size() || to.size() > bytes_.size() - at) return false;
    std::memcpy(to.data(), bytes_.data() + at, to.size());
    return true;
  }
  [[nodiscard]] uint64_t size() const override { return bytes_.size(); }

  void sign(uint64_t header) {
    const auto number = [&](uint64_t at, size_t n) {
      uint64_t value = 0;
      std::memcpy(&value, bytes_.data() + header + at, n);
      return value;
    };
    if (header + 512 > size() || number(12, 4) > 512) return;
    const uint64_t entries = number(72, 8);
    const uint64_t bytes = number(80, 4) * 128;
    if (entries < size() / header && bytes <= size() - entries * header) {
      const uint32_t crc = checksum(entries * header, bytes);
      std::memcpy(bytes_.data() + header + 88, &crc, 4);
    }
    std::memset(bytes_.data() + header + 16, 0, 4);
    const uint32_t crc = checksum(header, number(12, 4));
    std::memcpy(bytes_.data() + header + 16, &crc, 4);
  }

  size_t reads = 0;

 private:
  [[nodiscard]] uint32_t checksum(uint64_t at, uint64_t n) const {
    uint32_t crc = ~0U;
    for (uint64_t i = at; i < at + n; ++i) {
      crc ^= static_cast<uint32_t>(bytes_[i]);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
    }
    return ~crc;
  }
  std::vector<std::byte> bytes_;
};

void fuzz(std::span<const uint8_t> input) {
  if (input.empty()) return;
  const uint32_t sector = (input[0] & 1) != 0 ? 4096 : 512;
  Image image(input.subspan(1));
  if ((input[0] & 2) != 0) image.sign(sector);
  const Volume volume = examine(image, sector);
  hold(volume.label.back() == '\0' && volume.uuid.back() == '\0');
  hold(describe(volume).text().size() < 300);
  for (const uint32_t number : {0U, 1U, 2U, 128U, 4096U, ~0U}) {
    const auto partition = find_partition(image, sector, number);
    if (!partition) continue;
    hold(volume.found != 0 && number > 0 && number <= 4096);
    const size_t length = std::strlen(partition->uuid.data());
    hold((length == 36 && partition->start) || (length == 11 && number <= 255));
    hold(partition->label.back() == '\0');
  }
  hold(image.reads < 8 * 2 * 4200);  // no number on the disk makes it work for long
  const auto end = first_nonzero(image, 0, image.size());
  std::array<std::byte, 1> byte{};
  hold(!has_claim(image, "data"));
  hold(find_data(image) == end);  // so small a disk is read as a whole
  hold(end && (*end == image.size() || (image.read(*end, byte) && byte[0] != std::byte{})));
}

}  // namespace
}  // namespace copal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  copal::fuzz({data, size});
  return 0;
}
