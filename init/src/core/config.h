// A service file: `key = words`, one to a line. The rules are in config.cc, the keys in keys.inc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/arena.h"
#include "core/lines.h"
#include "core/time.h"

namespace copal {

enum class Kind : uint8_t { service, task };
enum class Ready : uint8_t { exec, notify, tcp };
enum class Kill : uint8_t { main, tree };
enum class Restart : uint8_t { always, on_failure, never };

inline constexpr size_t kMaxServices = 512;
inline constexpr size_t kMaxName = 48;

struct Reference {
  std::string_view name;
  Place place;
};

struct Account {
  uint32_t user = 0;
  uint32_t group = 0;
};

struct Spec {
  std::string_view name;
  bool bad = false;  // the file has an error: the service has failed before it began
  Kind kind = Kind::service;
  std::span<const char*> argv;  // ends with a null pointer, as does env
  std::span<const char*> env;
  std::span<Reference> needs;
  std::span<Reference> after;

  Ready ready = Ready::exec;
  uint32_t address = 0;  // for tcp; IPv4, host byte order
  uint16_t port = 0;
  Duration ready_limit = std::chrono::seconds(30);

  int stop_signal = 15;  // SIGTERM
  Duration stop_limit = std::chrono::seconds(10);
  Kill kill = Kill::tree;

  Restart restart = Restart::always;
  Duration delay_min = std::chrono::milliseconds(100);
  Duration delay_max = std::chrono::seconds(30);
  uint32_t give_up_count = 0;  // 0: never
  Duration give_up_window{};

  Account account;
  int32_t oom = 0;
  uint32_t nofile = 0;  // 0: as PID 1
  bool console = false;
};

// The text of /etc/passwd and /etc/group. Without accounts, names are taken on trust.
struct Accounts {
  std::string_view passwd;
  std::string_view group;
};

// True for what may name a service (and its file, its cgroup and its lines in the log).
bool valid_name(std::string_view name);

// Reads one service file. Everything wrong with it goes to `reporter`, and sets spec.bad.
// `text` has to last as long as the spec.
Spec parse_spec(std::string_view name, std::string_view file, std::string_view text,
                const Accounts* accounts, Arena& arena, Reporter& reporter);

}  // namespace copal
