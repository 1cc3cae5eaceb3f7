// The first line of an answer over HTTP, as a probe for readiness reads it.
#include "core/notify.h"
#include "fuzz.h"

namespace copal {

void fuzz(std::string_view input) {
  const auto code = parse_http_status(input);
  hold(!code || (*code >= 100 && *code <= 599));
}

}  // namespace copal
