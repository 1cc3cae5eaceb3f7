// Ends well when the machine is online.
#pragma once

#include "core/arena.h"
#include "net/config.h"
#include "sys/kernel.h"

namespace copal::net {

// Waits for what the kernel says of links, addresses and routes, for at most so long. Then it says
// which link lacks what. The exit code of the task.
int wait_until_online(std::span<const LinkConfig> configs, const sys::Fd& state, Duration limit,
                      Arena& arena);

}  // namespace copal::net
