#include "core/notify.h"

#include "core/text.h"

namespace copal {

Notification parse_notification(std::string_view datagram) {
  Notification notification;
  while (!datagram.empty()) {
    if (take_line(datagram) == "READY=1") notification.ready = true;
  }
  return notification;
}

}  // namespace copal
