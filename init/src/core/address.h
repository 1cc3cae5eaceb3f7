// An IPv4 or IPv6 address and a port, in numbers: nothing here looks up a name.
#pragma once

#include <netinet/in.h>
#include <optional>
#include <string_view>

namespace copal {

union SocketAddress {
  sockaddr_in6 six{};
  sockaddr_in four;
  sockaddr any;

  [[nodiscard]] socklen_t size() const {
    return any.sa_family == AF_INET ? sizeof four : sizeof six;
  }
};

// "10.0.2.2:514" or "[fd00::1]:514".
std::optional<SocketAddress> parse_socket_address(std::string_view text);

}  // namespace copal
