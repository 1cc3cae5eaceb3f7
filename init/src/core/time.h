// Time is milliseconds since boot (CLOCK_MONOTONIC): fine enough for a supervisor, and it never
// jumps. The core is only ever told the time, so tests run hours in a second.
#pragma once

#include <chrono>

namespace copal {

using Duration = std::chrono::milliseconds;
using Time = std::chrono::milliseconds;

inline constexpr Time kNever = Time::max();

}  // namespace copal
