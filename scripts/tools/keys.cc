// Reads the configuration and the recipes, and says what make is to do: see kHelp. Everything is
// read once, checked, and keyed; nothing is written but the inputs of what is to be built.
#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <sys/file.h>
#include <sys/utsname.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

#include "args.h"
#include "assignments.h"
#include "entry.h"
#include "file.h"
#include "info.h"
#include "inputs.h"
#include "keying.h"
#include "makefile.h"
#include "plan.h"
#include "reasons.h"
#include "sha256.h"
#include "text.h"
#include "tree.h"

namespace {

using namespace copal;

constexpr auto kHelp =
    "Usage: keys --config config.mk --epoch SECONDS [--override NAME=DIR]... COMMAND...    (in the "
    "root of the repository)\n"
    "  make --store DIR --dl DIR [--goals WORDS] [--known WORDS] [--inputs DIR]\n"
    "                      what Make is to know, with ¶ for each end of line; with --inputs, the\n"
    "                      inputs of missing entries and the facts of missing sources are kept\n"
    "                      there, in `todo` beside it what is to be built, and in STORE/.roots\n"
    "                      what is wanted of the store\n"
    "  info                all that is known, as JSON\n"
    "  targets             all packages of this configuration\n"
    "  depends NAME, rdepends NAME\n"
    "  why NAME --built DIR    why it would be built again\n"
    "  check               only check; with --all, every recipe there is\n";

struct World {
  explicit World(Variables variables) : globals(std::move(variables)) {}
  Variables globals;
  Plan plan;
  std::vector<Keyed> packages;
};

std::string host_architecture() {
  utsname name{};
  return ::uname(&name) == 0 ? static_cast<const char*>(name.machine) : "unknown";
}

Status read_variables(const std::string& path, Variables& variables, Problems& problems) {
  const auto text = read_file(path);
  if (!text) return text.error();
  variables.assign(parse_assignments(path, *text, problems), problems);
  return Ok{};
}

// The variables of scripts/arch/<arch>.mk that are called TARGET….
std::map<std::string, std::string> target_environment(const Variables& globals) {
  std::map<std::string, std::string> environment;
  for (const auto& name : globals.names()) {
    if (name.starts_with("TARGET") && !globals.get(name).empty())
      environment[name] = globals.get(name);
  }
  return environment;
}

Result<World> read_world(const Args& args, const std::vector<std::string>& wanted) {
  Problems problems;
  World world(Variables(args.get("config"), nullptr));
  if (auto status = read_variables(args.get("config"), world.globals, problems); !status)
    return status.error();
  const auto architecture = "scripts/arch/" + world.globals.get("CONFIG_ARCH") + ".mk";
  if (auto status = read_variables(architecture, world.globals, problems); !status)
    return status.error();
  world.globals.set("HOST_ARCH", host_architecture());
  PlanInput input{world.globals, wanted, args.has("all"), {}};
  for (const auto& word : args.all("override")) {
    const auto equals = word.find('=');
    input.overrides[word.substr(0, equals)] = word.substr(equals + 1);
  }
  world.plan = make_plan(input, problems);
  if (!problems.empty()) return problems.error();
  const KeyInput key_input{target_environment(world.globals),
                           {{"SOURCE_DATE_EPOCH", args.get("epoch")},
                            {"BUILD_TRIPLET", host_architecture() + "-linux-gnu"}},
                           world.globals};
  world.packages = key_packages(world.plan, key_input, problems);
  if (!problems.empty()) return problems.error();
  return world;
}

// Which entries are there and what they were: two threads, since it is many small files.
std::vector<Presence> look(const std::string& store, const std::vector<Keyed>& packages) {
  std::vector<Presence> presence(packages.size());
  std::vector<std::string> damage(packages.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < packages.size(); i = next++) {
      if (!exists(store + "/" + packages[i].entry)) {
        presence[i] = Presence::missing;
      } else if (const auto checked = check_entry(store, packages[i].entry, Depth::quick);
                 !checked) {
        presence[i] = Presence::damaged;
        damage[i] = checked.error().what;
      }
    }
  };
  {
    const std::jthread helper(work);
    work();
  }
  for (std::size_t i = 0; i < packages.size(); i++) {
    if (!damage[i].empty())
      std::cerr << "store entry " << packages[i].entry
                << " is damaged, and is built again where it is needed: " << damage[i] << '\n';
  }
  return presence;
}

std::string output_folder(const Args& args) {
  return std::filesystem::path(args.get("config")).parent_path().string();
}

// What this output folder wants of the store, for store-gc: its path, then the entries. In a store
// that cannot be written nothing can be removed either.
Status keep_root(const Args& args, const std::vector<Keyed>& packages) {
  const auto folder = output_folder(args);
  auto text = folder + "\n";
  for (const auto& keyed : packages) text += keyed.entry + "\n";
  const auto roots = args.get("store") + "/.roots";
  std::error_code ignored;
  std::filesystem::create_directories(roots, ignored);
  auto kept = write_if_changed(roots + "/" + sha256(folder), text);
  return kept || ::access(roots.c_str(), W_OK) != 0 ? Status(Ok{}) : kept;
}

// While it is held, nothing is removed from the store (scripts/store-gc). None if nothing was ever
// built there.
Fd hold_store(const Args& args) {
  Fd lock(::open((args.get("store") + "/.lock/.all").c_str(), O_RDONLY | O_CLOEXEC));
  if (lock) ::flock(lock.get(), LOCK_SH);
  return lock;
}

// What scripts/fetch is told of each file that is to be fetched, as it was when make began.
Status keep_sources(const Args& args, const World& world) {
  const auto folder = args.get("inputs") + "/.sources";
  std::map<std::string, std::vector<Keyed>> users;
  for (const auto& keyed : world.packages) {
    for (const auto& source : missing_sources(keyed, args.get("dl")))
      users[source.substr(0, source.find('/'))].push_back(keyed);
  }
  std::error_code code;
  if (!users.empty()) std::filesystem::create_directories(folder, code);
  if (code) return Error{"cannot make the folder " + folder + ": " + code.message()};
  for (const auto& [pin, packages] : users) {
    auto kept = write_if_changed(child(folder, pin), info_json(world.plan, packages));
    if (!kept) return kept;
  }
  return Ok{};
}

// What a production image is made of can be told from its sources' hashes, unless its owner waives
// it.
Status check_overrides(const World& world, const MakeInput& input) {
  const auto wants_image = std::any_of(
      input.goals.begin(), input.goals.end(),
      [](const auto& goal) { return goal == "all" || goal == "run" || goal == "images"; });
  if (!wants_image || world.globals.get("CONFIG_IMAGE_PRODUCTION") != "y" ||
      world.globals.get("CONFIG_IMAGE_ALLOW_OVERRIDES") == "y")
    return Ok{};
  for (const auto& package : world.plan.packages) {
    if (!package.override.empty())
      return Error{"OVERRIDE_" + package.recipe.name +
                   ": a production image is built from pinned "
                   "sources alone. Leave it out, build a development image (CONFIG_IMAGE_DEV), or "
                   "set CONFIG_IMAGE_ALLOW_OVERRIDES"};
  }
  return Ok{};
}

Result<std::string> make_command(const Args& args, const World& world) {
  const auto held = args.has("inputs") ? hold_store(args) : Fd();
  const auto presence = look(args.get("store"), world.packages);
  const auto goals = args.get("goals");
  const auto known = args.get("known");
  MakeInput input{args.get("store"), args.get("dl"), {}, {}};
  for (const auto goal : words(goals)) input.goals.emplace_back(goal);
  for (const auto goal : words(known)) input.known.emplace_back(goal);
  auto text = makefile(world.plan, world.packages, presence, input);
  if (!text) return text.error();
  if (auto allowed = check_overrides(world, input); !allowed) return allowed.error();
  if (args.has("inputs")) {
    // What is there may be built again, too: make zlib-rebuild.
    const auto named = packages_in(input.goals);
    for (std::size_t i = 0; i < world.packages.size(); i++) {
      const auto& name = world.packages[i].package->recipe.name;
      if (presence[i] == Presence::there &&
          std::find(named.begin(), named.end(), name) == named.end())
        continue;
      if (auto kept = keep_inputs(args.get("inputs"), world.packages[i]); !kept)
        return kept.error();
    }
    if (auto kept = keep_root(args, world.packages); !kept) return kept.error();
    if (auto kept = keep_sources(args, world); !kept) return kept.error();
    const auto todo = join(to_build(world.plan, world.packages, presence, input), "\n");
    if (auto kept =
            write_if_changed(output_folder(args) + "/todo", todo.empty() ? "" : todo + "\n");
        !kept)
      return kept.error();
  }
  std::string folded;
  for (const char c : *text) folded += c == '\n' ? std::string("¶") : std::string(1, c);
  return folded;
}

Result<std::string> run(const Args& args) {
  const auto& command = args.words();
  const auto& verb = command.front();
  const auto goals = args.get("goals");
  std::vector<std::string> wanted(command.begin() + 1, command.end());
  std::vector<std::string> goal_words;
  for (const auto goal : words(goals)) goal_words.emplace_back(goal);
  for (auto& name : packages_in(goal_words)) wanted.push_back(std::move(name));
  const auto world = read_world(args, wanted);
  if (!world) return world.error();
  if (const bool named = verb == "depends" || verb == "rdepends" || verb == "why";
      wanted.empty() ? named : named && !world->plan.recipe_files.contains(wanted.front()))
    return Error{"there is no package '" + (wanted.empty() ? "" : wanted.front()) + "'"};
  if (verb == "make") return make_command(args, *world);
  if (verb == "info") return info_json(world->plan, world->packages);
  if (verb == "targets") return package_list(world->plan);
  if (verb == "depends" || verb == "rdepends")
    return dependencies(world->packages, wanted.front(), verb == "rdepends");
  if (verb == "why") return reasons(world->packages, args.get("built"), wanted.front());
  if (verb == "check") return std::string();
  return Error{"keys does not know '" + verb + "'"};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> options = {"config", "epoch",  "store", "dl",      "goals",
                                            "known",  "inputs", "built", "override"};
  const auto args = Args::parse({argv + 1, argv + argc}, options, {"all"});
  if (!args) return usage(args.error().what + "\n" + kHelp);
  if (auto complete = args->require({"config", "epoch"}); !complete || args->words().empty())
    return usage(kHelp);
  const auto text = run(*args);
  if (!text) {
    std::cerr << text.error().what << '\n';
    return 1;
  }
  std::cout << *text << std::flush;
  return std::cout ? 0 : 1;
}
