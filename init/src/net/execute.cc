// Carries out what was planned, by rtnetlink.

#include <linux/if.h>

#include <cerrno>

#include "net/plan.h"

namespace copal::net {
namespace {

ifinfomsg link_header(uint32_t index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  return header;
}

// NLM_F_CREATE without NLM_F_EXCL: the kernel comes with a bond0 of its own, which is changed.
Status make_link(Netlink& kernel, const Operation& operation) {
  static constexpr std::array<std::string_view, 4> kKinds = {"", "vlan", "bond", "bridge"};
  constexpr uint32_t kMonitorMilliseconds = 100;
  const LinkConfig& config = *operation.config;
  Message message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE, link_header(0));
  message.add(IFLA_IFNAME, Line(config.name).c_str());
  if (operation.index != 0) message.add(IFLA_LINK, operation.index);
  const size_t info = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, kKinds[static_cast<size_t>(config.kind)]);
  const size_t data = message.begin(IFLA_INFO_DATA);
  if (config.kind == Kind::vlan) message.add(IFLA_VLAN_ID, config.vlan);
  if (config.kind == Kind::bond) {
    message.add(IFLA_BOND_MODE, config.bond_mode);
    // By default a bond does not look whether its links are up.
    message.add(IFLA_BOND_MIIMON, kMonitorMilliseconds);
  }
  message.end(data);
  message.end(info);
  return kernel.change(message);
}

Status change_link(Netlink& kernel, const Operation& operation) {
  ifinfomsg header = link_header(operation.index);
  if (operation.what == Do::up || operation.what == Do::down) header.ifi_change = IFF_UP;
  if (operation.what == Do::up) header.ifi_flags = IFF_UP;
  Message message(RTM_NEWLINK, NLM_F_ACK, header);
  if (operation.what == Do::mtu) message.add(IFLA_MTU, operation.config->mtu);
  if (operation.what == Do::join) message.add(IFLA_MASTER, operation.master);
  return kernel.change(message);
}

Status add_address(Netlink& kernel, const Operation& operation) {
  const Address& address = operation.address;
  ifaddrmsg header{};
  header.ifa_family = address.family;
  header.ifa_prefixlen = address.prefix;
  header.ifa_index = operation.index;
  Message message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, header);
  message.add(IFA_LOCAL, address.data());
  message.add(IFA_ADDRESS, address.data());
  return kernel.change(message);
}

Status add_route(Netlink& kernel, const Operation& operation) {
  const Route& route = *operation.route;
  rtmsg header{};
  header.rtm_family = route.to.family;
  header.rtm_dst_len = route.to.prefix;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  if (route.on_link) header.rtm_flags = RTNH_F_ONLINK;
  Message message(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, header);
  if (route.to.prefix != 0) message.add(RTA_DST, route.to.data());
  message.add(RTA_GATEWAY, route.via.data());
  message.add(RTA_OIF, operation.index);
  return kernel.change(message);
}

// The kernel would take addresses from whoever sends a router advertisement: with `dhcp` dhcpcd
// does that, and without nobody is meant to.
Status no_autoconfiguration(std::string_view link) {
  for (const char* key : {"accept_ra", "autoconf"}) {
    const Status done =
        sys::write_file(Line("/proc/sys/net/ipv6/conf/", link, "/", key).c_str(), "0");
    if (!done.ok() && done.error().code != ENOENT) return done;  // there may be no IPv6
  }
  return {};
}

}  // namespace

Status carry_out(Netlink& kernel, const Operation& operation) {
  switch (operation.what) {
    case Do::make: return make_link(kernel, operation);
    case Do::no_autoconfiguration: return no_autoconfiguration(operation.name);
    case Do::mtu:
    case Do::down:
    case Do::up:
    case Do::join: return change_link(kernel, operation);
    case Do::address: return add_address(kernel, operation);
    case Do::route: return add_route(kernel, operation);
  }
  return {};
}

}  // namespace copal::net
