#include "core/address.h"

#include <algorithm>

#include "core/text.h"

namespace copal {

std::optional<Address> parse_address(std::string_view text) {
  const size_t colon = std::min(text.rfind(':'), text.size());
  std::string_view host = text.substr(0, colon);
  const auto port = parse_number(text.substr(std::min(colon + 1, text.size())), 1, 65535);
  uint32_t bytes = 0;
  int count = 0;
  while (!host.empty() && count < 4) {
    const size_t end = std::min(host.find('.'), host.size());
    const auto byte = parse_number(host.substr(0, end), 0, 255);
    if (!byte) break;
    bytes = bytes << 8 | static_cast<uint32_t>(*byte);
    ++count;
    host.remove_prefix(std::min(end + 1, host.size()));
  }
  if (!port || count != 4 || !host.empty()) return {};
  return Address{bytes, static_cast<uint16_t>(*port)};
}

}  // namespace copal
