// What to do next, from what the files say and what the kernel has. Making a link changes what
// there is, so that it is asked again after each round, until there is nothing to do. Pure: nothing
// here talks to the kernel.
#pragma once

#include "net/netlink.h"

namespace copal::net {

enum class Do : uint8_t { make, no_autoconfiguration, mtu, down, up, join, address, route };

struct Operation {
  Do what = Do::up;
  uint32_t index = 0;  // of the link; of a VLAN to be made, the one it is on
  const LinkConfig* config = nullptr;
  std::string_view name;  // of the link
  uint32_t master = 0;    // for `join`
  Address address;        // for `address`
  const Route* route = nullptr;
};

using Operations = List<Operation, 512>;

// The file that says how this link is set up, the more precise first; or none. What is part of a
// bond or bridge has none: it is set up with it.
const LinkConfig* config_of(const Link& link, std::span<const LinkConfig> configs);
const LinkConfig* master_of(std::string_view link, std::span<const LinkConfig> configs);

class Planner {
 public:
  explicit Planner(std::span<const LinkConfig> configs) : configs_(configs) {}

  // Each thing is planned once for each link: what the kernel has refused, it would refuse again.
  void plan(const View& view, Operations& operations);

 private:
  void make(const View& view, Operations& operations);
  void join(const Link& link, const LinkConfig& master, const View& view, Operations& operations);
  void set_up(const Link& link, const LinkConfig& config, Operations& operations);
  void forget(const View& view);

  struct Made {
    const LinkConfig* config = nullptr;
    bool seen = false;
  };
  [[nodiscard]] bool made(const LinkConfig& config) const;

  std::span<const LinkConfig> configs_;
  List<Made, kMaxConfigs> made_;
  List<uint32_t, 1024> begun_;  // links
};

// What a link that should be online does not have; empty: it is.
std::string_view lacking(const LinkConfig& config, const Link& link, bool has_lease,
                         const View& view);

// By rtnetlink.
Status carry_out(Netlink& kernel, const Operation& operation);

}  // namespace copal::net
