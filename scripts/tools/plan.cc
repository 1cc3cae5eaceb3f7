// The plan; see plan.h.
#include "plan.h"

#include <algorithm>
#include <map>

#include "sha256.h"
#include "text.h"

namespace copal {
namespace {

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";

bool only(std::string_view text, const std::string& allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// Names and versions become file names and words of a makefile.
bool is_name(std::string_view text) {
  static const std::string allowed = std::string(kLower) + std::string(kDigits) + "+.-";
  return only(text, allowed) &&
         std::string_view("+.-").find(text.front()) == std::string_view::npos;
}

bool is_version(std::string_view text) {
  static const std::string allowed =
      std::string(kLower) + std::string(kUpper) + std::string(kDigits) + "+.-_~";
  return only(text, allowed);
}

bool is_field(std::string_view text) {
  static const std::string allowed =
      std::string(kLower) + std::string(kUpper) + std::string(kDigits) + "-_";
  return only(text, allowed);
}

Status add_source(Package& package, std::string_view value) {
  const auto colon = value.find(':');
  const auto hash = value.substr(0, colon);
  const auto file = colon == std::string_view::npos ? std::string_view() : value.substr(colon + 1);
  if (!is_sha256(hash))
    return Error{"sha256 '" + std::string(hash) + "'" +
                 (file.empty() ? "" : " of " + std::string(file)) +
                 " is not 64 lower-case hex digits. Correct the recipe's sha256 line"};
  if (file.empty() || file.find('/') != std::string_view::npos)
    return Error{"source '" + std::string(value) + "' has no plain file name after its hash"};
  package.sources.emplace_back(hash, file);
  return Ok{};
}

Status add_field(Package& package, std::string_view field, std::string_view value) {
  if (!is_field(field)) return Error{"'" + std::string(field) + "' is not a field name"};
  if (field == "source") return add_source(package, value);
  if (field == "file") {
    package.files.emplace_back(value);
    return Ok{};
  }
  if (field == "depends") {
    for (const auto word : words(value)) package.depends.emplace_back(word);
    return Ok{};
  }
  if (field == "name") package.name = value;
  if (field == "version") package.version = value;
  package.data.emplace_back(field, value);
  return Ok{};
}

Result<Package> parse_package(std::string_view line) {
  Package package;
  for (const auto word : split(line, '\t')) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos)
      return Error{"'" + std::string(word) + "' is not field=value"};
    const auto value = word.substr(equals + 1);
    if (value.empty())  // is the same as not there at all
      continue;
    if (auto added = add_field(package, word.substr(0, equals), value); !added)
      return Error{(package.name.empty() ? "" : package.name + ": ") + added.error().what};
  }
  if (!is_name(package.name))
    return Error{"package name '" + package.name +
                 "' may only have a-z 0-9 + . - and begins with a letter or digit"};
  if (!is_version(package.version))
    return Error{package.name + ": version '" + package.version + "' " +
                 (package.version.empty() ? "is missing. Give its recipe a version line"
                                          : "may only have letters, digits and + . - _ ~")};
  std::sort(package.depends.begin(), package.depends.end());
  package.depends.erase(std::unique(package.depends.begin(), package.depends.end()),
                        package.depends.end());
  return package;
}

// Depth first, over sorted names, so that the order is a function of the packages alone.
class Sorter {
 public:
  explicit Sorter(std::vector<Package> packages) {
    for (auto& package : packages) {
      names_.push_back(package.name);
      auto name = package.name;
      waiting_.emplace(std::move(name), std::move(package));
    }
    std::sort(names_.begin(), names_.end());
  }

  Result<std::vector<Package>> run() {
    for (const auto& name : names_) {
      if (auto status = visit(name); !status) return status.error();
    }
    return std::move(sorted_);
  }

 private:
  Status visit(const std::string& name) {
    const auto found = waiting_.find(name);
    if (found == waiting_.end()) return Ok{};
    if (const auto start = std::find(open_.begin(), open_.end(), name); start != open_.end())
      return cycle({start, open_.end()});
    open_.push_back(name);
    for (const auto& dependency : found->second.depends) {
      if (!std::binary_search(names_.begin(), names_.end(), dependency))
        return unknown(name, dependency);
      if (auto status = visit(dependency); !status) return status;
    }
    open_.pop_back();
    sorted_.push_back(std::move(found->second));
    waiting_.erase(found);
    return Ok{};
  }

  static Error cycle(std::vector<std::string> names) {
    std::rotate(names.begin(), std::min_element(names.begin(), names.end()), names.end());
    names.push_back(names.front());
    return {"packages depend on each other in a circle: " + join(names, " → ") +
            "\n  Remove one of these from the `depends` line of its recipe"};
  }

  Error unknown(const std::string& name, const std::string& dependency) const {
    const auto guess = nearest(dependency, names_);
    return {name + " depends on '" + dependency + "', and there is no such package" +
            (guess ? ". Did you mean '" + *guess + "'?" : "") +
            "\n  Correct the `depends` line of " + name + "'s recipe"};
  }

  std::vector<std::string> names_;  // sorted
  std::map<std::string, Package> waiting_;
  std::vector<std::string> open_;  // the path from where the search began
  std::vector<Package> sorted_;
};

}  // namespace

Result<std::vector<Package>> parse_plan(std::string_view text) {
  std::vector<Package> packages;
  std::map<std::string, std::size_t> seen;
  std::size_t line_number = 0;
  for (const auto line : lines(text)) {
    line_number++;
    if (line.empty() || line.front() == '#') continue;
    auto package = parse_package(line);
    if (!package) return Error{"line " + std::to_string(line_number) + ": " + package.error().what};
    if (const auto [first, is_new] = seen.emplace(package->name, line_number); !is_new)
      return Error{"line " + std::to_string(line_number) + ": package " + package->name +
                   " is already on line " + std::to_string(first->second)};
    packages.push_back(std::move(*package));
  }
  return packages;
}

Result<std::vector<Package>> in_build_order(std::vector<Package> packages) {
  return Sorter(std::move(packages)).run();
}

}  // namespace copal
