// One line of the log, and all texts that the log reads and writes. Pure functions: what they read
// may come from anybody.
#pragma once

#include <array>
#include <climits>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/address.h"

namespace copal::log {

// RFC 5424 has a collector take 2,048 octets. The rest is for what stands before the text.
inline constexpr size_t kMaxText = 1800;
inline constexpr size_t kMaxMessage = 2048;

// Levels are those of syslog(3).
inline constexpr std::array<std::string_view, 8> kLevels = {"emerg",   "alert",  "crit", "err",
                                                            "warning", "notice", "info", "debug"};
inline constexpr uint8_t kWarning = 4;
inline constexpr uint8_t kNotice = 5;
inline constexpr uint8_t kInfo = 6;

// Facilities of the kernel's log: who wrote there.
inline constexpr unsigned kFromKernel = 0;
inline constexpr unsigned kFromInit = 3;
inline constexpr unsigned kFromLog = 5;

struct Stamp {
  int64_t realtime = 0;  // microseconds, both
  int64_t monotonic = 0;
};

struct Record {
  uint64_t sequence = 0;  // counts from 1 over all services since the log began
  uint64_t number = 0;    // the same within the service
  Stamp stamp;
  uint8_t level = kInfo;
  std::string_view service;
  std::string_view text;
};

std::optional<uint8_t> parse_level(std::string_view name);
// Cuts sd-daemon's "<N>" off a line.
uint8_t take_level(std::string_view& line);
// Puts something harmless in the place of control characters and of what is not UTF-8.
void clean(std::span<char> text);

// What a read of /dev/kmsg gives: "30,339,5140900,-;init: boot 5.140s\n".
struct KernelMessage {
  unsigned facility = 0;
  uint8_t level = kInfo;
  long sequence = 0;
  long time = 0;  // microseconds since boot
  std::string_view text;
};
std::optional<KernelMessage> parse_kernel(std::string_view record);

// What a client asks for: "[NAME] [lines=N] [follow]".
struct Request {
  std::string_view name;  // empty: all services
  long lines = LONG_MAX;
  bool follow = false;
};
std::optional<Request> parse_request(std::string_view line);

// "udp://10.0.2.2:514", "tcp://[fd00::1]:601".
struct Address {
  bool tcp = false;
  SocketAddress socket;
};
std::optional<Address> parse_address(std::string_view text);

// For a client: "2026-11-24T23:42:57.123Z name level: text", with a newline. `out` has room for
// kMaxMessage; so has that of the next.
std::string_view format_line(const Record& record, std::span<char> out);
// For a collector: RFC 5424, over TCP with the octets counted in front as RFC 6587 has it.
std::string_view format_syslog(const Record& record, std::string_view host, bool counted,
                               std::span<char> out);

}  // namespace copal::log
