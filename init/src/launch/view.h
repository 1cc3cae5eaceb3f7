// A service's own view of the files of the machine: its mount namespace.
#pragma once

#include "launch/child.h"

namespace copal::launch {

// Stays a null pointer until something fails; then it is what failed.
struct Step {
  Stage stage = Stage::mounts;
  const char* detail = nullptr;
};

// In the child, in a mount namespace of its own. False: `step` says where, errno why.
bool make_view(const Confinement& view, const Account& owner, Step& step);

// What all services share, made once below /run/init: the smallest /dev, and what hides things.
bool make_shared_parts();

}  // namespace copal::launch
