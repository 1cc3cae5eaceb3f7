// Service files: as in the image, where they are checked, and at boot. What is reported is bad, and
// what is not reported can be started.
#include "core/config.h"

#include <array>

#include "core/graph.h"
#include "fuzz.h"

namespace copal {
namespace {

class Counter final : public Reporter {
 public:
  void problem(const Place& place, std::string_view message) override {
    ++count;
    hold(!message.empty());
    // The caret is on the line, or just behind it.
    hold(place.line == 0 || (place.column >= 1 && place.column <= place.text.size() + 1));
  }
  size_t count = 0;
};

// Every string that the kernel is given ends, and lies in memory that is still there.
void hold_strings(std::span<const char*> list) {
  hold(!list.empty() && list.back() == nullptr);
  for (const char* text : list.first(list.size() - 1))
    hold(std::string_view(text).size() <= kMaxLine);
}

}  // namespace

void fuzz(std::string_view input) {
  // Two files that may name each other.
  const size_t half = std::min(input.find('\0'), input.size());
  const std::string_view first = input.substr(0, half);
  const std::string_view second = input.substr(std::min(half + 1, input.size()));
  const Accounts accounts{"nomad:x:201:202::/:\nbad:x:\n", "staff:x:50:\n"};
  static std::array<std::byte, size_t{1} << 21> block;
  Arena arena(block);
  Counter reporter;
  std::array<Spec, 2> specs = {parse_spec("a", "a", first, &accounts, arena, reporter),
                               parse_spec("b", "b", second, nullptr, arena, reporter)};
  hold((specs[0].bad || specs[1].bad) == (reporter.count != 0));
  Graph graph;
  hold(graph.build(specs, arena, reporter));
  for (const Spec& spec : specs) {
    if (spec.bad) continue;
    hold_strings(spec.argv);
    hold_strings(spec.env);
    hold(spec.argv.size() > 1 && spec.argv[0][0] == '/');
    hold(spec.delay_min <= spec.delay_max);
  }
}

}  // namespace copal
