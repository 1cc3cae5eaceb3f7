// What Make wants to know of a plan; see makefile.h.
#include "makefile.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "file.h"
#include "text.h"
#include "tree.h"

namespace copal {
namespace {

constexpr std::array<std::string_view, 8> kVerbs = {
    "rebuild", "shell", "source", "extract", "patch", "configure", "show-depends", "show-rdepends"};
constexpr std::string_view kWhy = "why-";
// Those that work in a package's folder, in the order in which they do when they are given at once.
constexpr std::array<std::string_view, 6> kInTree = {"build", "rebuild",   "extract",
                                                     "patch", "configure", "shell"};

// Every way to read a goal: `x-shell` may be a package of that name, too.
std::vector<PackageGoal> readings(const std::string& goal) {
  std::vector<PackageGoal> all = {{goal, "build"}};
  for (const auto verb : kVerbs) {
    if (goal.ends_with("-" + std::string(verb)))
      all.push_back({goal.substr(0, goal.size() - verb.size() - 1), std::string(verb)});
  }
  if (goal.starts_with(kWhy)) all.push_back({goal.substr(kWhy.size()), "why"});
  return all;
}

// How long the chain is that has to be built before each entry: what is the longest is begun first,
// so that the toolchain never waits for host tools that nothing waits for.
std::map<std::string, int> heights_of(const std::vector<Keyed>& packages) {
  std::map<std::string, int> heights;
  for (const auto& package : packages) {
    int height = 0;
    for (const auto& entry : package.depends) height = std::max(height, heights[entry] + 1);
    heights[package.entry] = height;
  }
  return heights;
}

class Rules {
 public:
  Rules(const Plan& plan, const std::vector<Keyed>& packages, const std::vector<Presence>& presence,
        const MakeInput& input)
      : plan_(plan), packages_(packages), input_(input), heights_(heights_of(packages)) {
    for (std::size_t i = 0; i < packages.size(); i++) {
      by_name_[packages[i].package->recipe.name] = &packages[i];
      if (presence[i] != Presence::there) missing_.insert(packages[i].entry);
      if (presence[i] != Presence::damaged) continue;
      // Its path is there, which Make would take for good.
      text_ += ".PHONY: " + input.store + "/" + packages[i].entry + "\n";
      text_ += "damaged += " + packages[i].entry + "\n";
    }
  }

  Result<std::string> text() {
    if (const auto problem = ambiguous(); !problem.empty()) return Error{problem};
    set("image", entry_of(plan_.image));
    set("sandbox", entry_of(plan_.sandbox));
    std::vector<std::string> all;
    std::vector<std::string> entries;
    for (const auto& package : packages_) {
      entries.push_back(package.entry);
      if (!missing_.contains(package.entry)) continue;
      all.push_back(package.entry);
      set("package." + package.entry, package.package->recipe.name);
      rule(input_.store + "/" + package.entry, prerequisites(package));
    }
    set("missing", join(all, " "));
    set("entries", join(entries, " "));
    set("downloads", join(downloads(), " "));
    packers();
    for (const auto& goal : input_.goals) {
      // Files that this makefile has rules for, as make itself asks for them.
      if (goal.starts_with('/') ||
          std::find(input_.known.begin(), input_.known.end(), goal) != input_.known.end())
        continue;
      const auto parsed = package_goal(goal, plan_);
      if (!parsed) return unknown(goal);
      add_goal(goal, *parsed);
    }
    return std::move(text_);
  }

 private:
  void set(const std::string& name, const std::string& value) {
    text_ += name + " := " + value + "\n";
  }
  void rule(const std::string& target, const std::vector<std::string>& needs) {
    if (!needs.empty()) text_ += target + ": | " + join(needs, " ") + "\n";
  }
  // `make clean` and `make zlib-shell` can only be one thing.
  std::string ambiguous() const {
    for (const auto& [name, path] : plan_.recipe_files) {
      if (std::find(input_.known.begin(), input_.known.end(), name) != input_.known.end())
        return join({path, ": ", name, " is a goal of make; give the package another name"}, "");
      for (const auto& reading : readings(name)) {
        if (reading.verb != "build" && plan_.recipe_files.contains(reading.package))
          return join({path, ": ", name, " is a goal of make, ", reading.verb, " of the package ",
                       reading.package, "; give the package another name"},
                      "");
      }
    }
    return "";
  }
  std::string entry_of(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? "" : found->second->entry;
  }

  std::vector<std::string> missing_sources(const Keyed& package) const {
    auto paths = copal::missing_sources(package, input_.dl);
    for (auto& path : paths) path.insert(0, input_.dl + "/");
    return paths;
  }

  // An entry that is there needs nothing: neither its sources nor what it was built from.
  std::vector<std::string> prerequisites(const Keyed& package) const {
    auto entries = package.depends;
    std::stable_sort(entries.begin(), entries.end(),
                     [&](const auto& a, const auto& b) { return heights_.at(a) > heights_.at(b); });
    std::vector<std::string> paths;
    if (package.package->recipe.text("sandbox").empty() &&
        missing_.contains(entry_of(plan_.sandbox)))
      paths.push_back(input_.store + "/" + entry_of(plan_.sandbox));
    for (const auto& entry : entries) {
      if (missing_.contains(entry)) paths.push_back(input_.store + "/" + entry);
    }
    const auto sources = missing_sources(package);
    paths.insert(paths.end(), sources.begin(), sources.end());
    return paths;
  }

  std::vector<std::string> downloads() const {
    std::set<std::string> paths;
    for (const auto& package : packages_) {
      for (auto& path : missing_sources(package)) paths.insert(std::move(path));
    }
    return {paths.begin(), paths.end()};
  }

  // What packs a source has to be there first.
  void packers() {
    const auto packer = packer_source(plan_);
    if (packer.empty() || readable(input_.dl + "/" + packer)) return;
    for (const auto& package : packages_) {
      const auto& recipe = package.package->recipe;
      if (!is_packed(recipe)) continue;
      for (const auto& path : missing_sources(package)) rule(path, {input_.dl + "/" + packer});
    }
  }

  void add_goal(const std::string& goal, const PackageGoal& parsed) {
    const auto& package = *by_name_.at(parsed.package);
    text_ += ".PHONY: " + goal + "\n";
    const auto& verb = parsed.verb;
    set("goal." + goal, verb + " " + parsed.package + " " + package.entry);
    text_ += "goals." + verb + " += " + goal + "\n";
    if (verb == "build" || verb == "rebuild") rule(goal, {input_.store + "/" + package.entry});
    if (verb == "source") rule(goal, missing_sources(package));
    if (std::find(kInTree.begin() + 1, kInTree.end(), verb) != kInTree.end())
      rule(goal, prerequisites(package));
    rule(goal, before(parsed));
  }

  // Of the goals for one package, those that must be over: each finds or leaves a work folder.
  std::vector<std::string> before(const PackageGoal& parsed) const {
    const auto* const end = std::find(kInTree.begin(), kInTree.end(), parsed.verb);
    std::vector<std::string> goals;
    if (end == kInTree.end()) return goals;
    for (const auto& goal : input_.goals) {
      const auto other = package_goal(goal, plan_);
      if (other && other->package == parsed.package &&
          std::find(kInTree.begin(), end, other->verb) != end)
        goals.push_back(goal);
    }
    return goals;
  }

  Error unknown(const std::string& goal) const {
    std::vector<std::string> packages;
    packages.reserve(plan_.recipe_files.size());
    for (const auto& [name, path] : plan_.recipe_files) packages.push_back(name);
    const auto all = readings(goal);
    if (all.size() > 1)
      return {"there is no package '" + all.back().package + "'" +
              did_you_mean(all.back().package, packages)};
    auto names = input_.known;
    names.insert(names.end(), packages.begin(), packages.end());
    return {"there is no goal or package '" + goal + "'" + did_you_mean(goal, names) +
            "\n'make help' lists the goals, 'make show-targets' the packages"};
  }

  const Plan& plan_;
  const std::vector<Keyed>& packages_;
  const MakeInput& input_;
  std::map<std::string, int> heights_;
  std::map<std::string, const Keyed*> by_name_;
  std::set<std::string> missing_;
  std::string text_;
};

}  // namespace

std::vector<std::string> missing_sources(const Keyed& package, const std::string& dl) {
  std::vector<std::string> missing;
  for (const auto& source : package.sources) {
    if (!readable(child(dl, source))) missing.push_back(source);
  }
  return missing;
}

std::optional<PackageGoal> package_goal(const std::string& goal, const Plan& plan) {
  for (auto& reading : readings(goal)) {
    if (plan.recipe_files.contains(reading.package)) return std::move(reading);
  }
  return std::nullopt;
}

std::vector<std::string> packages_in(const std::vector<std::string>& goals) {
  std::vector<std::string> names;
  for (const auto& goal : goals) {
    for (auto& reading : readings(goal)) names.push_back(std::move(reading.package));
  }
  return names;
}

std::vector<std::string> to_build(const Plan& plan, const std::vector<Keyed>& packages,
                                  const std::vector<Presence>& presence, const MakeInput& input) {
  std::set<std::string> wanted;
  for (const auto& goal : input.goals) {
    const auto parsed = package_goal(goal, plan);
    wanted.insert(parsed ? parsed->package : plan.image);
  }
  std::vector<std::string> entries;
  // From what comes last to what it needs.
  for (std::size_t i = packages.size(); i-- > 0;) {
    const auto& package = *packages[i].package;
    const bool is_sandbox = package.recipe.name == plan.sandbox && !entries.empty();
    if ((!wanted.contains(package.recipe.name) && !is_sandbox) || presence[i] == Presence::there)
      continue;
    entries.push_back(packages[i].entry);
    wanted.insert(package.depends.begin(), package.depends.end());
  }
  std::reverse(entries.begin(), entries.end());
  return entries;
}

Result<std::string> makefile(const Plan& plan, const std::vector<Keyed>& packages,
                             const std::vector<Presence>& presence, const MakeInput& input) {
  return Rules(plan, packages, presence, input).text();
}

}  // namespace copal
