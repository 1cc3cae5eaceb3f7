// The network's files, the kernel's messages, and what is made of them.
#include <arpa/inet.h>
#include <memory>
#include <random>

#include "helpers.h"
#include "net/plan.h"

namespace copal::net {
namespace {

class NetConfig : public testing::Test {
 protected:
  LinkConfig parse(std::string_view text) {
    text_ = text;
    problems_.list.clear();
    return parse_link("x", text_, problems_);
  }
  LinkConfig good(std::string_view text) {
    const LinkConfig config = parse(text);
    EXPECT_FALSE(config.bad) << text << ": " << (problems_.list.empty() ? "" : problems_.list[0]);
    return config;
  }
  std::string problem(std::string_view text) {
    EXPECT_TRUE(parse(text).bad) << text;
    EXPECT_EQ(problems_.list.size(), 1U) << text;
    return problems_.list.empty() ? "" : problems_.list[0];
  }

  std::string text_;
  Problems problems_;
};

std::string shown(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.family, address.bytes.data(), text, sizeof text);
  return std::string(text) + "/" + std::to_string(address.prefix);
}

TEST_F(NetConfig, ReadsEveryKey) {
  const LinkConfig config = good(
      "# a comment\n"
      "link     = mac 52:54:00:12:34:5f\n"
      "address  = dhcp 10.0.0.2/24\n"
      "address  = fd00::2/64\n"
      "gateway  = 10.0.0.1 fd00::1\n"
      "route    = 10.1.0.0/16 via 10.0.0.9\n"
      "mtu      = 9000\n"
      "dns      = 10.0.0.53 fd00::53\n"
      "search   = example.org lan\n"
      "optional = yes\n");
  EXPECT_EQ(config.match, Match::mac);
  EXPECT_EQ(config.mac, (Mac{0x52, 0x54, 0, 0x12, 0x34, 0x5f}));
  EXPECT_TRUE(config.dhcp);
  EXPECT_TRUE(config.optional);
  ASSERT_EQ(config.addresses.size(), 2U);
  EXPECT_EQ(shown(config.addresses.begin()[0]), "10.0.0.2/24");
  EXPECT_EQ(shown(config.addresses.begin()[1]), "fd00::2/64");
  ASSERT_EQ(config.routes.size(), 3U);
  EXPECT_EQ(shown(config.routes.begin()[0].to), "0.0.0.0/0");
  EXPECT_EQ(shown(config.routes.begin()[1].to), "::/0");
  EXPECT_EQ(shown(config.routes.begin()[1].via), "fd00::1/128");
  EXPECT_EQ(shown(config.routes.begin()[2].to), "10.1.0.0/16");
  EXPECT_EQ(config.mtu, 9000U);
  EXPECT_EQ(config.dns.size(), 2U);
  EXPECT_EQ(*config.search.begin(), "example.org");
}

TEST_F(NetConfig, ReadsLinksThatAreMade) {
  const LinkConfig vlan = good("link = v100\nvlan = 100 on eth0\naddress = none\n");
  EXPECT_EQ(vlan.kind, Kind::vlan);
  EXPECT_EQ(vlan.vlan, 100);
  EXPECT_EQ(vlan.parent, "eth0");
  const LinkConfig bond = good("link = bond0\nbond = 802.3ad eth0 eth1\naddress = dhcp\n");
  EXPECT_EQ(bond.kind, Kind::bond);
  EXPECT_EQ(bond.bond_mode, 4);
  EXPECT_TRUE(bond.has_member("eth1"));
  EXPECT_FALSE(bond.has_member("eth2"));
  EXPECT_EQ(good("link = br0\nbridge = eth0\naddress = none\n").kind, Kind::bridge);
}

TEST_F(NetConfig, AnEmptyFileConfiguresNothing) {
  EXPECT_EQ(good("").match, Match::nothing);
  EXPECT_EQ(good("# nothing\n").match, Match::nothing);
}

TEST_F(NetConfig, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(problem("lnk = eth0\n"), "1:1: unknown key 'lnk': did you mean 'link'?");
  EXPECT_EQ(problem("address = dhcp\n"),
            "there is no link: write `link = NAME`, or `link = ethernet`");
  EXPECT_EQ(problem("link = eth0\n"),
            "there is no address: if it is to have none, write `address = none`");
  EXPECT_EQ(problem("link = mac 52:54:00:12:34\naddress = dhcp\n"),
            "1:12: expected six bytes, as in 52:54:00:12:34:56");
  EXPECT_EQ(problem("link = eth0 eth1\n"), "1:13: one word too many");
  EXPECT_EQ(problem("link = a-name-too-long-for-it\n").substr(0, 6), "1:8: '");
  EXPECT_EQ(problem("link = eth/0\n").substr(0, 6), "1:8: '");
  EXPECT_EQ(problem("link = eth0\naddress = dhcp none\n"), "2:16: `none` stands alone");
  for (const char* address : {"10.0.0.2", "10.0.0.2/33", "10.0.0/24", "fd00::2/129", "10.0.0.2/"}) {
    EXPECT_EQ(problem(std::string("link = eth0\naddress = ") + address + "\n").substr(0, 23),
              "2:11: expected `dhcp`, ");
  }
  EXPECT_EQ(problem("gateway = 10.0.0.256\n"), "1:11: '10.0.0.256' is not an IPv4 or IPv6 address");
  EXPECT_EQ(problem("route = 10.1.0.1/16 via 10.0.0.1\n"),
            "1:9: expected a network, as in 10.1.0.0/16");
  EXPECT_EQ(problem("route = 10.1.0.0/16 over 10.0.0.1\n"), "1:21: expected `via`");
  EXPECT_EQ(problem("route = 10.1.0.0/16 via fd00::1\n"),
            "1:25: the network is of IPv4 and the router of IPv6, or the reverse");
  EXPECT_EQ(problem("mtu = 9\n"), "1:7: expected a number from 68 to 65535");
  EXPECT_EQ(problem("vlan = 5000 on eth0\n"), "1:8: expected a number from 1 to 4094");
  EXPECT_EQ(problem("vlan = 5 at eth0\n"), "1:10: expected `on`");
  EXPECT_EQ(problem("bond = 802.3a eth0\n"), "1:8: unknown word '802.3a': did you mean '802.3ad'?");
  EXPECT_EQ(problem("bridge = eth0 eth0\n"), "1:15: 'eth0' again");
  EXPECT_EQ(problem("bridge = eth0\nvlan = 5 on eth0\n"),
            "2:8: a link is one of vlan, bond and bridge");
  EXPECT_EQ(problem("link = ethernet\naddress = none\nbridge = eth0\n"),
            "1:1: a vlan, bond or bridge is made, so that its link is a name");
  EXPECT_EQ(problem("link = ethernet\naddress = 10.0.0.2/24\n"),
            "2:1: one address for all Ethernet links: name the link that has it");
  EXPECT_EQ(problem("link = v\naddress = none\nvlan = 5 on v\n"),
            "3:1: it is made of other links than v");
  EXPECT_EQ(problem("link = eth0\naddress = 10.0.0.2/24\ngateway = fd00::1\n"),
            "3:1: a route of IPv6 on a link without such an address");
  EXPECT_EQ(problem("dns = one.example\n"), "1:7: 'one.example' is not an IPv4 or IPv6 address");
  EXPECT_EQ(problem("search = a/b\n"), "1:10: this is no domain");
  EXPECT_EQ(problem("optional = maybe\n"), "1:12: unknown word 'maybe'");
}

TEST_F(NetConfig, FindsWhatFilesContradict) {
  std::array configs = {parse_link("a", "link = br0\nbridge = eth0\naddress = none\n", problems_),
                        parse_link("b", "link = br1\nbridge = eth0\naddress = none\n", problems_),
                        parse_link("c", "link = br0\naddress = none\n", problems_),
                        parse_link("d", "", problems_), parse_link("e", "", problems_)};
  check_together(configs, problems_);
  EXPECT_EQ(problems_.list, (std::vector<std::string>{"'eth0' is a member already in a",
                                                      "this link is set up already in a"}));
  EXPECT_FALSE(configs[0].bad);
  EXPECT_TRUE(configs[1].bad);
  EXPECT_TRUE(configs[2].bad);
}

// What the kernel would refuse, or take and not work with.
TEST_F(NetConfig, AddressesAreMachines) {
  const auto said = [&](std::string_view address) {
    return problem("link = eth0\naddress = " + std::string(address) + "\n");
  };
  EXPECT_EQ(said("10.0.0.0/24"), "2:11: this is the network's own address, not a machine's");
  EXPECT_EQ(said("10.0.0.255/24"),
            "2:11: this is the network's broadcast address, not a machine's");
  EXPECT_EQ(said("fd00::/64"), "2:11: this is the network's own address, not a machine's");
  for (const char* nobodys :
       {"0.0.0.5/24", "224.0.0.5/24", "255.255.255.255/32", "ff02::1/64", "::/128"}) {
    EXPECT_EQ(said(nobodys), "2:11: this is nobody's address, not a machine's") << nobodys;
  }
  EXPECT_EQ(said("10.0.0.2/0").substr(0, 23), "2:11: expected `dhcp`, ");
  EXPECT_EQ(said("10.0.0.2/024").substr(0, 23), "2:11: expected `dhcp`, ");
  EXPECT_EQ(said("10.0.0.2/24 10.0.0.2/16"), "2:23: '10.0.0.2/16' again");
  EXPECT_EQ(said("dhcp dhcp"), "2:16: 'dhcp' again");
  EXPECT_EQ(said("none\naddress = dhcp"), "3:11: `none` stands alone");
  EXPECT_EQ(said("dhcp\naddress = none"), "3:11: `none` stands alone");
  EXPECT_EQ(said("127.0.0.2/8"), "2:1: an address of the loopback is on lo only");
  EXPECT_EQ(said("::1/128"), "2:1: an address of the loopback is on lo only");
  for (const char* fine : {"10.0.0.0/31", "10.0.0.255/32", "10.0.1.0/23", "fd00::ffff/64",
                           "fd00::/127", "fe80::5/64", "10.0.0.1/30", "240.0.0.1/8"}) {
    good("link = eth0\naddress = " + std::string(fine) + "\n");
  }
  good("link = lo\naddress = 127.0.0.2/8 10.9.9.9/32\n");
  EXPECT_EQ(problem("dns = 0.0.0.0\n"),
            "1:7: '0.0.0.0' is not an IPv4 or IPv6 address that a machine can have");
  EXPECT_EQ(problem("link = mac 01:00:5e:00:00:01\naddress = dhcp\n"),
            "1:12: this is the address of a group");
}

TEST_F(NetConfig, RoutersAreWhereTheyCanBeReached) {
  const std::string link = "link = eth0\naddress = 10.0.0.2/24 fd00::2/64\n";
  const auto said = [&](std::string_view line) { return problem(link + std::string(line) + "\n"); };
  EXPECT_EQ(said("gateway = 10.0.0.1 10.0.0.3"), "3:20: there is a route to everywhere already");
  EXPECT_EQ(said("gateway = 10.0.0.1\nroute = 0.0.0.0/0 via 10.0.0.3"),
            "4:23: there is a route to everywhere already");
  EXPECT_EQ(said("route = 10.1.0.0/16 via 10.0.0.1\nroute = 10.1.0.0/16 via 10.0.0.3"),
            "4:25: there is a route to this network already");
  EXPECT_EQ(said("gateway = 10.0.0.2"), "3:1: the router is this link itself");
  EXPECT_EQ(said("gateway = fd00::2"), "3:1: the router is this link itself");
  EXPECT_EQ(said("gateway = 10.0.0.0"),
            "3:1: the router is the network's own address, not a machine's");
  EXPECT_EQ(said("gateway = 10.0.0.255"),
            "3:1: the router is the network's broadcast address, not a machine's");
  EXPECT_EQ(said("gateway = 127.0.0.1"), "3:11: this is the machine itself, no router");
  EXPECT_EQ(said("gateway = 10.0.1.1"), "3:1: a router of IPv4 is in none of this link's networks");
  EXPECT_EQ(said("route = fd01::/64 via fd02::1"),
            "3:1: a router of IPv6 is in none of this link's networks");
  EXPECT_EQ(problem("link = ethernet\naddress = dhcp\ngateway = 10.0.0.1\n"),
            "3:1: one route for all Ethernet links: name the link that has it");
  EXPECT_FALSE(good(link + "gateway = 10.0.0.1 fe80::1\n").routes.begin()[1].on_link);
}

// As clouds have it: an address alone, and a router that no network of the link has. By DHCP, the
// network is not known before there is an answer.
TEST_F(NetConfig, ARouterIsOnTheLinkIfThereIsNoNetwork) {
  const auto on_link = [&](std::string_view text) { return good(text).routes.begin()->on_link; };
  EXPECT_TRUE(on_link("link = eth0\naddress = 10.0.0.2/32\ngateway = 172.31.1.1\n"));
  EXPECT_TRUE(on_link("link = eth0\naddress = fd00::2/128\ngateway = fd01::1\n"));
  EXPECT_TRUE(on_link("link = eth0\naddress = dhcp\nroute = 10.1.0.0/16 via 10.0.0.9\n"));
  EXPECT_FALSE(on_link("link = eth0\naddress = dhcp 10.0.0.2/24\ngateway = 10.0.0.1\n"));
  EXPECT_FALSE(on_link("link = eth0\naddress = dhcp\ngateway = fe80::1\n"));
}

TEST_F(NetConfig, WhatIpv6Needs) {
  EXPECT_EQ(problem("link = eth0\naddress = fd00::2/64\nmtu = 1279\n"),
            "3:1: IPv6 needs 1280 at least");
  good("link = eth0\naddress = fd00::2/64\nmtu = 1280\n");
  good("link = eth0\naddress = 10.0.0.2/24\nmtu = 576\n");
}

TEST_F(NetConfig, NothingIsMadeOfItself) {
  EXPECT_EQ(problem("link = br0\naddress = none\nbridge = eth0 br0\n"),
            "3:1: it is made of other links than br0");
  EXPECT_EQ(problem("link = bond0\naddress = none\nbond = 802.3ad bond0\n"),
            "3:1: it is made of other links than bond0");
  EXPECT_EQ(problem("link = v\naddress = none\nvlan = 5 on lo\n"),
            "3:1: it is made of other links than lo");
  std::array configs = {parse_link("a", "link = a\nvlan = 1 on c\naddress = none\n", problems_),
                        parse_link("b", "link = b\nbridge = a\naddress = none\n", problems_),
                        parse_link("c", "link = c\nbond = 802.3ad b\naddress = none\n", problems_),
                        parse_link("d", "link = d\nvlan = 1 on e\naddress = none\n", problems_),
                        parse_link("e", "link = e\nbond = 802.3ad f\naddress = none\n", problems_)};
  problems_.list.clear();
  check_together(configs, problems_);
  EXPECT_EQ(problems_.list.size(), 3U);
  EXPECT_EQ(problems_.list[0].substr(1), " is made of itself, over others");
  EXPECT_TRUE(configs[0].bad && configs[1].bad && configs[2].bad);
  EXPECT_FALSE(configs[3].bad || configs[4].bad);
}

TEST_F(NetConfig, APartHasNoWillOfItsOwn) {
  const auto together = [&](std::string_view one, std::string_view other) {
    problems_.list.clear();
    std::array configs = {parse_link("one", one, problems_), parse_link("two", other, problems_)};
    check_together(configs, problems_);
    return problems_.list.empty() ? "" : problems_.list[0];
  };
  constexpr std::string_view kBridge = "link = br0\nbridge = eth0\naddress = dhcp\n";
  const std::string will = "a part of br0 has neither an address nor an mtu of its own: in two";
  EXPECT_EQ(together("link = eth0\naddress = dhcp\n", kBridge), will);
  EXPECT_EQ(together("link = eth0\naddress = 10.0.0.2/24\n", kBridge), will);
  EXPECT_EQ(together("link = eth0\naddress = none\nmtu = 9000\n", kBridge), will);
  EXPECT_EQ(together("link = eth0\naddress = none\n", kBridge), "");
  EXPECT_EQ(together("link = ethernet\naddress = dhcp\n", kBridge), "");
  EXPECT_EQ(together("link = eth0\nvlan = 5 on eth1\naddress = none\n", kBridge), "");
  EXPECT_EQ(together("link = eth0\nbridge = eth1\naddress = none\n", kBridge),
            "a bridge cannot be part of the one in two");
  EXPECT_EQ(together("link = a\nvlan = 5 on eth1\naddress = none\n",
                     "link = b\nvlan = 5 on eth1\naddress = none\n"),
            "there is a vlan 5 on eth1 already in one");
}

// A kernel that does what it is told.
class Simulated {
 public:
  explicit Simulated(std::vector<std::string> files) : texts_(std::move(files)) {
    for (const std::string& text : texts_) {
      configs_.push_back(parse_link("x", text, problems_));
      EXPECT_FALSE(configs_.back().bad) << text;
    }
    planner_.emplace(configs_);
  }

  Link& add(std::string_view name, bool device = true, Mac mac = {}) {
    Link link;
    link.index = next_++;
    std::copy(name.begin(), name.end(), link.name_buffer.begin());
    link.ethernet = link.device = device;
    link.mac = mac;
    link.mtu = 1500;
    links.push_back(link);
    return links.back();
  }
  void remove(std::string_view name) {
    std::erase_if(links, [&](const Link& link) { return link.name() == name; });
  }

  // Rounds until there is nothing to do, as text.
  std::vector<std::string> run(size_t most = 8) {
    std::vector<std::string> done;
    Operations operations;
    const auto view = std::make_unique<View>();
    for (size_t round = 0; round < most; ++round) {
      view->clear();
      for (const Link& link : links) view->links.add(link);
      planner_->plan(*view, operations);
      if (operations.empty()) return done;
      for (const Operation& operation : operations) done.push_back(apply(operation));
    }
    ADD_FAILURE() << "there is no end to it";
    return done;
  }

  bool refuses = false;
  std::vector<Link> links;

 private:
  Link* at(uint32_t index) {
    for (Link& link : links) {
      if (link.index == index) return &link;
    }
    return nullptr;
  }
  std::string apply(const Operation& operation) {
    const std::string name(operation.name);
    if (!refuses && operation.what == Do::make && !find(name)) add(name, false);
    Link* const link = at(operation.index);
    switch (operation.what) {
      case Do::make: return "make " + name;
      case Do::no_autoconfiguration: return "no-ra " + name;
      case Do::mtu: link->mtu = operation.config->mtu; return "mtu " + name;
      case Do::down: link->up = false; return "down " + name;
      case Do::up: link->up = true; return "up " + name;
      case Do::join:
        link->master = operation.master;
        return "join " + name + " " + std::string(at(operation.master)->name());
      case Do::address: return "address " + name + " " + shown(operation.address);
      case Do::route: return "route " + name + " " + shown(operation.route->to);
    }
    return {};
  }
  Link* find(std::string_view name) {
    for (Link& link : links) {
      if (link.name() == name) return &link;
    }
    return nullptr;
  }

  std::vector<std::string> texts_;
  Problems problems_;
  std::vector<LinkConfig> configs_;
  std::optional<Planner> planner_;
  uint32_t next_ = 1;
};

using Steps = std::vector<std::string>;

TEST(NetPlan, SetsUpALink) {
  Simulated kernel(
      {"link = eth0\naddress = 10.0.0.2/24 fd00::2/64\ngateway = 10.0.0.1\nmtu = 9000\n"});
  kernel.add("lo");
  kernel.add("eth0");
  kernel.add("eth1");
  EXPECT_EQ(kernel.run(), (Steps{"no-ra eth0", "mtu eth0", "up eth0", "address eth0 10.0.0.2/24",
                                 "address eth0 fd00::2/64", "route eth0 0.0.0.0/0"}));
  EXPECT_EQ(kernel.run(), Steps{}) << "done once";
}

TEST(NetPlan, TheMorePreciseFileCounts) {
  const Mac mac = {2, 0, 0, 0, 0, 9};
  Simulated kernel({"link = ethernet\naddress = dhcp\n", "link = eth1\naddress = 10.0.0.1/8\n",
                    "link = mac 02:00:00:00:00:09\naddress = 10.0.0.2/8\n"});
  kernel.add("eth0");
  kernel.add("eth1", true, mac);
  kernel.add("eth2", true, mac);
  kernel.add("veth0", false, mac);
  EXPECT_EQ(kernel.run(),
            (Steps{"no-ra eth0", "up eth0", "no-ra eth1", "up eth1", "address eth1 10.0.0.1/8",
                   "no-ra eth2", "up eth2", "address eth2 10.0.0.2/8"}));
}

TEST(NetPlan, MakesABondOfWhatIsThereAndOfWhatComes) {
  Simulated kernel({"link = bond0\nbond = 802.3ad eth0 eth1\naddress = 10.0.0.2/24\n",
                    "link = ethernet\naddress = dhcp\n"});
  kernel.add("eth0").up = true;
  EXPECT_EQ(kernel.run(), (Steps{"make bond0", "down eth0", "join eth0 bond0", "up eth0",
                                 "no-ra bond0", "up bond0", "address bond0 10.0.0.2/24"}));
  kernel.add("eth1");
  kernel.add("eth2");
  EXPECT_EQ(kernel.run(), (Steps{"join eth1 bond0", "up eth1", "no-ra eth2", "up eth2"}));
}

TEST(NetPlan, MakesAVlanOnABondOnceThatIsThere) {
  Simulated kernel({"link = v\nvlan = 5 on bond0\naddress = none\n",
                    "link = bond0\nbond = active-backup eth0\naddress = none\n"});
  kernel.add("eth0");
  const Steps steps = kernel.run();
  const auto at = [&](const char* step) {
    return std::find(steps.begin(), steps.end(), step) - steps.begin();
  };
  EXPECT_LT(at("make bond0"), at("make v"));
  EXPECT_LT(at("make v"), at("up v"));
  EXPECT_LT(at("up v"), static_cast<ptrdiff_t>(steps.size()));
}

TEST(NetPlan, AVlanComesBackWithTheLinkItIsOn) {
  Simulated kernel({"link = v\nvlan = 5 on eth0\naddress = none\n"});
  EXPECT_EQ(kernel.run(), Steps{});
  kernel.add("eth0");
  EXPECT_EQ(kernel.run(), (Steps{"up eth0", "make v", "no-ra v", "up v"}));
  kernel.remove("v");
  kernel.remove("eth0");
  EXPECT_EQ(kernel.run(), Steps{});
  kernel.add("eth0");
  EXPECT_EQ(kernel.run(), (Steps{"up eth0", "make v", "no-ra v", "up v"}));
}

TEST(NetPlan, WhatIsRefusedIsNotTriedForEver) {
  Simulated kernel({"link = br0\nbridge = eth0\naddress = none\n"});
  kernel.refuses = true;
  kernel.add("eth0");
  EXPECT_EQ(kernel.run(), Steps{"make br0"});
  EXPECT_EQ(kernel.run(), Steps{});
}

TEST(NetPlan, ManyLinksTakeSeveralRounds) {
  Simulated kernel({"link = ethernet\naddress = dhcp\nmtu = 9000\n"});
  for (int i = 0; i < 500; ++i) kernel.add("eth" + std::to_string(i));
  EXPECT_EQ(kernel.run().size(), 1500U);
}

class NetOnline : public testing::Test {
 protected:
  std::string lacks(std::string_view text, bool lease = false) {
    Problems problems;
    const LinkConfig config = parse_link("x", text, problems);
    return std::string(lacking(config, link_, lease, *view_));
  }
  void add(std::string_view address, bool usable) {
    view_->addresses.add({link_.index, *parse_prefixed(address), usable});
  }

  std::unique_ptr<View> view_ = std::make_unique<View>();
  Link link_{.index = 3, .carrier = true};
};

TEST_F(NetOnline, NeedsAUsableAddress) {
  constexpr std::string_view kStatic = "link = eth0\naddress = fd00::2/64\n";
  EXPECT_EQ(lacks("link = eth0\naddress = none\n"), "");
  EXPECT_EQ(lacks(kStatic), "an address");
  add("fd00::2/64", false);
  view_->addresses.add({link_.index + 1, *parse_prefixed("fd00::3/64"), true});
  EXPECT_EQ(lacks(kStatic), "an address");
  add("fd00::2/64", true);
  EXPECT_EQ(lacks(kStatic), "");
  link_.carrier = false;
  EXPECT_EQ(lacks(kStatic), "a carrier");
}

TEST_F(NetOnline, NeedsAnAnswerByDhcpAndTheRouteThatWasAskedFor) {
  add("10.0.0.2/24", true);
  EXPECT_EQ(lacks("link = eth0\naddress = dhcp\n"), "an answer by DHCP");
  EXPECT_EQ(lacks("link = eth0\naddress = dhcp\n", true), "");
  constexpr std::string_view kRouted = "link = eth0\naddress = 10.0.0.2/24\ngateway = 10.0.0.1\n";
  EXPECT_EQ(lacks(kRouted), "its default route");
  view_->routes.add({link_.index, AF_INET6});
  view_->routes.add({link_.index + 1, AF_INET});
  EXPECT_EQ(lacks(kRouted), "its default route");
  view_->routes.add({link_.index, AF_INET});
  EXPECT_EQ(lacks(kRouted), "");
}

TEST(NetMessages, ReadsWhatWasWritten) {
  ifinfomsg header{};
  header.ifi_index = 7;
  header.ifi_type = 1;
  header.ifi_flags = 0x10001;
  Message message(RTM_NEWLINK, 0, header);
  message.add(IFLA_IFNAME, std::string_view("eth0\0", 5));
  message.add(IFLA_MTU, uint32_t{1400});
  message.add(IFLA_ADDRESS, std::span<const uint8_t>(Mac{1, 2, 3, 4, 5, 6}));
  const auto view = std::make_unique<View>();
  EXPECT_FALSE(read_messages(message.finish(1), view.get()).done);
  ASSERT_EQ(view->links.size(), 1U);
  const Link& link = view->links.begin()[0];
  EXPECT_EQ(link.index, 7U);
  EXPECT_EQ(link.name(), "eth0");
  EXPECT_EQ(link.mtu, 1400U);
  EXPECT_EQ(link.mac, (Mac{1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(link.up && link.carrier && link.device && link.ethernet);
  const size_t nest = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, std::string_view("veth"));
  message.end(nest);
  (void)read_messages(message.finish(1), view.get());
  EXPECT_FALSE(view->links.begin()[1].device || view->links.begin()[1].ethernet);
}

TEST(NetMessages, AnErrorHasAReason) {
  nlmsgerr error{};
  error.error = -EPERM;
  Message message(NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED, error);
  message.add(NLMSGERR_ATTR_MSG, std::string_view("no\0", 3));
  const Answer answer = read_messages(message.finish(1), nullptr);
  EXPECT_TRUE(answer.done);
  EXPECT_EQ(answer.error, EPERM);
  EXPECT_EQ(answer.message, "no");
}

// The sanitizers watch.
TEST(NetMessages, AnythingAtAllIsRead) {
  std::minstd_rand random(1);
  const auto view = std::make_unique<View>();
  for (int run = 0; run < 5000; ++run) {
    const uint16_t types[] = {RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, NLMSG_ERROR, NLMSG_DONE};
    Message message(types[random() % 5], static_cast<uint16_t>(random()), rtmsg{});
    message.add(static_cast<uint16_t>(random() % 16), std::string_view("0123456789abcdef-long"));
    std::vector<std::byte> bytes;
    for (const std::byte byte : message.finish(1)) bytes.push_back(byte);
    for (unsigned i = random() % 4; i > 0; --i)
      bytes[random() % bytes.size()] = std::byte(random());
    bytes.resize(random() % (bytes.size() + 1));
    bytes.shrink_to_fit();
    view->clear();
    read_messages(bytes, view.get());
  }
}

}  // namespace
}  // namespace copal::net
