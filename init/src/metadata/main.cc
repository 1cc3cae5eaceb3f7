// metadata: gives the machine its configuration. It runs twice at boot, as two tasks:
//
//   metadata local   before the network: from firmware or a disk
//   metadata net     with the network: from a URL or the cloud's metadata service
//
// copal.metadata= on the kernel's command line says which of them has something to do.
#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <unistd.h>

#include "core/policy.h"
#include "init/machine.h"
#include "metadata/choice.h"
#include "metadata/facts.h"
#include "metadata/fetch.h"
#include "metadata/file.h"
#include "metadata/local.h"
#include "metadata/tree.h"
#include "metadata/write.h"
#include "sys/kernel.h"

namespace copal::metadata {
namespace {

constexpr int kRefusals = 3;

int fail(const std::string& problem) {
  say(problem);
  return 1;
}

// Nothing is written unless all of it can be.
bool unfold(std::string_view document, std::string& problem) {
  const auto tree = blank(document) ? Tree() : parse_tree(document, problem);
  return tree && write_tree(*tree, problem);
}

int run_local(Source source) {
  std::string problem;
  const bool elsewhere = source == Source::url || source == Source::imds || source == Source::none;
  const auto found = elsewhere ? std::nullopt : find_local(source, problem);
  if (!problem.empty()) return fail(problem);
  if (!found && !elsewhere && source != Source::automatic) {
    return fail("copal.metadata= names a source that has no document");
  }
  const std::string origin = found ? found->origin + ": " : "";
  if (!unfold(found ? found->text : "", problem)) return fail(origin + problem);
  if (found) say(origin + "in /run/config");
  return 0;
}

int run_net(Source source, std::string_view value) {
  if (source != Source::url && source != Source::imds) return 0;
  Random random(sys::random_seed());
  Backoff backoff;
  std::string problem;
  for (int refusals = 0; refusals < kRefusals;) {
    // Anew each time: a link or a name may have come.
    const auto url = substitute(value, machine_facts(), problem);
    Answer answer = url ? fetch_apart(*url) : Answer{Outcome::refused, problem};
    const bool arrived = answer.outcome == Outcome::document || answer.outcome == Outcome::nothing;
    problem.clear();
    if (arrived && unfold(answer.text, problem)) {
      say(std::string(value) + (blank(answer.text) ? ": nothing there" : ": in /run/config"));
      return 0;
    }
    if (arrived || answer.outcome == Outcome::refused) ++refusals;
    const std::string why = std::string(value) + ": " + (arrived ? problem : answer.text);
    if (refusals == kRefusals) return fail(why);
    const Duration delay =
        backoff.next(std::chrono::seconds(1), std::chrono::minutes(1), Duration(0), random);
    say(why + "; again in " + std::string(Line(delay).text()));
    (void)poll(nullptr, 0, static_cast<int>(delay.count()));
  }
  return 1;
}

int run(std::string_view task) {
  const auto command_line = read_some("/proc/cmdline", 65536);
  if (!command_line) return fail(failure("read", "/proc/cmdline"));
  const std::string_view value = kernel_argument(*command_line, "copal.metadata");
  const auto source = parse_source(value);
  if (!source) {
    return fail(std::string("copal.metadata=").append(value) +
                ": write auto, none, fw_cfg, smbios, disk, imds or a URL");
  }
  return task == "local" ? run_local(*source) : run_net(*source, value);
}

}  // namespace
}  // namespace copal::metadata

int main(int argc, char** argv) {
  const std::string_view task = argc == 2 ? argv[1] : "";
  if (task == "local" || task == "net") return copal::metadata::run(task);
  copal::metadata::say("usage: metadata local|net");
  return 2;
}
