#include "net/config.h"

#include <algorithm>
#include <arpa/inet.h>

namespace copal::net {
namespace {

// clang-format off
enum class Key : uint8_t {
  link, address, gateway, route, mtu, vlan, bond, bridge, dns, search, optional
};
// clang-format on

constexpr std::array kKeys = {
    KeyRow{"link", 1, 2, false, "NAME | mac ADDRESS | ethernet"},
    KeyRow{"address", 1, 16, true, "dhcp | ADDRESS/LENGTH... | none"},
    KeyRow{"gateway", 1, 2, false, "ADDRESS of the default route, one for IPv4 and one for IPv6"},
    KeyRow{"route", 3, 3, true, "NETWORK/LENGTH via ADDRESS"},
    KeyRow{"mtu", 1, 1, false, "BYTES"},
    KeyRow{"vlan", 3, 3, false, "NUMBER on LINK"},
    KeyRow{"bond", 2, 17, false, "MODE LINK..."},
    KeyRow{"bridge", 1, 16, false, "LINK..."},
    KeyRow{"dns", 1, 3, false, "ADDRESS..."},
    KeyRow{"search", 1, 6, false, "DOMAIN..."},
    KeyRow{"optional", 1, 1, false, "yes | no"},
};

// In the order of the kernel's numbers.
constexpr std::array<std::string_view, 7> kBondModes = {
    "balance-rr", "active-backup", "balance-xor", "broadcast",
    "802.3ad",    "balance-tlb",   "balance-alb"};

// Nothing is set behind the prefix.
bool is_network(const Address& address) {
  for (size_t bit = address.prefix; bit < address.size() * 8; ++bit) {
    if ((address.bytes[bit / 8] & (0x80 >> bit % 8)) != 0) return false;
  }
  return true;
}

bool valid_link(std::string_view name) {
  return valid_domain(name) && name.size() <= kMaxLinkName && name != "." && name != "..";
}

class Parser {
 public:
  Parser(std::string_view file, std::string_view text, Reporter& reporter)
      : lines_(kKeys, file, text, reporter) {
    config_.file = file;
  }

  LinkConfig parse() {
    bool empty = true;
    for (; lines_.next(); empty = false) set(static_cast<Key>(lines_.key()), lines_.words());
    if (!lines_.bad() && !empty) finish();
    config_.bad = lines_.bad();
    return config_;
  }

 private:
  void set(Key key, Words words);
  void set_link(Words words);
  void set_addresses(Words words);
  void set_kind(Kind kind, const Word& word);
  void add_route(const Address& to, const Word& via);
  void add_members(Words words);
  bool link_name(const Word& word, std::string_view& name);
  std::optional<Address> address(const Word& word);
  void finish();

  [[nodiscard]] bool seen(Key key) const { return lines_.seen(static_cast<size_t>(key)); }

  Lines lines_;
  LinkConfig config_;
};

bool Parser::link_name(const Word& word, std::string_view& name) {
  name = word.text;
  if (valid_link(name)) return true;
  lines_.error(word, Line("'", name, "' is no name of a link: letters, digits and - _ . , at most ",
                          kMaxLinkName));
  return false;
}

std::optional<Address> Parser::address(const Word& word) {
  const auto parsed = parse_address(word.text);
  if (!parsed) lines_.error(word, Line("'", word.text, "' is not an IPv4 or IPv6 address"));
  return parsed;
}

void Parser::set_link(Words words) {
  if (words[0].text == "mac" && words.size() == 2) {
    const auto mac = parse_mac(words[1].text);
    if (!mac) return lines_.error(words[1], Line("expected six bytes, as in 52:54:00:12:34:56"));
    config_.match = Match::mac;
    config_.mac = *mac;
  } else if (words.size() == 2) {
    lines_.error(words[1], Line("one word too many"));
  } else if (words[0].text == "ethernet") {
    config_.match = Match::ethernet;
  } else if (link_name(words[0], config_.name)) {
    config_.match = Match::name;
  }
}

void Parser::set_addresses(Words words) {
  for (const Word& word : words) {
    if (word.text == "dhcp") {
      config_.dhcp = true;
    } else if (word.text != "none") {
      const auto parsed = parse_prefixed(word.text);
      if (!parsed) {
        lines_.error(word, Line("expected `dhcp`, `none`, or an address with the length of its "
                                "network, as in 10.0.0.2/24 or fd00::2/64"));
      } else if (!config_.addresses.add(*parsed)) {
        lines_.error(word, Line("too many addresses"));
      }
    } else if (words.size() > 1) {
      lines_.error(word, Line("`none` stands alone"));
    }
  }
}

void Parser::set_kind(Kind kind, const Word& word) {
  if (config_.kind != Kind::existing) {
    lines_.error(word, Line("a link is one of vlan, bond and bridge"));
  }
  config_.kind = kind;
}

void Parser::add_members(Words words) {
  for (const Word& word : words) {
    std::string_view name;
    if (!link_name(word, name)) continue;
    if (config_.has_member(name)) lines_.error(word, Line("'", name, "' again"));
    config_.members.add(name);
  }
}

void Parser::add_route(const Address& to, const Word& via) {
  const auto gateway = address(via);
  if (!gateway) return;
  if (gateway->family != to.family) {
    lines_.error(via, Line("the network is of IPv4 and the router of IPv6, or the reverse"));
  } else if (!config_.routes.add({to, *gateway})) {
    lines_.error(via, Line("too many routes"));
  }
}

void Parser::set(Key key, Words words) {
  static constexpr std::array<std::string_view, 2> kNoYes = {"no", "yes"};
  switch (key) {
    case Key::link: return set_link(words);
    case Key::address: return set_addresses(words);
    case Key::gateway:
      for (const Word& word : words) {
        const auto parsed = address(word);
        if (parsed) add_route({parsed->family, 0, {}}, word);
      }
      return;
    case Key::route: {
      const auto to = parse_prefixed(words[0].text);
      if (!to || !is_network(*to)) {
        return lines_.error(words[0], Line("expected a network, as in 10.1.0.0/16"));
      }
      if (words[1].text != "via") return lines_.error(words[1], Line("expected `via`"));
      return add_route(*to, words[2]);
    }
    case Key::mtu: lines_.read_number(words[0], 68, 65535, config_.mtu); return;
    case Key::vlan:
      set_kind(Kind::vlan, words[0]);
      if (words[1].text != "on") return lines_.error(words[1], Line("expected `on`"));
      lines_.read_number(words[0], 1, 4094, config_.vlan);
      link_name(words[2], config_.parent);
      return;
    case Key::bond:
      set_kind(Kind::bond, words[0]);
      lines_.choose(words[0], kBondModes, config_.bond_mode);
      return add_members(words.subspan(1));
    case Key::bridge: set_kind(Kind::bridge, words[0]); return add_members(words);
    case Key::dns:
      for (const Word& word : words) {
        if (address(word)) config_.dns.add(word.text);
      }
      return;
    case Key::search:
      for (const Word& word : words) {
        if (!valid_domain(word.text)) lines_.error(word, Line("this is no domain"));
        config_.search.add(word.text);
      }
      return;
    case Key::optional: lines_.choose(words[0], kNoYes, config_.optional); return;
  }
}

void Parser::finish() {
  if (!seen(Key::link)) {
    return lines_.file_error(Line("there is no link: write `link = NAME`, or `link = ethernet`"));
  }
  if (!seen(Key::address)) {
    lines_.file_error(Line("there is no address: if it is to have none, write `address = none`"));
  }
  if (config_.kind != Kind::existing && config_.match != Match::name) {
    lines_.file_error(Line("a vlan, bond or bridge is made, so that its link is a name"));
  }
  if (config_.match == Match::ethernet && !config_.addresses.empty()) {
    lines_.file_error(Line("one address for all Ethernet links: name the link that has it"));
  }
  if (config_.parent == config_.name && config_.kind == Kind::vlan) {
    lines_.file_error(Line("a vlan is on another link than itself"));
  }
  for (const Route& route : config_.routes) {
    const auto same = [&](const Address& own) { return own.family == route.via.family; };
    const auto& own = config_.addresses;
    if (config_.dhcp || std::any_of(own.begin(), own.end(), same)) continue;
    lines_.file_error(Line("a route of IPv", route.via.family == AF_INET ? 4 : 6,
                           " on a link without such an address"));
  }
}

}  // namespace

bool LinkConfig::has_member(std::string_view link) const {
  return std::find(members.begin(), members.end(), link) != members.end();
}

LinkConfig parse_link(std::string_view file, std::string_view text, Reporter& reporter) {
  return Parser(file, text, reporter).parse();
}

std::optional<Address> parse_address(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return {};
  Address address;
  Line copy(text);
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) {
    address.family = AF_INET;
  } else if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) {
    address.family = AF_INET6;
  } else {
    return {};
  }
  address.prefix = static_cast<uint8_t>(address.size() * 8);
  return address;
}

std::optional<Address> parse_prefixed(std::string_view text) {
  const size_t slash = std::min(text.find('/'), text.size());
  auto address = parse_address(text.substr(0, slash));
  if (!address || slash == text.size()) return {};
  const auto prefix = parse_number(text.substr(slash + 1), 0, address->prefix);
  if (!prefix) return {};
  address->prefix = static_cast<uint8_t>(*prefix);
  return address;
}

std::optional<Mac> parse_mac(std::string_view text) {
  Mac mac{};
  if (text.size() != mac.size() * 3 - 1) return {};
  for (size_t i = 0; i < mac.size(); ++i) {
    const char* const at = text.data() + i * 3;
    const auto done = std::from_chars(at, at + 2, mac[i], 16);
    if (done.ec != std::errc{} || done.ptr != at + 2) return {};
    if (i + 1 < mac.size() && at[2] != ':') return {};
  }
  return mac;
}

bool valid_domain(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= 253 && text[0] != '-' &&
         std::all_of(text.begin(), text.end(), good);
}

void check_together(std::span<LinkConfig> configs, Reporter& reporter) {
  const auto clash = [&](LinkConfig& later, const LinkConfig& first, const Line& message) {
    Place place;
    place.file = later.file;
    later.bad = true;
    reporter.problem(place, Line(message.text(), " in ", first.file).text());
  };
  for (size_t i = 0; i < configs.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const LinkConfig& first = configs[j];
      LinkConfig& later = configs[i];
      if (first.match != Match::nothing && first.match == later.match && first.name == later.name &&
          first.mac == later.mac) {
        clash(later, first, Line("this link is set up already"));
      }
      for (const std::string_view name : later.members) {
        if (first.has_member(name)) clash(later, first, Line("'", name, "' is a member already"));
      }
    }
  }
}

}  // namespace copal::net
