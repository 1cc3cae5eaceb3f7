// Datagrams of the kernel's routing socket.
#include <vector>

#include "fuzz.h"
#include "net/plan.h"

namespace copal {

void fuzz(std::string_view input) {
  std::vector<std::byte> block(size_t{1} << 19);
  Arena arena(block);
  net::View view(arena);
  std::vector<std::byte> datagram(input.size());
  std::memcpy(datagram.data(), input.data(), input.size());
  const net::Answer answer = net::read_messages(datagram, view);
  hold(answer.message.empty() || answer.done);
  for (const net::Link& link : view.links()) {
    hold(link.name().size() <= net::kMaxLinkName);
    hold(!link.ethernet || link.device);
  }
  for (const net::LinkAddress& address : view.addresses()) {
    hold(!net::text_of(address.address).text().empty());
  }
}

}  // namespace copal
