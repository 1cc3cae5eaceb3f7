// A datagram on a NOTIFY_SOCKET.
#include "core/notify.h"

#include "fuzz.h"

namespace copal {

void fuzz(std::string_view input) {
  const Notice notice = parse_notice(input);
  hold(!notice.ready || input.find("READY=1") != std::string_view::npos);
  hold(notice.more >= Duration{});
}

}  // namespace copal
