// Who waits for whom: names made into indices, once, and never changed after.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/config.h"

namespace copal {

using Index = uint16_t;

// From SIGKILL on, until a service and what it started have died, or the rest is left behind.
inline constexpr Duration kDeath = std::chrono::seconds(7);

struct Edges {
  std::span<Index> needs;    // must be ready before this one starts
  std::span<Index> after;    // must have had their turn before this one starts
  std::span<Index> waiters;  // the services that name this one in either list
};

class Graph {
 public:
  // Resolves every reference. What names an unknown service in `needs`, and what is in a cycle, is
  // reported and marked bad. False: there is not enough memory.
  bool build(std::span<Spec> specs, Arena& arena, Reporter& reporter);

  [[nodiscard]] size_t size() const { return edges_.size(); }
  [[nodiscard]] const Edges& operator[](Index i) const { return edges_[i]; }
  // How long it may take until all of them have stopped, or the tasks at shutdown have run: one
  // after the other along the longest way from one that nothing waits for to one that waits for
  // nothing, each as long as its file allows.
  [[nodiscard]] Duration longest(When when) const { return longest_[static_cast<size_t>(when)]; }

 private:
  bool resolve(std::span<Spec> specs, Arena& arena, Reporter& reporter);
  bool reverse(Arena& arena);
  bool break_cycles(std::span<Spec> specs, Arena& arena, Reporter& reporter);
  bool measure(std::span<const Spec> specs, Arena& arena);

  std::span<Edges> edges_;
  std::span<Index> order_;  // each behind those that it waits for
  std::array<Duration, 2> longest_{};
};

}  // namespace copal
