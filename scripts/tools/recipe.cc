// One recipe; see recipe.h.
#include "recipe.h"

#include <algorithm>
#include <set>

#include "assignments.h"
#include "file.h"
#include "text.h"

namespace copal {
namespace {

// Linux takes 128 KiB for a variable of the environment, with its name.
constexpr std::size_t kLongest = 131000;

// `configure` of `configure`, `configure-y` and `configure-$(CONFIG_LIGHT)`.
std::string field_of(const std::string& name) {
  if (find_field(name) != nullptr) return name;
  const auto head = std::string(head_of(name));
  if (head.size() == name.size())
    return name.ends_with("-y") ? name.substr(0, name.size() - 2) : name;
  return head.ends_with('-') ? head.substr(0, head.size() - 1) : head;
}

class Reader {
 public:
  Reader(Recipe& recipe, const Variables& globals, const std::vector<std::string>& build_systems,
         Problems& problems)
      : recipe_(recipe),
        context_{globals, build_systems, recipe.path},
        variables_(recipe.path, &globals),
        problems_(problems) {}

  void read(std::string_view text) {
    const auto assignments = parse_assignments(recipe_.path, text, problems_);
    // A recipe may speak of a field that it does not set.
    for (const auto& field : fields()) variables_.may_be_empty(std::string(field.name));
    variables_.assign(assignments, problems_);
    check_names(assignments);
    for (const auto& field : fields()) take(field);
    check_whole();
  }

 private:
  void say(int line, const std::string& what) { problems_.add({recipe_.path, line}, what); }

  // Every name is a field, or a variable that something in the recipe uses.
  void check_names(const std::vector<Assignment>& assignments) {
    std::set<std::string> used;
    for (const auto& assignment : assignments) {
      for (const auto& name : references_in(assignment.value + assignment.name)) used.insert(name);
    }
    for (const auto& assignment : assignments) {
      if (std::none_of(used.begin(), used.end(),
                       [&](const auto& name) { return heads_match(assignment.name, name); }))
        check_unused(assignment);
    }
  }

  // What nothing uses is a field, or one under a condition.
  void check_unused(const Assignment& assignment) {
    const auto field = field_of(assignment.name);
    const auto name = variables_.name_of(assignment);
    if (find_field(field) == nullptr)
      say(assignment.line, "there is no field '" + field +
                               "', and nothing uses a variable of that name" +
                               did_you_mean(field, field_names()));
    else if (name != field && name != field + "-" && name != field + "-y")
      say(assignment.line,
          "nothing uses " + name + "; a condition is a symbol that is y or nothing");
  }

  void take(const Field& field) {
    const auto name = std::string(field.name);
    auto value = variables_.expand(name, problems_);
    const auto more = variables_.expand(name + "-y", problems_);
    value.insert(value.end(), more.begin(), more.end());
    const auto words = words_of(value);
    if (words.empty()) return;
    if (const auto size = text_of(value).size(); field.in_key && size > kLongest)
      say(words.front().line,
          name + " has " + std::to_string(size) + " bytes, and a build's environment takes " +
              std::to_string(kLongest) + "; put it into a file, and name that in `files`");
    if (field.check != nullptr) check(field, value, words);
    recipe_.fields[name] = std::move(value);
  }

  void check(const Field& field, const Value& value, const std::vector<Piece>& words) {
    if (field.unit == Field::Unit::text) {
      if (const auto wrong = field.check(text_of(value), context_); !wrong.empty())
        say(words.front().line, wrong);
      return;
    }
    for (const auto& word : words) {
      if (const auto wrong = field.check(word.text, context_); !wrong.empty())
        say(word.line, wrong);
    }
  }

  void check_whole() {
    if (recipe_.text("version").empty())
      say(0, "version is missing; give the recipe a version line");
    if (recipe_.text("build").empty())
      say(0, "build is missing; it is one of " + join(context_.build_systems, ", "));
    const auto sources = recipe_.words("source");
    const auto pins = recipe_.words("sha256");
    if (sources.size() != pins.size())
      say(recipe_.place(sources.empty() ? "sha256" : "source").line,
          std::to_string(sources.size()) + " sources but " + std::to_string(pins.size()) +
              " sha256 pins. Every source needs its pin, in the same order");
    std::set<std::string> files;
    for (const auto& source : sources) {
      if (!files.insert(source_file(source.text)).second)
        say(source.line, "two sources are called " + source_file(source.text) + " in /src");
    }
    if (!recipe_.text("upstream").empty() && sources.empty())
      say(recipe_.place("upstream").line,
          "upstream without a source; it stands for the first source");
  }

  Recipe& recipe_;
  FieldContext context_;
  Variables variables_;
  Problems& problems_;
};

}  // namespace

std::string Recipe::text(const std::string& field) const {
  const auto found = fields.find(field);
  return found == fields.end() ? "" : text_of(found->second);
}

std::vector<Piece> Recipe::words(const std::string& field) const {
  const auto found = fields.find(field);
  return found == fields.end() ? std::vector<Piece>() : words_of(found->second);
}

Place Recipe::place(const std::string& field) const {
  const auto all = words(field);
  return {path, all.empty() ? 0 : all.front().line};
}

Recipe read_recipe(const std::string& path, const Variables& globals,
                   const std::vector<std::string>& build_systems, Problems& problems) {
  Recipe recipe;
  recipe.path = path;
  recipe.folder = path.substr(0, path.rfind('/'));
  recipe.name = path.substr(recipe.folder.size() + 1);
  recipe.name.resize(recipe.name.size() - std::string_view(".mk").size());
  const auto text = read_file(path);
  if (!text)
    problems.add({path}, text.error().what);
  else if (!is_package_name(recipe.name))
    problems.add({path},
                 "a package's name may only have a-z 0-9 + . - and begins with a letter or digit");
  else
    Reader(recipe, globals, build_systems, problems).read(*text);
  return recipe;
}

}  // namespace copal
