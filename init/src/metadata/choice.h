// Where the machine's document is to come from, by `copal.metadata=` on the kernel's command line,
// and what a URL there says of the machine that asks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace copal::metadata {

enum class Source : uint8_t { automatic, none, fw_cfg, smbios, disk, url, cloud };

// An empty value is the default, automatic. A cloud is named by its row in provider.cc.
std::optional<Source> parse_source(std::string_view value);

// What stands for ${mac}, ${uuid}, ${serial} and ${hostname}.
struct Facts {
  std::string mac;
  std::string uuid;
  std::string serial;
  std::string hostname;  // empty if it is the image's, which is every machine's
};

// Of a name that somebody gave the machine, the first label; empty if it is no host name.
std::string_view host_label(std::string_view name);

// The URL with its variables replaced, percent-encoded; or nothing, and then `problem` says why.
std::optional<std::string> substitute(std::string_view url, const Facts& facts,
                                      std::string& problem);

// Of /proc/net/route and /proc/net/ipv6_route: the link with the default route; empty if none has.
std::string_view default_link(std::string_view ipv4_routes, std::string_view ipv6_routes);

}  // namespace copal::metadata
