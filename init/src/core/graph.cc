#include "core/graph.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/text.h"

namespace copal {
namespace {

std::optional<Index> find(std::span<const Spec> specs, std::string_view name) {
  for (size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) return static_cast<Index>(i);
  }
  return {};
}

void report_unknown(std::span<Spec> specs, const Reference& reference, Reporter& reporter) {
  Suggestion suggestion(reference.name);
  for (const Spec& spec : specs) suggestion.offer(spec.name);
  Line message("there is no service '", reference.name, "'");
  if (!suggestion.best().empty()) message.add(": did you mean '").add(suggestion.best()).add("'?");
  reporter.problem(reference.place, message.text());
}

template <typename Visit>
void for_each_predecessor(const Edges& edges, Visit visit) {
  for (const Index i : edges.needs) visit(i);
  for (const Index i : edges.after) visit(i);
}

// Everything that is not gone waits for something that is not gone, so that walking back along that
// must come round. The result is a part of `path`, each waiting for the next and the last for the
// first.
std::span<const Index> find_cycle(std::span<const Edges> edges, std::span<const bool> gone,
                                  std::span<Index> path) {
  auto at = static_cast<Index>(std::find(gone.begin(), gone.end(), false) - gone.begin());
  size_t length = 0;
  while (true) {
    const std::span<Index> walked = path.first(length);
    const auto seen = std::find(walked.begin(), walked.end(), at);
    if (seen != walked.end()) return {seen, walked.end()};
    path[length++] = at;
    bool moved = false;
    for_each_predecessor(edges[at], [&](Index i) {
      if (gone[i] || moved) return;
      at = i;
      moved = true;
    });
  }
}

void report_cycle(std::span<const Spec> specs, std::span<const Index> cycle, Reporter& reporter) {
  const Spec& first = specs[cycle[0]];
  const Spec& second = specs[cycle[cycle.size() > 1 ? 1 : 0]];
  Line message("a cycle: ", first.name);
  for (const Index member : cycle.subspan(1)) {
    message.add(" waits for ").add(specs[member].name);
  }
  message.add(" waits for ").add(first.name);
  Place place;
  for (const auto& list : {first.needs, first.after}) {
    for (const Reference& reference : list) {
      if (reference.name == second.name) place = reference.place;
    }
  }
  reporter.problem(place, message.text());
}

}  // namespace

bool Graph::resolve(std::span<Spec> specs, Arena& arena, Reporter& reporter) {
  for (size_t i = 0; i < specs.size(); ++i) {
    Spec& spec = specs[i];
    const std::span<Index> needs = arena.make<Index>(spec.needs.size());
    const std::span<Index> after = arena.make<Index>(spec.after.size());
    if (needs.size() != spec.needs.size() || after.size() != spec.after.size()) return false;
    size_t need_count = 0;
    size_t after_count = 0;
    for (const Reference& reference : spec.needs) {
      const auto found = find(specs, reference.name);
      if (found && specs[*found].when == spec.when) {
        needs[need_count++] = *found;
        continue;
      }
      spec.bad = true;
      if (!found) {
        report_unknown(specs, reference, reporter);
      } else {
        reporter.problem(reference.place, "one of the two runs at boot, the other at shutdown");
      }
    }
    // `after` is order only: what is not in this image, or not there at that time, need not be
    // waited for.
    for (const Reference& reference : spec.after) {
      const auto found = find(specs, reference.name);
      if (found && specs[*found].when == spec.when) after[after_count++] = *found;
    }
    edges_[i].needs = needs.first(need_count);
    edges_[i].after = after.first(after_count);
  }
  return true;
}

// Counts, then fills: two passes give each list its exact size.
bool Graph::reverse(Arena& arena) {
  const std::span<Index> counts = arena.make<Index>(size());
  if (counts.size() != size()) return false;
  for (const Edges& edges : edges_) for_each_predecessor(edges, [&](Index i) { ++counts[i]; });
  for (size_t i = 0; i < size(); ++i) {
    edges_[i].waiters = arena.make<Index>(counts[i]);
    if (edges_[i].waiters.size() != counts[i]) return false;
    counts[i] = 0;
  }
  for (size_t from = 0; from < size(); ++from) {
    for_each_predecessor(
        edges_[from], [&](Index i) { edges_[i].waiters[counts[i]++] = static_cast<Index>(from); });
  }
  return true;
}

// Takes away, again and again, what waits for nothing that is left. If something is left, all of it
// waits for something that is left: there is a cycle, which is reported and broken by taking its
// members away, and the rest goes on.
bool Graph::break_cycles(std::span<Spec> specs, Arena& arena, Reporter& reporter) {
  const std::span<Index> waits = arena.make<Index>(size());
  const std::span<Index> free = arena.make<Index>(size());
  const std::span<Index> path = arena.make<Index>(size());
  const std::span<bool> gone = arena.make<bool>(size());
  if (waits.size() != size() || free.size() != size() || path.size() != size() ||
      gone.size() != size()) {
    return false;
  }
  size_t free_count = 0;
  size_t taken = 0;
  const auto release = [&](Index i) {
    gone[i] = true;
    free[free_count++] = i;
  };
  for (size_t i = 0; i < size(); ++i) {
    waits[i] = static_cast<Index>(edges_[i].needs.size() + edges_[i].after.size());
    if (waits[i] == 0) release(static_cast<Index>(i));
  }
  while (true) {
    while (taken < free_count) {
      for (const Index waiter : edges_[free[taken++]].waiters) {
        if (--waits[waiter] == 0 && !gone[waiter]) release(waiter);
      }
    }
    if (free_count == size()) {
      order_ = free;
      return true;
    }
    const std::span<const Index> cycle = find_cycle(edges_, gone, path);
    report_cycle(specs, cycle, reporter);
    for (const Index member : cycle) {
      specs[member].bad = true;
      release(member);
    }
  }
}

bool Graph::measure(std::span<const Spec> specs, Arena& arena) {
  const std::span<Duration> until = arena.make<Duration>(size());
  if (until.size() != size()) return false;
  for (const Index i : order_) {
    const Spec& spec = specs[i];
    if (spec.bad) continue;
    for_each_predecessor(edges_[i],
                         [&](Index other) { until[i] = std::max(until[i], until[other]); });
    until[i] += spec.stop_limit + kDeath + (spec.when == When::shutdown ? spec.limit : Duration{});
    Duration& longest = longest_[static_cast<size_t>(spec.when)];
    longest = std::max(longest, until[i]);
  }
  return true;
}

bool Graph::build(std::span<Spec> specs, Arena& arena, Reporter& reporter) {
  edges_ = arena.make<Edges>(specs.size());
  return edges_.size() == specs.size() && resolve(specs, arena, reporter) && reverse(arena) &&
         break_cycles(specs, arena, reporter) && measure(specs, arena);
}

}  // namespace copal
