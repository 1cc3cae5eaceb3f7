// Reads a folder of service files. The same code runs in PID 1 and, when an image is built, as
// `init --check`.
#pragma once

#include "core/config.h"
#include "core/graph.h"
#include "sys/kernel.h"

namespace copal {

// The service that is always there, and that all others start after: it takes what they print.
inline constexpr Index kLogService = 0;

struct Services {
  std::span<Spec> specs;
  Graph graph;
};

// Bad files are reported, and are services that have failed. An error means that there are no
// services at all.
Status load_services(const sys::Fd& dir, std::string_view path, const Accounts* accounts,
                     Arena& arena, Reporter& reporter, Services& services);

// etc/passwd and etc/group below `root`; what is not there is empty.
Accounts load_accounts(const sys::Fd& root, Arena& arena);

}  // namespace copal
