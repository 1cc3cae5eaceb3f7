// Which packages a configuration comes to; see plan.h.
#include "plan.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "assignments.h"
#include "file.h"
#include "text.h"

namespace copal {
namespace {

namespace fs = std::filesystem;
constexpr auto kNeeds = "scripts/build/needs.mk";

std::vector<fs::path> entries_of(const std::string& folder) {
  std::vector<fs::path> paths;
  std::error_code code;
  for (auto entry = fs::directory_iterator(folder, code);
       !code && entry != fs::directory_iterator(); entry.increment(code))
    paths.push_back(entry->path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

class Planner {
 public:
  Planner(const PlanInput& input, Plan& plan, Problems& problems)
      : input_(input), plan_(plan), problems_(problems), needs_(kNeeds, &input.globals) {}

  void run() {
    if (!read_needs()) return;
    find_recipes();
    plan_.image = needs_.get("image");
    plan_.sandbox = needs_.get("sandbox");
    plan_.packer = needs_.get("packer");
    visit(plan_.sandbox, {kNeeds});
    const auto selected = needs_.get("selected");
    for (const auto name : words(selected)) visit(std::string(name), {"the configuration"});
    for (const auto& name : input_.wanted) {
      if (plan_.recipe_files.contains(name)) visit(name, {"the command line"});
    }
    if (input_.all) {
      for (const auto& [name, path] : plan_.recipe_files) visit(name, {path});
    }
    check_users();
    check_overrides();
  }

 private:
  bool read_needs() {
    const auto text = read_file(kNeeds);
    if (!text) {
      problems_.add({kNeeds}, text.error().what);
      return false;
    }
    needs_.assign(parse_assignments(kNeeds, *text, problems_), problems_);
    static constexpr std::string_view kPrefix = "needs-";
    for (const auto& name : needs_.names()) {
      if (name.starts_with(kPrefix) && !name.ends_with("-target"))
        build_systems_.push_back(name.substr(kPrefix.size()));
    }
    return problems_.empty();
  }

  void find_recipes() {
    auto folders = entries_of("packages");
    for (const auto& path : folders) {
      if (path.extension() == ".mk" && path.filename().string().front() != '.')
        problems_.add({path.string()}, "is not read; a recipe has a folder of its own: packages/" +
                                           path.stem().string() + "/" + path.filename().string());
    }
    folders.emplace_back("kernel");
    folders.emplace_back("init");
    for (const auto& folder : folders) {
      for (const auto& path : entries_of(folder.string())) {
        if (path.extension() != ".mk" || path.filename().string().front() == '.') continue;
        const auto [there, is_new] =
            plan_.recipe_files.emplace(path.stem().string(), path.string());
        if (!is_new)
          problems_.add({path.string()},
                        "there is a recipe of this name already: " + there->second);
      }
    }
  }

  // Depth first, over sorted names.
  void visit(const std::string& name, const Place& asked) {
    if (const auto start = std::find(open_.begin(), open_.end(), name); start != open_.end())
      return circle({start, open_.end()}, asked);
    if (!seen_.insert(name).second) return;
    const auto file = plan_.recipe_files.find(name);
    if (file == plan_.recipe_files.end()) return unknown(name, asked);
    Package package;
    package.recipe = read_recipe(file->second, needs_, build_systems_, problems_);
    if (const auto found = input_.overrides.find(name); found != input_.overrides.end())
      package.override = found->second;
    open_.push_back(name);
    for (const auto& word : dependencies(package)) visit(word.text, {file->second, word.line});
    open_.pop_back();
    plan_.packages.push_back(std::move(package));
  }

  // With the line that asks for each; 0 for what the build system needs.
  std::vector<Piece> dependencies(Package& package) {
    const auto& recipe = package.recipe;
    auto all = recipe.words("depends");
    for (const auto& word : recipe.words("entries")) {
      package.entries.push_back(word.text);
      all.push_back(word);
    }
    for (const auto& word : all) {
      if (word.text == recipe.name)
        problems_.add({recipe.path, word.line},
                      recipe.name + " depends on itself; remove it from the line");
    }
    auto system = "needs-" + recipe.text("build");
    auto needed = needs_.get(system);
    if (!recipe.is_host() && needs_.has(system + "-target"))
      needed += " " + needs_.get(system + "-target");
    for (const auto name : words(needed)) all.push_back({std::string(name), 0});
    std::erase_if(all, [&](const Piece& word) { return word.text == recipe.name; });
    std::stable_sort(all.begin(), all.end(),
                     [](const Piece& a, const Piece& b) { return a.text < b.text; });
    all.erase(std::unique(all.begin(), all.end(),
                          [](const Piece& a, const Piece& b) { return a.text == b.text; }),
              all.end());
    for (const auto& word : all) package.depends.push_back(word.text);
    std::sort(package.entries.begin(), package.entries.end());
    return all;
  }

  void circle(std::vector<std::string> names, const Place& asked) {
    std::rotate(names.begin(), std::min_element(names.begin(), names.end()), names.end());
    names.push_back(names.front());
    problems_.add(asked, "packages depend on each other in a circle: " + join(names, " → ") +
                             "; remove one of these from the `depends` line of its recipe");
  }

  void unknown(const std::string& name, const Place& asked) {
    std::vector<std::string> names;
    names.reserve(plan_.recipe_files.size());
    for (const auto& [other, path] : plan_.recipe_files) names.push_back(other);
    problems_.add(asked, "there is no package '" + name + "'; a package is packages/<folder>/" +
                             name + ".mk" + did_you_mean(name, names));
  }

  // Users of different packages meet in one image.
  void check_users() {
    std::map<std::string, Place> owners;
    for (const auto& package : plan_.packages) {
      for (const auto& user : package.recipe.words("users")) {
        const Place place{package.recipe.path, user.line};
        for (const auto part : split(user.text, ':')) {
          const auto [there, is_new] = owners.emplace(part, place);
          if (!is_new)
            problems_.add(place, "the user " + user.text +
                                     " has a name or number that is taken in " +
                                     there->second.path + ":" + std::to_string(there->second.line));
        }
      }
    }
  }

  void check_overrides() {
    std::vector<std::string> names;
    for (const auto& [name, path] : plan_.recipe_files) names.push_back(name);
    for (const auto& [name, tree] : input_.overrides) {
      if (!plan_.recipe_files.contains(name))
        problems_.add({"OVERRIDE_" + name},
                      "there is no package '" + name + "'" + did_you_mean(name, names));
      else if (!fs::is_directory(tree))
        problems_.add({"OVERRIDE_" + name}, "there is no folder " + tree);
      else if (const auto* package = plan_.find(name);
               package != nullptr && package->recipe.words("source").empty())
        problems_.add({"OVERRIDE_" + name},
                      "its recipe has no source that the folder could take the place of; what it "
                      "is made of is in this repository");
    }
  }

  const PlanInput& input_;
  Plan& plan_;
  Problems& problems_;
  Variables needs_;
  std::vector<std::string> build_systems_;
  std::set<std::string> seen_;
  std::vector<std::string> open_;  // the path from where the search began
};

}  // namespace

const Package* Plan::find(const std::string& name) const {
  const auto found = std::find_if(packages.begin(), packages.end(), [&](const Package& package) {
    return package.recipe.name == name;
  });
  return found == packages.end() ? nullptr : &*found;
}

std::string packer_source(const Plan& plan) {
  const auto* packer = plan.find(plan.packer);
  if (packer == nullptr) return "";
  const auto sources = packer->recipe.words("source");
  const auto pins = packer->recipe.words("sha256");
  return sources.empty() || sources.size() != pins.size()
             ? ""
             : pins.back().text + "/" + source_file(sources.back().text);
}

bool is_packed(const Recipe& recipe) {
  const auto sources = recipe.words("source");
  return std::any_of(sources.begin(), sources.end(),
                     [](const Piece& word) { return word.text.starts_with("go-vendor:"); });
}

Plan make_plan(const PlanInput& input, Problems& problems) {
  Plan plan;
  Planner(input, plan, problems).run();
  return plan;
}

}  // namespace copal
