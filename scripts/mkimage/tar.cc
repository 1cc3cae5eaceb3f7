// Writes a tar archive; see tar.h. The format is that of POSIX, pax(1).
#include "tar.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

namespace copal {
namespace {

constexpr std::size_t kBlockSize = 512;

struct Header {
  std::array<char, 100> name{};
  std::array<char, 8> mode{};
  std::array<char, 8> uid{};
  std::array<char, 8> gid{};
  std::array<char, 12> size{};
  std::array<char, 12> mtime{};
  std::array<char, 8> checksum{};
  char type = '0';
  std::array<char, 100> target{};
  std::array<char, 8> magic{'u', 's', 't', 'a', 'r', '\0', '0', '0'};
  std::array<char, 64> owner_names{};
  std::array<char, 8> major{};
  std::array<char, 8> minor{};
  std::array<char, 167> rest{};
};
static_assert(sizeof(Header) == kBlockSize);

template <std::size_t size>
void put(std::array<char, size>& field, std::string_view text) {
  std::copy_n(text.begin(), std::min(text.size(), size), field.begin());
}

// Octal digits and a NUL. Whether the value fits.
template <std::size_t size>
bool put(std::array<char, size>& field, std::uint64_t value) {
  for (auto digit = field.rbegin() + 1; digit != field.rend(); ++digit) {
    *digit = static_cast<char>('0' + (value & 7U));
    value >>= 3U;
  }
  return value == 0;
}

std::string_view bytes_of(const Header& header) {
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

void set_checksum(Header& header) {
  header.checksum.fill(' ');
  const auto bytes = bytes_of(header);
  const auto sum = std::accumulate(bytes.begin(), bytes.end(), 0U, [](unsigned total, char c) {
    return total + static_cast<unsigned char>(c);
  });
  std::array<char, 7> digits{};  // six, a NUL, and the blank stays
  put(digits, sum);
  std::copy(digits.begin(), digits.end(), header.checksum.begin());
}

// "<length> <key>=<value>\n", where the length counts its own digits too.
std::string record(std::string_view key, std::string_view value) {
  const auto body = " " + std::string(key) + "=" + std::string(value) + "\n";
  auto length = body.size();
  while (length != body.size() + std::to_string(length).size())
    length = body.size() + std::to_string(length).size();
  return std::to_string(length) + body;
}

char type_flag(char type) {
  switch (type) {
    case 'd': return '5';
    case 'l': return '2';
    case 'c': return '3';
    case 'b': return '4';
    default: return '0';
  }
}

}  // namespace

Status TarWriter::block(std::string_view header, std::string_view body) {
  static constexpr std::array<char, kBlockSize> kZeros{};
  if (auto status = out_.write(header); !status) return status;
  if (auto status = out_.write(body); !status) return status;
  const auto over = body.size() % kBlockSize;
  return over == 0 ? Status(Ok{}) : out_.write({kZeros.data(), kBlockSize - over});
}

Status TarWriter::add(const std::string& path, const Item& item, std::string_view content) {
  const auto name = path == "/" ? std::string(".") : path.substr(1);
  Header header;
  header.type = type_flag(item.type);
  put(header.name, name);
  put(header.target, item.target);
  put(header.mode, std::uint64_t{item.mode});
  put(header.mtime, static_cast<std::uint64_t>(mtime_));
  std::string extended;
  if (name.size() > header.name.size()) extended += record("path", name);
  if (item.target.size() > header.target.size()) extended += record("linkpath", item.target);
  if (!put(header.uid, std::uint64_t{item.uid}))
    extended += record("uid", std::to_string(item.uid));
  if (!put(header.gid, std::uint64_t{item.gid}))
    extended += record("gid", std::to_string(item.gid));
  if (!put(header.size, std::uint64_t{content.size()}))
    extended += record("size", std::to_string(content.size()));
  if (!put(header.major, std::uint64_t{item.major}) ||
      !put(header.minor, std::uint64_t{item.minor}))
    return Error{path + ": a tar archive cannot hold this device number"};
  set_checksum(header);
  if (!extended.empty()) {
    Header pax;
    pax.type = 'x';
    put(pax.name, "pax");
    put(pax.mode, 0644U);
    put(pax.uid, 0U);
    put(pax.gid, 0U);
    put(pax.size, std::uint64_t{extended.size()});
    put(pax.mtime, static_cast<std::uint64_t>(mtime_));
    set_checksum(pax);
    if (auto status = block(bytes_of(pax), extended); !status) return status;
  }
  return block(bytes_of(header), content);
}

Status TarWriter::finish() {
  const std::string end(2 * kBlockSize, '\0');
  return out_.write(end);
}

}  // namespace copal
