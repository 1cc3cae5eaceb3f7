// The address of a collector.
#include "fuzz.h"
#include "log/record.h"

namespace copal {

void fuzz(std::string_view input) {
  // Seeds end with a newline.
  const auto address = log::parse_address(input.substr(0, input.find('\n')));
  if (!address) return;
  hold(input.starts_with(address->tcp ? "tcp://" : "udp://"));
  const bool six = address->storage.ss_family == AF_INET6;
  hold(address->size == (six ? sizeof(sockaddr_in6) : sizeof(sockaddr_in)));
  hold(reinterpret_cast<const sockaddr_in&>(address->storage).sin_port != 0);
}

}  // namespace copal
