// When to try again, and when to give up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/time.h"

namespace copal {

// xorshift32: enough to keep services that crash together from restarting together.
class Random {
 public:
  explicit Random(uint32_t seed) : state_(seed ? seed : 1) {}
  uint32_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_;
  }

 private:
  uint32_t state_;
};

// Exponential back-off: the delay doubles from `shortest` to `longest`, give or take a tenth, and
// starts again from `shortest` once a run has been up for kForgive.
class Backoff {
 public:
  static constexpr Duration kForgive = std::chrono::minutes(1);

  Duration next(Duration shortest, Duration longest, Duration uptime, Random& random) {
    if (uptime >= kForgive) failures_ = 0;
    Duration delay = shortest;
    for (uint32_t i = 0; i < failures_ && delay < longest; ++i) delay *= 2;
    delay = std::min(delay, longest);
    if (failures_ < kMost) ++failures_;
    const auto tenth = delay.count() / 10;
    if (tenth == 0) return delay;
    return delay + Duration(static_cast<int64_t>(random.next() % (2 * tenth + 1)) - tenth);
  }

 private:
  static constexpr uint32_t kMost = 32;
  uint32_t failures_ = 0;
};

// Remembers the last ends, as many as `give-up` names.
class Window {
 public:
  Window() = default;
  explicit Window(std::span<Time> ends) : ends_(ends) {
    std::fill(ends.begin(), ends.end(), kNone);
  }

  // Notes an end. True: so many lie within `window` that it is time to give up.
  bool note(Time now, Duration window) {
    if (ends_.empty()) return false;
    ends_[oldest_] = now;
    oldest_ = (oldest_ + 1) % ends_.size();
    return ends_[oldest_] != kNone && now - ends_[oldest_] <= window;
  }

 private:
  static constexpr Time kNone = Time(-1);
  std::span<Time> ends_;
  size_t oldest_ = 0;
};

}  // namespace copal
