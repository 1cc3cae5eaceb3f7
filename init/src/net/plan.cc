#include "net/plan.h"

#include <algorithm>

namespace copal::net {
namespace {

constexpr size_t kMostForOneLink = 64;

bool matches(const LinkConfig& config, const Link& link) {
  if (config.bad) return false;
  switch (config.match) {
    case Match::nothing: return false;
    case Match::name: return config.name == link.name();
    case Match::mac: return link.device && config.mac == link.mac;
    case Match::ethernet: return link.ethernet;
  }
  return false;
}

template <size_t n>
bool contains(const List<uint32_t, n>& list, uint32_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

const LinkConfig* master_of(std::string_view link, std::span<const LinkConfig> configs) {
  const auto has = [&](const LinkConfig& config) { return !config.bad && config.has_member(link); };
  const auto found = std::find_if(configs.begin(), configs.end(), has);
  return found == configs.end() ? nullptr : &*found;
}

const LinkConfig* config_of(const Link& link, std::span<const LinkConfig> configs) {
  if (master_of(link.name(), configs)) return nullptr;
  const LinkConfig* best = nullptr;
  for (const LinkConfig& config : configs) {
    if (matches(config, link) && (!best || config.match < best->match)) best = &config;
  }
  return best;
}

bool Planner::made(const LinkConfig& config) const {
  const auto same = [&](const Made& made) { return made.config == &config; };
  return std::any_of(made_.begin(), made_.end(), same);
}

void Planner::make(const View& view, Operations& operations) {
  for (const LinkConfig& config : configs_) {
    if (config.bad || config.kind == Kind::existing || made(config)) continue;
    Operation make{Do::make, 0, &config, config.name};
    if (config.kind == Kind::vlan) {
      const Link* const parent = view.find(config.parent);
      if (!parent) continue;
      make.index = parent->index;
      if (!parent->up) operations.add({Do::up, parent->index, &config, parent->name()});
    }
    operations.add(make);
    made_.add({&config, false});
  }
}

// A bond takes only links that are down, and brings them up.
void Planner::join(const Link& link, const LinkConfig& master, const View& view,
                   Operations& operations) {
  const Link* const to = view.find(master.name);
  if (!to || !begun_.add(link.index)) return;
  Operation step{Do::down, link.index, &master, link.name(), to->index};
  if (link.master == to->index) return;
  if (link.up && master.kind == Kind::bond) operations.add(step);
  step.what = Do::join;
  operations.add(step);
  step.what = Do::up;
  operations.add(step);
}

void Planner::set_up(const Link& link, const LinkConfig& config, Operations& operations) {
  if (!begun_.add(link.index)) return;
  Operation step{Do::no_autoconfiguration, link.index, &config, link.name()};
  operations.add(step);
  step.what = Do::mtu;
  if (config.mtu != 0 && config.mtu != link.mtu) operations.add(step);
  step.what = Do::up;
  if (!link.up) operations.add(step);
  step.what = Do::address;
  for (const Address& address : config.addresses) {
    step.address = address;
    operations.add(step);
  }
  step.what = Do::route;
  for (const Route& route : config.routes) {
    step.route = &route;
    operations.add(step);
  }
}

// A link that has gone and comes again is a new one.
void Planner::forget(const View& view) {
  const List<uint32_t, 1024> before = begun_;
  begun_.clear();
  for (const Link& link : view.links) {
    if (contains(before, link.index)) begun_.add(link.index);
  }
  const List<Made, kMaxConfigs> made = made_;
  made_.clear();
  for (const Made& one : made) {
    const bool there = view.find(one.config->name) != nullptr;
    if (there || !one.seen) made_.add({one.config, there});
  }
}

void Planner::plan(const View& view, Operations& operations) {
  operations.clear();
  forget(view);
  make(view, operations);
  for (const Link& link : view.links) {
    if (operations.room() < kMostForOneLink) return;
    if (contains(begun_, link.index)) continue;
    const LinkConfig* const master = master_of(link.name(), configs_);
    if (master) {
      join(link, *master, view, operations);
      continue;
    }
    const LinkConfig* const config = config_of(link, configs_);
    const bool waits = config && config->kind != Kind::existing && !made(*config);
    if (config && !waits) set_up(link, *config, operations);
  }
}

std::string_view lacking(const LinkConfig& config, const Link& link, bool has_lease,
                         const View& view) {
  if (!config.dhcp && config.addresses.empty()) return {};
  if (!link.carrier) return "a carrier";
  const auto usable = [&](const LinkAddress& address) {
    return address.index == link.index && address.usable;
  };
  const auto& addresses = view.addresses;
  if (std::none_of(addresses.begin(), addresses.end(), usable)) return "an address";
  if (config.dhcp && config.addresses.empty() && !has_lease) return "an answer by DHCP";
  for (const Route& route : config.routes) {
    const auto same = [&](const DefaultRoute& has) {
      return has.index == link.index && has.family == route.to.family;
    };
    const auto& routes = view.routes;
    if (route.to.prefix == 0 && std::none_of(routes.begin(), routes.end(), same)) {
      return "its default route";
    }
  }
  return {};
}

}  // namespace copal::net
