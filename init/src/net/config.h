// A file of /etc/network: how one link, or every Ethernet link, is set up.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <sys/socket.h>

#include "core/arena.h"
#include "core/lines.h"
#include "sys/fd.h"

namespace copal::net {

inline constexpr size_t kMaxLinkName = 15;
inline constexpr size_t kMaxConfigs = 64;

using Mac = std::array<uint8_t, 6>;

// IPv4 is in the first four bytes. As a network, what is behind the prefix is zero.
struct Address {
  uint8_t family = 0;  // AF_INET, AF_INET6; 0: there is none
  uint8_t prefix = 0;
  std::array<uint8_t, 16> bytes{};

  [[nodiscard]] size_t size() const { return family == AF_INET ? 4 : 16; }
  [[nodiscard]] std::span<const uint8_t> data() const { return std::span(bytes).first(size()); }
  bool operator==(const Address&) const = default;
};

// "10.0.0.1" or "fd00::1"; the prefix is the whole address.
std::optional<Address> parse_address(std::string_view text);
// As above, but with "/24".
std::optional<Address> parse_prefixed(std::string_view text);
std::optional<Mac> parse_mac(std::string_view text);
// Letters, digits, '-', '_' and '.', as far as the kernel takes them.
bool valid_link(std::string_view name);

// A few of something, without allocation.
template <typename T, size_t n>
class List {
 public:
  bool add(const T& value) {
    if (size_ == n) return false;
    values_[size_++] = value;
    return true;
  }
  void pop() { --size_; }
  void clear() { size_ = 0; }
  bool operator==(const List& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t room() const { return n - size_; }
  const T* begin() const { return values_.data(); }
  const T* end() const { return values_.data() + size_; }
  T* begin() { return values_.data(); }
  T* end() { return values_.data() + size_; }

 private:
  std::array<T, n> values_{};
  size_t size_ = 0;
};

struct Route {
  Address to;
  Address via;
  // The router is there although no network of the link has it: its address is alone, or not known
  // before DHCP gives it.
  bool on_link = false;
};

enum class Match : uint8_t { nothing, name, mac, ethernet };
enum class Kind : uint8_t { existing, vlan, bond, bridge };  // the last three are made

// The names point into the file's text.
struct LinkConfig {
  std::string_view file;
  bool bad = false;

  Match match = Match::nothing;
  std::string_view name;
  Mac mac{};

  Kind kind = Kind::existing;
  uint16_t vlan = 0;
  uint8_t bond_mode = 0;
  std::string_view parent;             // of a VLAN
  List<std::string_view, 16> members;  // of a bond or bridge

  bool dhcp = false;
  bool optional = false;
  uint32_t mtu = 0;  // 0: as it is
  List<Address, 16> addresses;
  List<Route, 32> routes;
  List<std::string_view, 3> dns;
  List<std::string_view, 6> search;

  [[nodiscard]] bool has_member(std::string_view link) const;
};

// Everything wrong with it goes to `reporter`, and sets `bad`. An empty file configures nothing: it
// stands in the way of the image's file of the same name.
LinkConfig parse_link(std::string_view file, std::string_view text, Reporter& reporter);

// Reports what contradicts itself between files: two for one link, a link with two masters, what
// is made of itself.
void check_together(std::span<LinkConfig> configs, Reporter& reporter);

// Below `root`, in the order of their names.
std::span<LinkConfig> load_configs(const sys::Fd& root, Arena& arena, Reporter& reporter);

}  // namespace copal::net
