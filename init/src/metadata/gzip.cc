#include "metadata/gzip.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace copal::metadata {
namespace {

constexpr size_t kMaxBits = 15;    // of a code
constexpr size_t kLiterals = 288;  // and lengths
constexpr size_t kDistances = 32;
constexpr uint32_t kEnd = 256;

// Bits, the lowest of each byte first. Behind the end they are 0, and `good` is false.
class Bits {
 public:
  explicit Bits(std::string_view bytes) : bytes_(bytes) {}

  uint32_t take(unsigned count) {
    uint32_t value = 0;
    for (unsigned i = 0; i < count; ++i) value |= take_one() << i;
    return value;
  }
  uint32_t take_one() {
    const size_t byte = at_ / 8;
    if (byte >= bytes_.size()) {
      good_ = false;
      return 0;
    }
    return uint32_t{static_cast<unsigned char>(bytes_[byte])} >> (at_++ % 8) & 1U;
  }
  // What is left, from the next whole byte on.
  std::string_view take_rest() {
    const std::string_view rest = bytes_.substr(std::min((at_ + 7) / 8, bytes_.size()));
    at_ = bytes_.size() * 8;
    return rest;
  }
  void put_back(std::string_view rest) { at_ = (bytes_.size() - rest.size()) * 8; }
  [[nodiscard]] bool good() const { return good_; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  bool good_ = true;
};

// A prefix code, given by how long the code of each symbol is. Codes of one length follow each
// other in the order of their symbols, which is all that decoding needs.
class Code {
 public:
  explicit Code(std::span<const uint8_t> lengths) {
    for (const uint8_t length : lengths) ++count_[length];
    std::array<uint16_t, kMaxBits + 2> next{};
    int free = 1;
    for (size_t length = 1; length <= kMaxBits; ++length) {
      free = free * 2 - count_[length];
      good_ = good_ && free >= 0;
      next[length + 1] = static_cast<uint16_t>(next[length] + count_[length]);
    }
    for (size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] != 0) symbols_[next[lengths[symbol]]++] = static_cast<uint16_t>(symbol);
    }
  }

  // More codes than there is room for.
  [[nodiscard]] bool good() const { return good_; }

  // Nothing: no symbol has this code.
  [[nodiscard]] std::optional<uint32_t> decode(Bits& bits) const {
    uint32_t code = 0;
    uint32_t first = 0;  // the first code of this length
    uint32_t index = 0;
    for (size_t length = 1; length <= kMaxBits; ++length) {
      code |= bits.take_one();
      const uint32_t count = count_[length];
      if (code < first + count) return symbols_[index + code - first];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return {};
  }

 private:
  std::array<uint16_t, kMaxBits + 1> count_{};
  std::array<uint16_t, kLiterals> symbols_{};
  bool good_ = true;
};

// Lengths and distances come in ranges: the base of each, and how many bits say where in it.
struct Range {
  uint16_t base;
  uint8_t bits;
};
constexpr std::array<Range, 29> kLengths = {
    {{3, 0},  {4, 0},  {5, 0},  {6, 0},   {7, 0},   {8, 0},   {9, 0},   {10, 0},  {11, 1}, {13, 1},
     {15, 1}, {17, 1}, {19, 2}, {23, 2},  {27, 2},  {31, 2},  {35, 3},  {43, 3},  {51, 3}, {59, 3},
     {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}}};

Range distance_range(uint32_t symbol) {
  if (symbol < 4) return {static_cast<uint16_t>(symbol + 1), 0};
  const unsigned bits = symbol / 2 - 1;
  return {static_cast<uint16_t>(((2 + symbol % 2) << bits) + 1), static_cast<uint8_t>(bits)};
}

class Inflater {
 public:
  Inflater(std::string_view packed, size_t limit) : bits_(packed), limit_(limit) {}

  bool run() {
    bool last = false;
    while (!last) {
      last = bits_.take_one() == 1;
      const uint32_t kind = bits_.take(2);
      const bool done = kind == 0 ? stored() : kind == 1 ? fixed() : kind == 2 && dynamic();
      if (!done || !bits_.good()) return false;
    }
    return true;
  }
  std::string& text() { return text_; }
  std::string_view rest() { return bits_.take_rest(); }

 private:
  bool stored() {
    std::string_view rest = bits_.take_rest();
    if (rest.size() < 4) return false;
    const auto byte = [&](size_t at) { return static_cast<unsigned char>(rest[at]); };
    const size_t size = byte(0) | static_cast<size_t>(byte(1)) << 8;
    const size_t check = byte(2) | static_cast<size_t>(byte(3)) << 8;
    rest.remove_prefix(4);
    if (size != (check ^ 0xffff) || size > rest.size() || size > limit_ - text_.size()) {
      return false;
    }
    text_.append(rest.substr(0, size));
    bits_.put_back(rest.substr(size));
    return true;
  }

  bool fixed() {
    std::array<uint8_t, kLiterals> lengths{};
    for (size_t i = 0; i < kLiterals; ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    std::array<uint8_t, 30> distances{};
    distances.fill(5);
    return expand(Code(lengths), Code(distances));
  }

  bool dynamic() {
    constexpr std::array<uint8_t, 19> kOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                11, 4,  12, 3, 13, 2, 14, 1, 15};
    const size_t literals = bits_.take(5) + 257;
    const size_t distances = bits_.take(5) + 1;
    const size_t count = bits_.take(4) + 4;
    if (literals > 286 || distances > 30) return false;
    std::array<uint8_t, 19> of_lengths{};
    for (size_t i = 0; i < count; ++i) of_lengths[kOrder[i]] = static_cast<uint8_t>(bits_.take(3));
    std::array<uint8_t, kLiterals + kDistances> lengths{};
    const std::span<uint8_t> used = std::span(lengths).first(literals + distances);
    const Code code(of_lengths);
    return code.good() && read_lengths(code, used) && lengths[kEnd] != 0 &&
           expand(Code(used.first(literals)), Code(used.subspan(literals)));
  }

  // Runs of one length are written as one symbol.
  bool read_lengths(const Code& code, std::span<uint8_t> lengths) {
    for (size_t at = 0; at < lengths.size();) {
      const auto symbol = code.decode(bits_);
      if (!symbol) return false;
      if (*symbol < 16) {
        lengths[at++] = static_cast<uint8_t>(*symbol);
        continue;
      }
      if (*symbol == 16 && at == 0) return false;
      const uint8_t value = *symbol == 16 ? lengths[at - 1] : uint8_t{0};
      const size_t times = *symbol == 16   ? 3 + bits_.take(2)
                           : *symbol == 17 ? 3 + bits_.take(3)
                                           : 11 + bits_.take(7);
      if (times > lengths.size() - at) return false;
      std::fill_n(lengths.begin() + static_cast<ptrdiff_t>(at), times, value);
      at += times;
    }
    return true;
  }

  bool expand(const Code& literals, const Code& distances) {
    if (!literals.good() || !distances.good()) return false;
    while (bits_.good()) {
      const auto symbol = literals.decode(bits_);
      if (!symbol || *symbol > kEnd + kLengths.size()) return false;
      if (*symbol == kEnd) return true;
      if (*symbol > kEnd) {
        if (!repeat(kLengths[*symbol - kEnd - 1], distances)) return false;
      } else if (text_.size() < limit_) {
        text_ += static_cast<char>(*symbol);
      } else {
        return false;
      }
    }
    return false;
  }

  bool repeat(Range range, const Code& distances) {
    const size_t length = range.base + bits_.take(range.bits);
    const auto symbol = distances.decode(bits_);
    if (!symbol || *symbol >= 30) return false;
    const Range back = distance_range(*symbol);
    const size_t distance = back.base + bits_.take(back.bits);
    if (distance > text_.size() || length > limit_ - text_.size()) return false;
    // They may overlap: what was just written is repeated.
    for (size_t i = 0; i < length; ++i) text_ += text_[text_.size() - distance];
    return true;
  }

  Bits bits_;
  size_t limit_;
  std::string text_;
};

uint32_t crc32(std::string_view text) {
  uint32_t crc = ~0U;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
  }
  return ~crc;
}

// What is behind the header. Nothing: it is no gzip, or cut off.
std::optional<std::string_view> skip_header(std::string_view packed) {
  constexpr size_t kSize = 10;
  if (packed.size() < kSize || !packed.starts_with("\x1f\x8b\x08")) return {};
  const auto flags = static_cast<unsigned char>(packed[3]);
  packed.remove_prefix(kSize);
  if ((flags & 4) != 0) {
    if (packed.size() < 2) return {};
    const auto byte = [&](size_t at) { return static_cast<unsigned char>(packed[at]); };
    const size_t size = 2 + (byte(0) | static_cast<size_t>(byte(1)) << 8);
    if (packed.size() < size) return {};
    packed.remove_prefix(size);
  }
  for (const unsigned flag : {8U, 16U}) {  // a name, a comment
    if ((flags & flag) == 0) continue;
    const size_t end = packed.find('\0');
    if (end == std::string_view::npos) return {};
    packed.remove_prefix(end + 1);
  }
  if ((flags & 2) != 0) packed.remove_prefix(std::min<size_t>(2, packed.size()));
  return packed;
}

}  // namespace

std::optional<std::string> gunzip(std::string_view packed, size_t limit) {
  const auto body = skip_header(packed);
  if (!body) return {};
  Inflater inflater(*body, limit);
  if (!inflater.run()) return {};
  const std::string_view end = inflater.rest();
  std::string& text = inflater.text();
  const auto number = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = 4; i > 0; --i) value = value << 8 | static_cast<unsigned char>(end[at + i - 1]);
    return value;
  };
  if (end.size() != 8 || number(0) != crc32(text) || number(4) != text.size()) return {};
  return std::move(text);
}

}  // namespace copal::metadata
