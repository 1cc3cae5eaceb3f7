#include "net/config.h"

#include <algorithm>
#include <arpa/inet.h>
#include <utility>

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

constexpr uint32_t kLeastForIpv6 = 1280;

// All bits behind the prefix are this.
bool rest_is(const Address& address, bool one) {
  for (size_t bit = address.prefix; bit < address.size() * 8; ++bit) {
    if (((address.bytes[bit / 8] & (0x80 >> bit % 8)) != 0) != one) return false;
  }
  return true;
}

bool contains(const Address& network, const Address& address) {
  for (size_t bit = 0; bit < network.prefix; ++bit) {
    if (((network.bytes[bit / 8] ^ address.bytes[bit / 8]) & (0x80 >> bit % 8)) != 0) return false;
  }
  return true;
}

bool whole(const Address& address) {
  return address.prefix == address.size() * 8;
}

bool is_loopback(const Address& address) {
  if (address.family == AF_INET) return address.bytes[0] == 127;
  return address.bytes == std::array<uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

bool is_link_local(const Address& address) {
  return address.family == AF_INET6 && address.bytes[0] == 0xfe &&
         (address.bytes[1] & 0xc0) == 0x80;
}

// No one machine has it: it is none, or that of a group, or of all.
bool is_nobodys(const Address& address) {
  const Address none{address.family, address.prefix, {}};
  const uint8_t first = address.bytes[0];
  if (address.family == AF_INET6) return address == none || first == 0xff;
  return first == 0 || (first & 0xf0) == 0xe0 || rest_is({AF_INET, 0, address.bytes}, true);
}

// What `address` is in the network that it is in, if it is no machine's; or nothing. A network of
// two has no such addresses.
std::string_view special(const Address& address) {
  if (address.prefix + 1U >= address.size() * 8) return {};
  if (rest_is(address, false)) return "the network's own address";
  if (address.family == AF_INET && rest_is(address, true)) return "the network's broadcast address";
  return {};
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
  void add_address(const Word& word);
  void add_route(const Address& to, const Word& via);
  void check_route(Key key, Route& route);
  void check_made();
  void add_members(Words words);
  bool link_name(const Word& word, std::string_view& name);
  std::optional<Address> address(const Word& word);
  void finish();

  [[nodiscard]] bool seen(Key key) const { return lines_.seen(static_cast<size_t>(key)); }
  void key_error(Key key, const Line& message) {
    lines_.key_error(static_cast<size_t>(key), message);
  }

  Lines lines_;
  LinkConfig config_;
  bool none_ = false;  // `address = none`
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
  if (parsed && !is_nobodys(*parsed)) return parsed;
  lines_.error(word, Line("'", word.text, "' is not an IPv4 or IPv6 address",
                          parsed ? " that a machine can have" : ""));
  return {};
}

void Parser::set_link(Words words) {
  if (words[0].text == "mac" && words.size() == 2) {
    const auto mac = parse_mac(words[1].text);
    if (!mac) return lines_.error(words[1], Line("expected six bytes, as in 52:54:00:12:34:56"));
    if ((*mac)[0] & 1) return lines_.error(words[1], Line("this is the address of a group"));
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

void Parser::add_address(const Word& word) {
  const auto parsed = parse_prefixed(word.text);
  if (!parsed || parsed->prefix == 0) {
    return lines_.error(word, Line("expected `dhcp`, `none`, or an address with the length of its "
                                   "network, as in 10.0.0.2/24 or fd00::2/64"));
  }
  const std::string_view what = is_nobodys(*parsed) ? "nobody's address" : special(*parsed);
  if (!what.empty()) lines_.error(word, Line("this is ", what, ", not a machine's"));
  const auto same = [&](const Address& other) { return other.bytes == parsed->bytes; };
  if (std::any_of(config_.addresses.begin(), config_.addresses.end(), same)) {
    lines_.error(word, Line("'", word.text, "' again"));
  } else if (!config_.addresses.add(*parsed)) {
    lines_.error(word, Line("too many addresses"));
  }
}

void Parser::set_addresses(Words words) {
  for (const Word& word : words) {
    const bool alone = config_.addresses.empty() && !config_.dhcp && words.size() == 1;
    if (none_ || (word.text == "none" && !alone)) {
      lines_.error(word, Line("`none` stands alone"));
    } else if (word.text == "none") {
      none_ = true;
    } else if (word.text != "dhcp") {
      add_address(word);
    } else if (std::exchange(config_.dhcp, true)) {
      lines_.error(word, Line("'dhcp' again"));
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
  const auto same = [&](const Route& route) { return route.to == to; };
  if (gateway->family != to.family) {
    lines_.error(via, Line("the network is of IPv4 and the router of IPv6, or the reverse"));
  } else if (is_loopback(*gateway)) {
    lines_.error(via, Line("this is the machine itself, no router"));
  } else if (std::any_of(config_.routes.begin(), config_.routes.end(), same)) {
    lines_.error(via, Line("there is a route to ", to.prefix == 0 ? "everywhere" : "this network",
                           " already"));
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
      if (!to || !rest_is(*to, false)) {
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

// Whether the kernel will take it: a router is in a network of the link.
void Parser::check_route(Key key, Route& route) {
  const Address& via = route.via;
  bool any = false;      // address of this family
  bool network = false;  // in which a router could be
  bool inside = is_link_local(via);
  for (const Address& own : config_.addresses) {
    if (own.family != via.family) continue;
    any = true;
    network = network || !whole(own);
    if (own.bytes == via.bytes) return key_error(key, Line("the router is this link itself"));
    if (!contains(own, via)) continue;
    inside = true;
    const std::string_view what = special({via.family, own.prefix, via.bytes});
    if (!what.empty()) return key_error(key, Line("the router is ", what, ", not a machine's"));
  }
  const int version = via.family == AF_INET ? 4 : 6;
  if (!any && !config_.dhcp) {
    key_error(key, Line("a route of IPv", version, " on a link without such an address"));
  } else if (network && !inside) {
    key_error(key, Line("a router of IPv", version, " is in none of this link's networks"));
  }
  route.on_link = !inside && !network;
}

// What the kernel takes of a link that is made of others.
void Parser::check_made() {
  static constexpr std::array kMakers = {Key::link, Key::vlan, Key::bond, Key::bridge};
  const Key key = kMakers[static_cast<size_t>(config_.kind)];
  if (config_.match != Match::name) {
    return key_error(Key::link, Line("a vlan, bond or bridge is made, so that its link is a name"));
  }
  for (const std::string_view loop : {config_.name, std::string_view("lo")}) {
    if (config_.parent == loop || config_.has_member(loop)) {
      key_error(key, Line("it is made of other links than ", loop));
    }
  }
}

void Parser::finish() {
  if (!seen(Key::link)) {
    return lines_.file_error(Line("there is no link: write `link = NAME`, or `link = ethernet`"));
  }
  if (!seen(Key::address)) {
    lines_.file_error(Line("there is no address: if it is to have none, write `address = none`"));
  }
  if (config_.kind != Kind::existing) check_made();
  const auto& addresses = config_.addresses;
  if (config_.match == Match::ethernet && !addresses.empty()) {
    key_error(Key::address, Line("one address for all Ethernet links: name the link that has it"));
  }
  if (config_.match == Match::ethernet && !config_.routes.empty()) {
    const Key key = seen(Key::route) ? Key::route : Key::gateway;
    return key_error(key, Line("one route for all Ethernet links: name the link that has it"));
  }
  const auto six = [](const Address& address) { return address.family == AF_INET6; };
  if (config_.mtu != 0 && config_.mtu < kLeastForIpv6 &&
      std::any_of(addresses.begin(), addresses.end(), six)) {
    key_error(Key::mtu, Line("IPv6 needs ", kLeastForIpv6, " at least"));
  }
  if (config_.name != "lo" && std::any_of(addresses.begin(), addresses.end(), is_loopback)) {
    key_error(Key::address, Line("an address of the loopback is on lo only"));
  }
  for (Route& route : config_.routes) {
    check_route(route.to.prefix == 0 && seen(Key::gateway) ? Key::gateway : Key::route, route);
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

bool valid_link(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kMaxLinkName && name[0] != '-' && name != "." &&
         name != ".." && std::all_of(name.begin(), name.end(), good);
}

namespace {

// Takes away, again and again, what is made of nothing that is left. What is left goes round.
void check_circles(std::span<LinkConfig> configs, Reporter& reporter) {
  List<const LinkConfig*, kMaxConfigs> left;
  for (const LinkConfig& config : configs) {
    if (config.kind != Kind::existing && !config.bad) left.add(&config);
  }
  const auto is_free = [&](const LinkConfig* config) {
    return std::none_of(left.begin(), left.end(), [&](const LinkConfig* other) {
      return config->parent == other->name || config->has_member(other->name);
    });
  };
  while (true) {
    const auto found = std::find_if(left.begin(), left.end(), is_free);
    if (found == left.end()) break;
    *found = *(left.end() - 1);
    left.pop();
  }
  for (const LinkConfig* config : left) {
    report(reporter, config->file, Line(config->name, " is made of itself, over others").text());
    configs[static_cast<size_t>(config - configs.data())].bad = true;
  }
}

// What is wrong with two files beside each other; or nothing.
Line contradiction(const LinkConfig& one, const LinkConfig& other) {
  if (one.match == other.match && one.name == other.name && one.mac == other.mac) {
    return Line("this link is set up already");
  }
  for (const std::string_view name : one.members) {
    if (other.has_member(name)) return Line("'", name, "' is a member already");
  }
  if (one.kind == Kind::vlan && other.kind == Kind::vlan && one.vlan == other.vlan &&
      one.parent == other.parent) {
    return Line("there is a vlan ", one.vlan, " on ", one.parent, " already");
  }
  return Line();
}

// A member is set up with what it is part of.
Line part_with_a_will(const LinkConfig& part, const LinkConfig& master) {
  if (part.match != Match::name || !master.has_member(part.name)) return Line();
  if (part.kind == Kind::bridge && master.kind == Kind::bridge) {
    return Line("a bridge cannot be part of the one");
  }
  if (!part.dhcp && part.addresses.empty() && part.mtu == 0) return Line();
  return Line("a part of ", master.name, " has neither an address nor an mtu of its own:");
}

}  // namespace

void check_together(std::span<LinkConfig> configs, Reporter& reporter) {
  for (LinkConfig& later : configs) {
    for (const LinkConfig& other : configs) {
      if (later.match == Match::nothing || other.match == Match::nothing) continue;
      Line message = &other < &later ? contradiction(later, other) : Line();
      if (message.text().empty()) message = part_with_a_will(later, other);
      if (message.text().empty()) continue;
      later.bad = true;
      report(reporter, later.file, message.add(" in ").add(other.file).text());
    }
  }
  check_circles(configs, reporter);
}

}  // namespace copal::net
