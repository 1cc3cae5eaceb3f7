// What a service says about itself on its NOTIFY_SOCKET: sd_notify(3), of which PID 1 hears only
// what it can act on. Any process of the service may send anything, so this is pure, and fuzzed.
#pragma once

#include <string_view>

namespace copal {

struct Notification {
  bool ready = false;
};

Notification parse_notification(std::string_view datagram);

}  // namespace copal
