#include "core/request.h"

#include <algorithm>

#include "core/config.h"

namespace copal {

Request parse_request(std::string_view packet) {
  Request request;
  const auto found = std::find(kVerbNames.begin(), kVerbNames.end(), take_word(packet));
  request.verb = static_cast<Verb>(found - kVerbNames.begin());
  request.name = take_word(packet);
  const auto from = parse_number(request.name, 0, kMaxServices);
  request.from = static_cast<uint16_t>(from.value_or(0));
  return request;
}

}  // namespace copal
