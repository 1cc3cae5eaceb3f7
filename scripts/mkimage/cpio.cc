// Writes a CPIO archive; see cpio.h. The format is described in the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst.
#include "cpio.h"

#include <array>
#include <climits>
#include <limits>
#include <sys/stat.h>

#include "text.h"

namespace copal {
namespace {

void append_hex(std::string& text, std::uint64_t value) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  for (unsigned shift = 32; shift != 0; shift -= 4) text += kDigits[(value >> (shift - 4)) & 15U];
}

unsigned type_bits(char type) {
  switch (type) {
    case 'd': return S_IFDIR;
    case 'l': return S_IFLNK;
    case 'c': return S_IFCHR;
    case 'b': return S_IFBLK;
    default: return S_IFREG;
  }
}

std::string header(const std::array<std::uint64_t, 13>& fields, std::string_view name) {
  std::string text = "070701";
  for (const auto field : fields) append_hex(text, field);
  text += name;
  text += '\0';
  return text;
}

}  // namespace

Status fits_cpio(const std::string& path, const Item& item) {
  if (item.size > std::numeric_limits<std::uint32_t>::max())
    return Error{item.owner + ": " + path + " has " + std::to_string(item.size) +
                 " bytes, and a file in a CPIO archive must be smaller than 4 GiB"};
  if (path.size() >= PATH_MAX || item.target.size() >= PATH_MAX)
    return Error{item.owner + ": " + path + " has a name or a target longer than the kernel takes"};
  return Ok{};
}

Status CpioWriter::pad(std::uint64_t unit) {
  static constexpr std::array<char, 512> kZeros{};
  const auto over = out_.size() % unit;
  return over == 0 ? Status(Ok{}) : out_.write({kZeros.data(), unit - over});
}

Status CpioWriter::add(const std::string& path, const Item& item, std::string_view content,
                       std::uint32_t folders) {
  const auto name = path == "/" ? std::string_view(".") : std::string_view(path).substr(1);
  const auto body = item.type == 'l' ? std::string_view(item.target) : content;
  const auto links = item.type == 'd' ? 2 + folders : 1U;
  inode_++;
  const auto text = header({inode_, type_bits(item.type) | item.mode, item.uid, item.gid, links,
                            static_cast<std::uint64_t>(mtime_), body.size(), 0, 0, item.major,
                            item.minor, name.size() + 1, 0},
                           name);
  if (auto status = out_.write(text); !status) return status;
  if (auto status = pad(4); !status) return status;
  if (auto status = out_.write(body); !status) return status;
  return pad(4);
}

Status CpioWriter::finish() {
  static constexpr std::string_view kTrailer = "TRAILER!!!";
  if (auto status =
          out_.write(header({0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, kTrailer.size() + 1, 0}, kTrailer));
      !status)
    return status;
  return pad(512);
}

}  // namespace copal
