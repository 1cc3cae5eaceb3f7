// metadata: gives the machine its configuration. It runs twice at boot, as two tasks:
//
//   metadata local   before the network: from firmware or a disk
//   metadata net     with the network: from a URL or the cloud's metadata service
//
// copal.metadata= on the kernel's command line says which of them has something to do.
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "core/policy.h"
#include "init/machine.h"
#include "metadata/choice.h"
#include "metadata/facts.h"
#include "metadata/fetch.h"
#include "metadata/file.h"
#include "metadata/local.h"
#include "metadata/provider.h"
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

// Where the machine's document came from, for who asks and for the second of the two tasks. Without
// a document there is no such file.
constexpr const char* kOrigin = "/run/config.origin";

void write_origin(std::string_view origin) {
  const sys::Fd file(open(kOrigin, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  const std::string line = std::string(origin) + "\n";
  (void)!write(file.get(), line.data(), line.size());
}

// LinuxKit's names. What the document itself says stands.
void add_identity(const Identity& identity, Tree& tree) {
  const auto has = [&](std::string_view name) {
    return std::any_of(tree.begin(), tree.end(), [&](const Node& node) {
      return node.path.substr(0, node.path.find('/')) == name;
    });
  };
  const std::string address = identity.address.substr(0, identity.address.find_first_of(" \r\n"));
  in_addr number{};
  const std::string_view host = host_label(identity.hostname);
  if (!host.empty() && !has("hostname")) {
    tree.push_back({"hostname", false, 0644, std::string(host) + "\n"});
  }
  if (inet_pton(AF_INET, address.c_str(), &number) == 1 && !has("public_ipv4")) {
    tree.push_back({"public_ipv4", false, 0644, address + "\n"});
  }
  if (form_of(identity.keys) == Form::nothing || has("ssh")) return;
  tree.push_back({"ssh", true, 0750, {}});
  tree.push_back({"ssh/authorized_keys", false, 0640, identity.keys});
}

// The name that came with it, where nobody gave the machine one. Through a file: whoever may write
// it needs no capability.
void take_hostname(const Identity& identity, std::string_view origin) {
  const std::string host(host_label(identity.hostname));
  if (host.empty() || !machine_facts().hostname.empty()) return;
  const sys::Fd file(open("/proc/sys/kernel/hostname", O_WRONLY | O_CLOEXEC));
  if (write(file.get(), host.data(), host.size()) < 0) return say(failure("set", "the host name"));
  say(std::string(origin) + ": this is " + host);
}

int run_local(Source source) {
  std::string problem;
  (void)unlink(kOrigin);
  const bool elsewhere = source == Source::url || source == Source::cloud || source == Source::none;
  const auto found = elsewhere ? std::nullopt : find_local(source, problem);
  if (!problem.empty()) return fail(problem);
  if (!found && !elsewhere && source != Source::automatic) {
    return fail("copal.metadata= names a source that has no document");
  }
  const std::string origin = found ? found->origin + ": " : "";
  auto tree = found ? parse_tree(found->text, problem) : Tree();
  if (tree && found) add_identity(found->identity, *tree);
  if (!tree || !write_tree(*tree, problem)) return fail(origin + problem);
  if (!found) return 0;
  take_hostname(found->identity, found->origin);
  write_origin(found->origin);
  say(origin + "in /run/config");
  return 0;
}

// ---- The network

// Who is asked.
struct Asked {
  const Provider* provider = nullptr;
  std::string_view name;  // of the provider, or the URL as it was given
};

// Nothing is written unless all of it can be.
Outcome unfold(const Answer& answer, std::string& problem) {
  auto tree = answer.outcome == Outcome::nothing ? Tree() : parse_tree(answer.text, problem);
  // Half a document, or somebody else's page, is no answer; a document with a mistake is one.
  if (!tree) return is_json(answer.text) ? Outcome::refused : Outcome::later;
  add_identity(answer.identity, *tree);
  if (!write_tree(*tree, problem)) return Outcome::refused;
  return answer.outcome;
}

// One try. What has come of it, with a reason if it is nothing good.
Outcome try_once(const Asked& asked, std::string& why) {
  why.clear();
  // Anew each time: a link or a name may have come.
  const auto url = asked.provider ? std::string() : substitute(asked.name, machine_facts(), why);
  if (!url) return Outcome::refused;
  Answer answer = fetch_apart(asked.provider, *url);
  const Form form = form_of(answer.text);
  why = answer.text;
  if (answer.outcome == Outcome::document && form == Form::nothing) {
    why = "the answer is empty";
    return Outcome::later;
  }
  if (answer.outcome == Outcome::document && form == Form::foreign) {
    why = "is for cloud-init, not for this machine";
    if (!asked.provider) return Outcome::later;
    say(std::string(asked.name) + ": " + why + "; skipped");
    answer.outcome = Outcome::nothing;
  }
  if (answer.outcome != Outcome::document && answer.outcome != Outcome::nothing) {
    return answer.outcome;
  }
  why.clear();
  const Outcome outcome = unfold(answer, why);
  if (outcome == Outcome::document || outcome == Outcome::nothing) {
    take_hostname(answer.identity, asked.name);
  }
  return outcome;
}

int run_net(const Asked& asked) {
  Random random(sys::random_seed());
  Backoff backoff;
  const std::string name = std::string(asked.name) + ": ";
  std::string why;
  for (int refusals = 0; refusals < kRefusals;) {
    const Outcome outcome = try_once(asked, why);
    if (outcome == Outcome::document) write_origin(asked.name);
    if (outcome == Outcome::document || outcome == Outcome::nothing) {
      say(name + (outcome == Outcome::nothing ? "nothing there" : "in /run/config"));
      return 0;
    }
    if (outcome == Outcome::refused && ++refusals == kRefusals) break;
    const Duration delay =
        backoff.next(std::chrono::seconds(1), std::chrono::minutes(1), Duration(0), random);
    say(name + why + "; again in " + std::string(Line(delay).text()));
    (void)poll(nullptr, 0, static_cast<int>(delay.count()));
  }
  return fail(name + why);
}

// Of the firmware, unless the first task found a document that is nearer.
const Provider* provider_here() {
  if (access(kOrigin, F_OK) == 0) return nullptr;
  return recognise(
      [](std::string_view file) { return read_word("/sys/class/dmi/id/" + std::string(file)); });
}

int run(std::string_view task) {
  const auto command_line = read_some("/proc/cmdline", 65536);
  if (!command_line) return fail(failure("read", "/proc/cmdline"));
  const std::string_view value = kernel_argument(*command_line, "copal.metadata");
  const auto source = parse_source(value);
  if (!source) {
    std::string names;
    for (const Provider& provider : providers()) names.append(provider.name).append(", ");
    return fail(std::string("copal.metadata=").append(value) +
                ": write auto, none, fw_cfg, smbios, disk, " + names + "or a URL");
  }
  if (task == "local") return run_local(*source);
  Asked asked;
  if (*source == Source::url) asked.name = value;
  if (*source == Source::cloud) asked.provider = find_provider(value);
  if (*source == Source::automatic) asked.provider = provider_here();
  if (asked.provider) asked.name = asked.provider->name;
  return asked.name.empty() ? 0 : run_net(asked);
}

}  // namespace
}  // namespace copal::metadata

int main(int argc, char** argv) {
  const std::string_view task = argc == 2 ? argv[1] : "";
  if (task == "local" || task == "net") return copal::metadata::run(task);
  copal::metadata::say("usage: metadata local|net");
  return 2;
}
