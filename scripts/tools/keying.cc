// From a plan to keys; see keying.h.
#include "keying.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <system_error>
#include <utility>

#include "entry.h"
#include "file.h"
#include "text.h"

namespace copal {
namespace {

// Raised when the same inputs would come to another output by the engine's doing: how sources are
// staged, how an entry is sealed.
constexpr auto kEngine = "copal-inputs 2\n";

using Lines = std::vector<std::string>;

class Keyer {
 public:
  Keyer(const Plan& plan, const KeyInput& input, Problems& problems)
      : plan_(plan), input_(input), problems_(problems) {
    for (const auto& [name, path] : plan.recipe_files)
      recipes_in_[path.substr(0, path.rfind('/'))].push_back(name);
    for (const auto& package : plan.packages) packages_[package.recipe.name] = &package;
  }

  Keyed key(const Package& package) {
    const auto& recipe = package.recipe;
    Keyed keyed;
    keyed.package = &package;
    text_ = kEngine;
    add("name", recipe.name);
    add("version", recipe.text("version"));
    add_fields(package, keyed);
    add_environment(recipe);
    add_scripts(recipe, keyed);
    if (package.override.empty())
      add_patches(recipe, keyed);
    else
      add_override(package, keyed.contents);
    add_contents(recipe, keyed.contents);
    if (package.override.empty()) add_sources(recipe, keyed);
    add_dependencies(package, keyed);
    keyed.inputs = std::move(text_);
    keyed.entry = recipe.name + "-" + recipe.text("version") + "-" + key_of(keyed.inputs);
    entries_[recipe.name] = keyed.entry;
    return keyed;
  }

 private:
  void add(const std::string& kind, const std::string& value) {
    text_ += kind + " " + value + "\n";
  }
  void field(const std::string& name, const std::string& value) {
    if (!value.empty()) add("field", name + " " + value);
  }
  void check(const Status& status, const Place& place) {
    if (!status) problems_.add(place, status.error().what);
  }

  void add_fields(const Package& package, Keyed& keyed) {
    const auto& recipe = package.recipe;
    for (const auto& known : fields()) {
      const auto name = std::string(known.name);
      if (name == "fragments")
        field(name, files(recipe, name, keyed));
      else if (known.in_key && name != "version")
        field(name, recipe.text(name));
    }
    files(recipe, "files", keyed);
    field("overlays", overlays(recipe, keyed));
    if (!package.override.empty()) field("override", "y");
    if (!package.entries.empty()) add_image_parts(package, keyed);
  }

  void add_override(const Package& package, std::vector<Content>& contents) {
    std::vector<Content> tree;
    const Place place{"OVERRIDE_" + package.recipe.name};
    check(contents_.work_tree(package.override, "build/src", tree), place);
    if (std::none_of(tree.begin(), tree.end(),
                     [](const Content& content) { return content.role != "folder"; }))
      problems_.add(place, package.override + " has no files to build");
    contents.insert(contents.end(), tree.begin(), tree.end());
  }

  // Stages what a field names; a word that ends in ? only if it is there. Gives what there was.
  std::string files(const Recipe& recipe, const std::string& name, Keyed& keyed) {
    Lines there;
    for (auto word : recipe.words(name)) {
      const bool optional = word.text.ends_with('?');
      if (optional) word.text.pop_back();
      if (word.text.ends_with('/')) word.text.pop_back();
      if (optional && !exists(word.text)) continue;
      if (std::find(there.begin(), there.end(), word.text) != there.end()) continue;
      check(contents_.path("file", word.text, "build/files/" + word.text, keyed.contents),
            {recipe.path, word.line});
      there.push_back(word.text);
    }
    return join(there, " ");
  }

  // A folder of the user's own counts by what is in it, not by where it is.
  std::string overlays(const Recipe& recipe, Keyed& keyed) {
    Lines labels;
    int extra = 0;
    for (auto word : recipe.words("overlays")) {
      const bool optional = word.text.ends_with('?');
      if (optional) word.text.pop_back();
      if (optional && !exists(word.text)) continue;
      const auto label =
          word.text.starts_with('/') ? "extra-" + std::to_string(++extra) : word.text;
      check(contents_.path("file", word.text, "build/overlays/" + label, keyed.contents),
            {recipe.path, word.line});
      labels.push_back(label);
    }
    return join(labels, " ");
  }

  // What the packages that are seen whole say of the image.
  void add_image_parts(const Package& package, Keyed& keyed) {
    Lines contents;
    Lines accounts;
    std::set<std::string> services;
    for (const auto& name : package.entries) {
      const auto found = packages_.find(name);
      if (found == packages_.end()) continue;  // said already
      const auto& recipe = found->second->recipe;
      for (const auto& path : recipe.words("image")) contents.push_back(name + ":" + path.text);
      for (const auto& user : recipe.words("users")) accounts.push_back(user.text);
      const auto folder = recipe.folder.substr(recipe.folder.rfind('/') + 1);
      if (exists(recipe.folder + "/service") && services.insert(folder).second)
        check(contents_.path("file", recipe.folder + "/service", "build/services/" + folder,
                             keyed.contents),
              {recipe.path});
    }
    field("contents", join(contents, " "));
    field("accounts", join(accounts, " "));
    // Of all packages, since a library is in whatever is linked with it.
    Lines overridden;
    for (const auto& other : plan_.packages) {
      if (!other.override.empty()) overridden.push_back(other.recipe.name);
    }
    field("overridden", join(overridden, " "));
  }

  void add_environment(const Recipe& recipe) {
    auto environment = input_.all;
    if (!recipe.name.starts_with("host-"))
      environment.insert(input_.target.begin(), input_.target.end());
    for (const auto& symbol : recipe.words("symbols"))
      environment[symbol.text] = input_.globals.get(symbol.text);
    for (const auto& [name, value] : environment) add("environment " + name, value);
  }

  void add_scripts(const Recipe& recipe, Keyed& keyed) {
    const auto place = recipe.place("build");
    const auto build = recipe.text("build");
    const auto own = recipe.folder + "/" + recipe.name + ".sh";
    const auto script = [&](const std::string& path, const Place& asked) {
      check(contents_.script("script", path, "build/recipe/" + path.substr(path.rfind('/') + 1),
                             keyed.contents),
            asked);
    };
    if (build != "own" && exists(own))
      problems_.add({own}, "is not used, since the recipe says build = " + build +
                               "; write build = own, or remove it");
    check(contents_.script("engine", "scripts/sandbox", "sandbox", keyed.contents), {recipe.path});
    script("scripts/build/common.sh", {recipe.path});
    if (!build.empty()) script(build == "own" ? own : "scripts/build/" + build + ".sh", place);
    for (const auto& word : recipe.words("scripts"))
      script("scripts/build/" + word.text, {recipe.path, word.line});
  }

  // <recipe>-*.patch, to the recipe with the longest name that fits.
  const std::string* owner(const std::string& folder, const std::string& patch) const {
    const std::string* best = nullptr;
    for (const auto& name : recipes_in_.at(folder)) {
      if (patch.starts_with(name + "-") && (best == nullptr || name.size() > best->size()))
        best = &name;
    }
    return best;
  }

  void add_patches(const Recipe& recipe, Keyed& keyed) {
    Lines names;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(recipe.folder, code))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      const auto path = recipe.folder + "/" + name;
      if (name.starts_with('.') || name.ends_with('~')) continue;  // hidden, or an editor's
      const bool is_patch = name.ends_with(".patch");
      const auto* whose = is_patch ? owner(recipe.folder, name) : nullptr;
      const bool looks_so = name == "patches" || name == recipe.text("version") ||
                            name.ends_with(".diff") || name.find(".patch.") != std::string::npos;
      if (looks_so || (is_patch && whose == nullptr)) {
        problems_.add({path}, "is not applied to anything; a patch is called " + recipe.name +
                                  "-<what>.patch");
      } else if (whose != nullptr) {
        if (name.find_first_of(" \t\\") != std::string::npos)
          problems_.add({path}, "has a blank or a backslash in its name; rename it");
        else if (*whose == recipe.name)
          check(contents_.script("patch", path, "build/recipe/" + name, keyed.contents),
                {recipe.path});
      }
    }
  }

  // In one order, and each once, however the recipe names them. A link that is named is what it
  // leads to, also where the folder that it is in is named too.
  void add_contents(const Recipe& recipe, std::vector<Content>& contents) {
    std::stable_sort(contents.begin(), contents.end(), [](const Content& a, const Content& b) {
      return std::make_pair(std::cref(a.to), a.role == "link") <
             std::make_pair(std::cref(b.to), b.role == "link");
    });
    for (std::size_t i = 1; i < contents.size(); i++) {
      const auto& a = contents[i - 1];
      const auto& b = contents[i];
      if (a.to == b.to && a.from != b.from)
        problems_.add({recipe.path}, "'" + a.from + "' and '" + b.from + "' would both be '" +
                                         b.to + "' in the build; give one of them another name");
    }
    contents.erase(std::unique(contents.begin(), contents.end(),
                               [](const Content& a, const Content& b) { return a.to == b.to; }),
                   contents.end());
    for (const auto& content : contents) text_ += content_line(content) + "\n";
  }

  void add_sources(const Recipe& recipe, Keyed& keyed) {
    const auto sources = recipe.words("source");
    const auto pins = recipe.words("sha256");
    for (std::size_t i = 0; i < std::min(sources.size(), pins.size()); i++) {
      const auto file = source_file(sources[i].text);
      add("source", pins[i].text + " " + file);
      keyed.sources.push_back(pins[i].text + "/" + file);
    }
  }

  void add_dependencies(const Package& package, Keyed& keyed) {
    for (const auto& name : package.depends) {
      const auto& entry = entries_[name];
      const bool whole = std::binary_search(package.entries.begin(), package.entries.end(), name);
      add(whole ? "entry " + name : is_host_package(name) ? "host" : "sysroot", entry);
      keyed.depends.push_back(entry);
    }
  }

  const Plan& plan_;
  const KeyInput& input_;
  Problems& problems_;
  Contents contents_;
  std::map<std::string, std::vector<std::string>> recipes_in_;  // folder → names
  std::map<std::string, const Package*> packages_;
  std::map<std::string, std::string> entries_;
  std::string text_;
};

}  // namespace

std::vector<Keyed> key_packages(const Plan& plan, const KeyInput& input, Problems& problems) {
  Keyer keyer(plan, input, problems);
  std::vector<Keyed> all;
  all.reserve(plan.packages.size());
  for (const auto& package : plan.packages) all.push_back(keyer.key(package));
  return all;
}

}  // namespace copal
