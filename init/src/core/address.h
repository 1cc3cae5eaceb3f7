// An IPv4 address and a port, in numbers: nothing here looks up a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace copal {

struct Address {
  uint32_t host = 0;  // in host byte order
  uint16_t port = 0;
};

std::optional<Address> parse_address(std::string_view text);

}  // namespace copal
