// What services say of themselves: a datagram of sd_notify(3), and the first line of an HTTP
// answer.
#pragma once

#include <optional>
#include <string_view>

#include "core/time.h"

namespace copal {

struct Notice {
  bool ready = false;
  bool alive = false;       // WATCHDOG=1
  Duration more{};          // EXTEND_TIMEOUT_USEC
  std::string_view status;  // part of the datagram
};

// Reads what is known and skips the rest, as the protocol asks for; MAINPID above all, since a
// service cannot choose whom PID 1 watches.
Notice parse_notice(std::string_view datagram);

// The number in "HTTP/1.1 200 OK"; nothing while the line is not whole, or if it is none.
std::optional<int> parse_http_status(std::string_view answer);

}  // namespace copal
