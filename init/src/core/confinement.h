// What a service may do and use, as its file says. What the file does not say is forbidden.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace copal {

struct Account {
  uint32_t user = 0;
  uint32_t group = 0;
  std::span<uint32_t> groups;  // supplementary
};

enum class Devices : uint8_t { min, none, all };

struct Bind {
  const char* from = nullptr;
  const char* to = nullptr;
  bool write = false;
};

struct Tmpfs {
  const char* path = nullptr;
  uint64_t bytes = 0;
};

struct Confinement {
  uint64_t caps = 0;  // the bounding set and all others; bit n is capability n
  bool new_privs = false;
  bool landlock = true;
  std::string_view seccomp = "service";  // a profile of the image; empty: none
  uint64_t namespaces = 0;               // CLONE_NEW…, besides that of mounts
  bool own_mounts = true;                // and what follows has a meaning
  bool own_proc = true;
  Devices devices = Devices::min;
  std::span<const char*> nodes;  // in /dev, besides the few that are always there
  std::span<const char*> write;
  std::span<const char*> hide;
  std::span<Bind> bind;
  std::span<Tmpfs> tmpfs;
};

// In each of the lists of paths.
inline constexpr size_t kMaxPaths = 64;

inline constexpr uint64_t kUnlimited = ~uint64_t{0};

// Of the cgroup (zero: as the kernel has it), then of each process.
struct Limits {
  uint64_t memory = 0;       // bytes; more: the service is killed
  uint64_t memory_high = 0;  // bytes; more: it is slowed down
  uint32_t cpu_weight = 0;   // 1..10000
  uint32_t cpu_max = 0;      // percent of one processor
  uint32_t io_weight = 0;    // 1..10000
  std::string_view cpuset;
  uint64_t pids = 512;

  uint64_t nofile = 0;  // zero: as PID 1
  uint64_t memlock = 0;
  uint64_t core = 0;
  int32_t nice = 0;
  int32_t oom = 0;
};

// The name without CAP_, in lower case; empty where there is none.
std::string_view capability_name(size_t number);
inline constexpr size_t kCapabilities = 41;
inline constexpr uint64_t kAllCaps = (uint64_t{1} << kCapabilities) - 1;

}  // namespace copal
