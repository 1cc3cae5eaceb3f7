// The manual of service files, from the table that the parser has: docs/service-files.md.
#include <unistd.h>

#include "applet/applet.h"
#include "core/text.h"

namespace copal {
namespace {

struct Entry {
  std::string_view name;
  bool repeats;
  std::string_view usage;
  std::string_view example;
  std::string_view manual;
};

constexpr std::array kManual = {
#define KEY(id, name, fewest, most, repeats, usage, example, manual) \
  Entry{name, repeats, usage, example, manual},
#include "core/keys.inc"
};

void print(std::string_view text) {
  (void)!write(1, text.data(), text.size());
}

}  // namespace

int run_manual() {
  print(
      "# The keys of service files\n\n"
      "Written by `init --manual` from the table that the parser has (`init/src/core/keys.inc`).\n"
      "[init](init.md) says what a service file is and how they work together.\n");
  for (const Entry& entry : kManual) {
    print(Line("\n## ", entry.name, "\n\n`", entry.name, " = ").text());
    print(entry.usage);
    print(entry.repeats ? "` (may be repeated)\n\n" : "`\n\n");
    print(entry.manual);
    print(Line(".\n\n    ", entry.name, " = ", entry.example, "\n").text());
  }
  return 0;
}

}  // namespace copal
