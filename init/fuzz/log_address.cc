// The address of a collector.
#include "fuzz.h"
#include "log/record.h"

namespace copal {

void fuzz(std::string_view input) {
  // Seeds end with a newline.
  const auto address = log::parse_address(input.substr(0, input.find('\n')));
  if (!address) return;
  hold(input.starts_with(address->tcp ? "tcp://" : "udp://"));
  const SocketAddress& socket = address->socket;
  hold(socket.any.sa_family == AF_INET || socket.any.sa_family == AF_INET6);
  hold(socket.four.sin_port != 0);
}

}  // namespace copal
