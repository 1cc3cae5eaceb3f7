// A service file: `key = words`, one to a line. The rules are in config.cc, the keys in keys.inc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/address.h"
#include "core/arena.h"
#include "core/confinement.h"
#include "core/lines.h"
#include "core/time.h"

namespace copal {

enum class Kind : uint8_t { service, task };
enum class When : uint8_t { boot, shutdown };
enum class Ready : uint8_t { exec, notify, fd, tcp, http, path };
enum class Kill : uint8_t { main, tree };
enum class Restart : uint8_t { always, on_failure, never };
enum class GiveUp : uint8_t { fail, reboot };

inline constexpr size_t kMaxServices = 1024;  // with the log
inline constexpr size_t kMaxName = 48;

struct Reference {
  std::string_view name;
  Place place;
};

struct Spec {
  std::string_view name;
  bool bad = false;  // the file has an error: the service has failed before it began
  Kind kind = Kind::service;
  When when = When::boot;
  std::span<const char*> argv;  // ends with a null pointer, as does env
  std::span<const char*> env;
  std::span<Reference> needs;
  std::span<Reference> after;

  Ready ready = Ready::exec;
  SocketAddress address;  // for tcp and http
  std::string_view path;  // for http, what is asked for; for path, what has to be there
  Duration ready_limit = std::chrono::seconds(30);

  int stop_signal = 15;  // SIGTERM
  Duration stop_limit = std::chrono::seconds(10);
  int reload_signal = 0;  // 0: it cannot
  Kill kill = Kill::tree;
  Duration rest_limit = std::chrono::seconds(10);  // of what outlives it, at the end of the machine
  Duration limit{};                                // of a task; zero: none
  Duration watchdog{};                             // zero: none

  Restart restart = Restart::always;
  Duration delay_min = std::chrono::milliseconds(100);
  Duration delay_max = std::chrono::seconds(30);
  uint32_t give_up_count = 0;  // 0: never
  Duration give_up_window{};
  GiveUp give_up_then = GiveUp::fail;

  Account account;
  Confinement confinement;
  Limits limits;
  bool last = false;  // is needed until all others have ended, as the log is
  bool delegate = false;
  bool console = false;
  uint32_t log_rate = 1000;  // lines per second
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
