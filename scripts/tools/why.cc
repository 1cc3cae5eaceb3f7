// Says why a package is to be built again: what changed since it was last built here. The work is
// in reasons.cc.
#include <iostream>
#include <string>
#include <vector>

#include "args.h"
#include "reasons.h"

namespace {

constexpr auto kHelp = "Usage: why --inputs DIR --built DIR NAME...\n";

}  // namespace

int main(int argc, char** argv) {
  using namespace copal;
  const std::vector<std::string> options = {"inputs", "built"};
  const auto args = Args::parse({argv + 1, argv + argc}, options, {});
  if (!args) return usage(args.error().what + "\n" + kHelp);
  if (auto complete = args->require(options); !complete || args->words().empty())
    return usage(kHelp);
  for (const auto& name : args->words()) {
    const auto report = reasons(args->get("inputs"), args->get("built"), name);
    if (!report) return fail("why", report.error());
    std::cout << *report;
  }
  return 0;
}
