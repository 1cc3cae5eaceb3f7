// Datagrams of the kernel's routing socket.
#include <memory>
#include <vector>

#include "fuzz.h"
#include "net/plan.h"

namespace copal {

void fuzz(std::string_view input) {
  const auto view = std::make_unique<net::View>();
  // A copy of its own, so that reading beyond it is seen.
  const auto* const bytes = reinterpret_cast<const std::byte*>(input.data());
  const std::vector<std::byte> datagram(bytes, bytes + input.size());
  const net::Answer answer = net::read_messages(datagram, view.get());
  hold(answer.message.empty() || answer.done);
  for (const net::Link& link : view->links) {
    hold(link.name().size() <= net::kMaxLinkName);
    hold(!link.ethernet || link.device);
  }
  for (const net::LinkAddress& address : view->addresses) {
    hold(address.address.family == AF_INET || address.address.family == AF_INET6);
  }
}

}  // namespace copal
