// Reads the plan, writes what each package's key is made of (one inputs file for each) and keys.mk,
// which tells Make the name of every store entry, what must be there before it, and which are
// missing. The work is in plan.cc and keying.cc.
#include <iostream>
#include <string>
#include <vector>

#include "args.h"
#include "file.h"
#include "keying.h"
#include "plan.h"

namespace {

using namespace copal;

constexpr auto kHelp =
    "Usage: keys --root REPO [--root EXTERNAL]... --store STORE --plan PLAN --inputs DIR --out "
    "keys.mk\n";

Status run(const Args& args) {
  const auto plan = args.get("plan");
  const auto text = read_file(plan);
  if (!text) return text.error();
  auto packages = parse_plan(*text);
  if (!packages) return Error{plan + " " + packages.error().what};
  const auto ordered = in_build_order(std::move(*packages));
  if (!ordered) return ordered.error();
  const auto keyed = key_packages(*ordered, args.all("root"));
  if (!keyed) return keyed.error();
  if (auto status = write_inputs(args.get("inputs"), *keyed); !status) return status;
  const auto state = inspect_store(args.get("store"), *keyed);
  if (!state) return state.error();
  for (const auto& warning : state->warnings) std::cerr << "keys: " << warning << '\n';
  return write_if_changed(args.get("out"), makefile(*keyed, state->missing));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> options = {"root", "store", "plan", "inputs", "out"};
  const auto args = Args::parse({argv + 1, argv + argc}, options, {});
  if (!args) return usage(args.error().what + "\n" + kHelp);
  if (auto complete = args->require(options); !complete || !args->words().empty())
    return usage(kHelp);
  const auto status = run(*args);
  return status ? 0 : fail("keys", status.error());
}
