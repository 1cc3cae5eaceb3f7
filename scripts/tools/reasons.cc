// Why a package is built again; see reasons.h.
#include "reasons.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "entry.h"
#include "file.h"
#include "text.h"

namespace copal {
namespace {

using Values = std::set<std::string>;

// An input is a kind and what it is the input of: ("file", path), ("source", file), ("depends",
// name), ("field", name).
struct Input {
  std::string kind;
  std::string what;
  auto operator<=>(const Input&) const =
      default;  // NOLINT(modernize-use-nullptr): a slip of the checker
};
using Inputs = std::map<Input, Values>;

class Explainer {
 public:
  Explainer(const std::vector<Keyed>& packages, std::string built) : built_(std::move(built)) {
    for (const auto& keyed : packages) current_[keyed.package->recipe.name] = &keyed;
  }

  std::string explain(const std::string& name) {
    const auto& now = current_.at(name)->inputs;
    const auto before = read_file(built_ + "/" + name);
    if (!before) return name + ": never built here\n";
    if (now == *before) return name + ": nothing changed: up to date\n";
    report_ = name + "\n";
    shown_.insert(name);
    compare(*before, now, 1);
    return report_;
  }

 private:
  Inputs parse(std::string_view text) const {
    Inputs inputs;
    for (const auto line : lines(text)) {
      const auto parts = words(line);
      if (parts.size() < 2) continue;
      const auto& kind = parts.front();
      const auto rest = line.substr(kind.size() + 1);
      const auto last = std::string(parts.back());
      if (kind == "copal-inputs")
        inputs[{"the engine", ""}].emplace(rest);
      else if (kind == "version")
        inputs[{"field", "version"}].emplace(rest);
      else if (kind == "field" || kind == "environment")
        inputs[{"field", std::string(parts[1])}].emplace(
            rest.substr(std::min(parts[1].size() + 1, rest.size())));
      else if (kind == "source")
        inputs[{"source", last}].emplace(parts[1]);
      else if (kind == "host" || kind == "sysroot" || kind == "entry")
        inputs[{"depends", package_of(last)}].emplace(last);
      else if (is_content(line))
        inputs[{std::string(kind), label(parts[1])}].emplace(rest.substr(parts[1].size()));
    }
    return inputs;
  }

  // As people know it: packages/x/file, x-1.patch.
  static std::string label(std::string_view to) {
    for (const std::string_view folder : {"build/recipe/", "build/files/", "build/"}) {
      if (to.starts_with(folder)) return std::string(to.substr(folder.size()));
    }
    return std::string(to);
  }

  // Both names and versions may have dashes: the longest name that fits.
  std::string package_of(std::string_view entry) const {
    std::string best;
    for (const auto& [name, keyed] : current_) {
      if (name.size() > best.size() && entry.starts_with(name + "-")) best = name;
    }
    return best.empty()
               ? std::string(entry.substr(0, entry.size() - std::min(entry.size(), kKeySize + 1)))
               : best;
  }

  void compare(const std::string& before_text, const std::string& now_text, std::size_t depth) {
    const auto before = parse(before_text);
    const auto now = parse(now_text);
    std::set<Input> all;
    for (const auto& [input, values] : before) all.insert(input);
    for (const auto& [input, values] : now) all.insert(input);
    for (const auto& input : all) {
      const auto old_values = before.find(input);
      const auto new_values = now.find(input);
      if (old_values == before.end())
        added(input, new_values->second, depth);
      else if (new_values == now.end())
        removed(input, old_values->second, depth);
      else if (old_values->second != new_values->second)
        changed(input, old_values->second, new_values->second, depth);
    }
  }

  void say(std::size_t depth, const std::string& text) {
    report_ += std::string(2 * depth, ' ') + text + "\n";
  }

  static std::string text_of(const Values& values) {
    return join({values.begin(), values.end()}, " ");
  }

  static std::string noun(const Input& input) {
    return (input.kind == "depends" ? "dependency" : input.kind) + (input.what.empty() ? "" : " ") +
           input.what;
  }

  void added(const Input& input, const Values& values, std::size_t depth) {
    if (input.kind == "field")
      say(depth, input.what + ": (nothing) → " + text_of(values));
    else
      say(depth, noun(input) + " was added");
  }

  void removed(const Input& input, const Values& values, std::size_t depth) {
    if (input.kind == "field")
      say(depth, input.what + ": " + text_of(values) + " → (nothing)");
    else
      say(depth, noun(input) + " was removed");
  }

  void changed(const Input& input, const Values& before, const Values& now, std::size_t depth) {
    if (input.kind == "field")
      say(depth,
          input.what + ": " + text_of(before) + " → " + text_of(now) + word_changes(before, now));
    else if (input.kind == "source")
      say(depth,
          noun(input) + " has another sha256 (" + text_of(before) + " → " + text_of(now) + ")");
    else if (input.kind == "depends")
      dependency(input.what, before, now, depth);
    else
      say(depth, noun(input) + " changed");
  }

  // In a long line of options the eye does not find what is new.
  static std::string word_changes(const Values& before, const Values& now) {
    const auto old_text = text_of(before);
    const auto new_text = text_of(now);
    const auto old_words = words(old_text);
    const auto new_words = words(new_text);
    if (old_words.size() + new_words.size() < 6) return "";
    const auto gone = only_in(old_words, new_words);
    const auto added = only_in(new_words, old_words);
    if (gone.empty() && added.empty()) return " (in another order)";
    return " (" + (gone.empty() ? "" : "gone:" + gone) +
           (gone.empty() || added.empty() ? "" : "; ") + (added.empty() ? "" : "new:" + added) +
           ")";
  }

  static std::string only_in(const std::vector<std::string_view>& these,
                             const std::vector<std::string_view>& those) {
    std::string text;
    for (const auto word : these) {
      if (std::find(those.begin(), those.end(), word) == those.end()) text.append(" ").append(word);
    }
    return text;
  }

  void dependency(const std::string& name, const Values& before, const Values& now,
                  std::size_t depth) {
    const bool again = !shown_.insert(name).second;
    say(depth, "dependency " + name + " changed" + (again ? " (see above)" : ""));
    if (again) return;
    const auto found = current_.find(name);
    const auto now_text = found == current_.end() ? Result<std::string>(Error{})
                                                  : Result<std::string>(found->second->inputs);
    const auto before_text = read_file(built_ + "/" + name);
    const auto is = [](const Values& entries, const Result<std::string>& inputs) {
      return inputs && entries.size() == 1 && entries.begin()->ends_with("-" + key_of(*inputs));
    };
    if (!now_text || !before_text)
      say(depth + 1, "never built here");
    else if (is(before, before_text) && *before_text != *now_text)
      compare(*before_text, *now_text, depth + 1);
    else if (is(now, now_text) && *before_text == *now_text)
      say(depth + 1, "it has been built again since: " + text_of(before) + " → " + text_of(now));
    else
      say(depth + 1,
          text_of(before) + " → " + text_of(now) + " (its last build here was yet another)");
  }

  std::map<std::string, const Keyed*> current_;
  std::string built_;
  std::set<std::string> shown_;
  std::string report_;
};

}  // namespace

Result<std::string> reasons(const std::vector<Keyed>& packages, const std::string& built,
                            const std::string& name) {
  return Explainer(packages, built).explain(name);
}

}  // namespace copal
