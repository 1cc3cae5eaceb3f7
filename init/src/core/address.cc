#include "core/address.h"

#include <algorithm>
#include <arpa/inet.h>

#include "core/text.h"

namespace copal {

std::optional<SocketAddress> parse_socket_address(std::string_view text) {
  const size_t colon = std::min(text.rfind(':'), text.size());
  const auto port = parse_number(text.substr(std::min(colon + 1, text.size())), 1, 65535);
  std::string_view host = text.substr(0, colon);
  const bool six = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (six) host = host.substr(1, host.size() - 2);
  SocketAddress address;
  address.any.sa_family = six ? AF_INET6 : AF_INET;
  void* const to = six ? static_cast<void*>(&address.six.sin6_addr) : &address.four.sin_addr;
  if (!port || host.find('\0') != host.npos) return {};
  if (inet_pton(address.any.sa_family, Line(host).c_str(), to) != 1) return {};
  // It is at the same place in both.
  address.four.sin_port = htons(static_cast<uint16_t>(*port));
  return address;
}

}  // namespace copal
