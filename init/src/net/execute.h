// Carries out what was planned, by rtnetlink.
#pragma once

#include "net/plan.h"

namespace copal::net {

Status carry_out(Netlink& kernel, const Operation& operation);

}  // namespace copal::net
