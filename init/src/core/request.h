// What a client of PID 1's control or status socket asks for.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace copal {

// The last three are in the order of Ending.
enum class Verb : uint8_t {
  status,
  start,
  stop,
  restart,
  reload,
  poweroff,
  reboot,
  kexec,
  unknown
};
inline constexpr std::array<std::string_view, 8> kVerbNames = {
    "status", "start", "stop", "restart", "reload", "poweroff", "reboot", "kexec"};

struct Request {
  Verb verb = Verb::unknown;
  std::string_view name;  // of a service; part of the packet
  uint16_t from = 0;      // of `status`: the number of the first service
};

// One packet: a verb and a word.
Request parse_request(std::string_view packet);

}  // namespace copal
