// A datagram on a NOTIFY_SOCKET.
#include "core/notify.h"

#include "fuzz.h"

namespace copal {

void fuzz(std::string_view input) {
  const Notification notification = parse_notification(input);
  hold(!notification.ready || input.find("READY=1") != std::string_view::npos);
}

}  // namespace copal
