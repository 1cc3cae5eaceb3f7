// Who waits for whom: names made into indices, once, and never changed after.
#pragma once

#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/config.h"

namespace copal {

using Index = uint16_t;

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

 private:
  bool resolve(std::span<Spec> specs, Arena& arena, Reporter& reporter);
  bool reverse(Arena& arena);
  bool break_cycles(std::span<Spec> specs, Arena& arena, Reporter& reporter);

  std::span<Edges> edges_;
};

}  // namespace copal
