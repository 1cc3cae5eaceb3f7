#include "core/identity.h"

#include <algorithm>

namespace copal {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

// What vendors leave in all boards of a kind. Inventories of many machines keep lists of them:
// GLPI (src/Blacklist.php), FOG (lib/fog/inventory.class.php), Rockstor (issue 2143).
constexpr std::array<std::string_view, 6> kShared = {
    "03000200040005000006000700080009",  // GLPI, Rockstor: American Megatrends'
    "00020003000400050006000700080009",  // FOG: the same, its first bytes the other way round
    "123456781234567890abcddeefaabbcc",  // FOG
    "ffffff00ffffffffffffffffffffffff",  // FOG
    "6ab5b300538d10149fb5b0684d007b53",  // GLPI
    "00000000000000000807060504030201",  // Rockstor
};

// 0000…, ffff…, 0101…: the first digits again and again are set by nobody.
bool constant(std::string_view text, size_t digits) {
  for (size_t i = digits; i < text.size(); ++i) {
    if (text[i] != text[i - digits]) return false;
  }
  return true;
}

// A property of a device tree ends with a NUL.
std::string_view property(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  const size_t last = text.find_last_not_of(" \n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

Line id_of_uuid(std::string_view uuid) {
  Line id;
  for (const char c : uuid) {
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
    if (kDigits.find(lower) != std::string_view::npos) id.add(std::string_view(&lower, 1));
  }
  const bool shared = std::find(kShared.begin(), kShared.end(), id.text()) != kShared.end();
  return id.text().size() == 32 && !constant(id.text(), 2) && !shared ? id : Line();
}

Line id_of_serial(std::string_view model, std::string_view serial) {
  __extension__ using Hash = unsigned __int128;
  constexpr Hash kPrime = (Hash{1} << 88) + 0x13b;
  Hash hash = (Hash{0x6c62272e07bb0142} << 64) + 0x62b821756295c58d;
  model = property(model);
  serial = property(serial);
  if (constant(serial, 1)) return Line();
  for (const std::string_view part : {model, std::string_view("\0", 1), serial}) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  }
  std::array<unsigned char, 16> bytes{};
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte, hash >>= 8)
    *byte = static_cast<unsigned char>(hash & 0xff);
  return id_of_bytes(bytes);
}

Line id_of_bytes(const std::array<unsigned char, 16>& bytes) {
  Line id;
  for (const unsigned char byte : bytes)
    id.add(kDigits.substr(byte >> 4, 1)).add(kDigits.substr(byte & 15, 1));
  return id;
}

}  // namespace copal
