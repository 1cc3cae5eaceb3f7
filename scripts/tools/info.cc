// What the engine knows about packages; see info.h.
#include "info.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "text.h"

namespace copal {
namespace {

std::string quoted(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < ' ')
      result += std::string("\\u00") + kDigits[static_cast<unsigned char>(c) >> 4U] +
                kDigits[static_cast<unsigned char>(c) & 15U];
    else
      result += c;
  }
  return result + "\"";
}

std::string list(const std::vector<std::string>& items) {
  std::vector<std::string> all;
  all.reserve(items.size());
  for (const auto& item : items) all.push_back(quoted(item));
  return "[" + join(all, ", ") + "]";
}

std::vector<std::string> texts(const std::vector<Piece>& words) {
  std::vector<std::string> all;
  all.reserve(words.size());
  for (const auto& word : words) all.push_back(word.text);
  return all;
}

std::map<std::string, std::string> facts_of(const Plan& plan, const Keyed& keyed) {
  const auto& recipe = keyed.package->recipe;
  std::map<std::string, std::string> facts = {{"recipe", quoted(recipe.path)},
                                              {"entry", quoted(keyed.entry)},
                                              {"depends", list(keyed.package->depends)}};
  for (const auto& field : fields()) {
    const auto name = std::string(field.name);
    if (name == "depends" || !recipe.fields.contains(name)) continue;
    facts[name] = field.unit == Field::Unit::word ? list(texts(recipe.words(name)))
                                                  : quoted(recipe.text(name));
  }
  std::vector<std::string> files;
  for (const auto& uri : recipe.words("source")) files.push_back(source_file(uri.text));
  if (!files.empty()) facts["source-files"] = list(files);
  if (is_packed(recipe)) facts["go-toolchain"] = quoted(packer_source(plan));
  return facts;
}

}  // namespace

std::string info_json(const Plan& plan, const std::vector<Keyed>& packages) {
  std::map<std::string, std::string> objects;
  for (const auto& keyed : packages) {
    std::vector<std::string> lines;
    for (const auto& [name, value] : facts_of(plan, keyed))
      lines.push_back("    " + quoted(name) + ": " + value);
    objects[keyed.package->recipe.name] = "{\n" + join(lines, ",\n") + "\n  }";
  }
  std::vector<std::string> members;
  members.reserve(objects.size());
  for (const auto& [name, object] : objects) members.push_back("  " + quoted(name) + ": " + object);
  return "{\n" + join(members, ",\n") + "\n}\n";
}

std::string dependencies(const std::vector<Keyed>& packages, const std::string& name,
                         bool reverse) {
  std::map<std::string, std::vector<std::string>> edges;
  for (const auto& keyed : packages) {
    for (const auto& dependency : keyed.package->depends) {
      if (reverse)
        edges[dependency].push_back(keyed.package->recipe.name);
      else
        edges[keyed.package->recipe.name].push_back(dependency);
    }
  }
  std::set<std::string> shown;
  std::string text;
  const auto show = [&](const auto& self, const std::string& package, std::size_t depth) -> void {
    const bool again = !shown.insert(package).second && !edges[package].empty();
    text += std::string(2 * depth, ' ') + package + (again ? " …" : "") + "\n";
    if (again) return;
    auto next = edges[package];
    std::sort(next.begin(), next.end());
    for (const auto& other : next) self(self, other, depth + 1);
  };
  show(show, name, 0);
  return text;
}

std::string package_list(const Plan& plan) {
  std::map<std::string, const Package*> packages;
  for (const auto& package : plan.packages) packages[package.recipe.name] = &package;
  std::string text;
  for (const auto& [name, package] : packages) {
    auto line = "  " + name;
    if (line.size() < 26) line.resize(26, ' ');
    line += " " + package->recipe.text("version");
    if (line.size() < 40) line.resize(40, ' ');
    text += line + " " + package->recipe.text("summary") + "\n";
  }
  return text;
}

}  // namespace copal
