// A packet on one of PID 1's two sockets.
#include "core/config.h"
#include "core/request.h"
#include "fuzz.h"

namespace copal {

void fuzz(std::string_view input) {
  const Request request = parse_request(input);
  hold(request.from <= kMaxServices);
  hold(request.verb == Verb::unknown ||
       input.find(kVerbNames[static_cast<size_t>(request.verb)]) != std::string_view::npos);
  hold(request.name.find_first_of(" \n") == std::string_view::npos);
}

}  // namespace copal
