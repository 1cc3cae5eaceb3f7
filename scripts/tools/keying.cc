// From packages to keys; see keying.h.
#include "keying.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "entry.h"
#include "file.h"
#include "sha256.h"
#include "text.h"
#include "tree.h"

namespace copal {
namespace {

using Lines = std::vector<std::string>;

Result<std::string> file_line(const std::string& name, const std::string& path, mode_t mode) {
  if (S_ISLNK(mode)) {
    const auto target = read_link(path);
    if (!target) return target.error();
    return "file " + escape(name) + " " + sha256(*target) + " link";
  }
  const auto content = Mapping::open(path);
  if (!content) return content.error();
  return "file " + escape(name) + " " + sha256(content->bytes()) +
         ((mode & 0111U) != 0 ? " 755" : " 644");
}

// Hashes what `file` fields name. Build scripts are shared by many packages: each path is read only
// once.
class Hasher {
 public:
  explicit Hasher(const std::vector<std::string>& roots) : roots_(roots) {}

  Result<Lines> operator()(const std::string& name) {
    if (const auto known = known_.find(name); known != known_.end()) return known->second;
    auto lines = hash(name);
    if (lines) known_.emplace(name, *lines);
    return lines;
  }

 private:
  Result<Lines> hash(const std::string& name) const {
    if (name.starts_with('/'))
      return Error{
          "file '" + name +
          "' is an absolute path, which would make the key differ from machine to machine"};
    for (const auto& root : roots_) {
      const auto path = child(root, name);
      struct stat info {};
      if (::stat(path.c_str(), &info) == 0)
        return S_ISDIR(info.st_mode) ? folder(name, path) : one(name, path, info.st_mode);
      if (errno != ENOENT && errno != ENOTDIR) return os_error("read", path);
    }
    return Error{"'" + name + "' does not exist (looked for in " + join(roots_, ", ") +
                 ")\n  Correct the recipe, or restore the file"};
  }

  static Result<Lines> one(const std::string& name, const std::string& path, mode_t mode) {
    auto line = file_line(name, path, mode);
    if (!line) return line.error();
    return Lines{std::move(*line)};
  }

  static Result<Lines> folder(const std::string& name, const std::string& path) {
    const auto nodes = walk(path);
    if (!nodes) return nodes.error();
    Lines lines;
    for (const auto& node : *nodes) {
      if (S_ISDIR(node.mode)) continue;
      const auto separator = name.ends_with('/') ? 1U : 0U;
      auto line = file_line(name + node.path.substr(separator), below(path, node.path), node.mode);
      if (!line) return line.error();
      lines.push_back(std::move(*line));
    }
    return lines;
  }

  const std::vector<std::string>& roots_;
  std::map<std::string, Lines> known_;
};

Result<std::string> inputs_text(const Package& package, Hasher& hasher, const Lines& dependencies) {
  Lines all;
  for (const auto& [field, value] : package.data) all.push_back(join({field, value}, " "));
  for (const auto& [hash, file] : package.sources) all.push_back(join({"source", hash, file}, " "));
  for (const auto& name : package.files) {
    auto lines = hasher(name);
    if (!lines) return Error{package.name + ": " + lines.error().what};
    all.insert(all.end(), lines->begin(), lines->end());
  }
  for (const auto& entry : dependencies) all.push_back("depends " + entry);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return "copal-inputs 1\n" + join(all, "\n") + "\n";
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

// What to say of it.
Result<std::string> set_aside(const std::string& store, const std::string& entry,
                              const Error& damage) {
  const auto path = child(store, entry);
  const auto aside = child(store, ".damaged-" + entry + "-" + std::to_string(::getpid()));
  if (::rename(path.c_str(), aside.c_str()) != 0)
    return os_error("move aside the damaged entry", path);
  return "store entry " + entry + " is damaged and will be built again: " + damage.what +
         "\n  What was there is now " + aside + "; delete it when you have seen it";
}

}  // namespace

Result<std::vector<Keyed>> key_packages(const std::vector<Package>& packages,
                                        const std::vector<std::string>& roots) {
  Hasher hasher(roots);
  std::map<std::string, std::string> entries;
  std::vector<Keyed> keyed;
  for (const auto& package : packages) {
    Lines dependencies;
    for (const auto& name : package.depends) dependencies.push_back(entries[name]);
    auto inputs = inputs_text(package, hasher, dependencies);
    if (!inputs) return inputs.error();
    auto entry = package.name + "-" + package.version + "-" + key_of(*inputs);
    entries[package.name] = entry;
    keyed.push_back({package.name, std::move(entry), std::move(*inputs), std::move(dependencies)});
  }
  return keyed;
}

Result<StoreState> inspect_store(const std::string& store, const std::vector<Keyed>& packages) {
  std::vector<std::optional<Status>> checked(packages.size());  // nothing: not in the store
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < packages.size(); i = next++) {
      if (exists(child(store, packages[i].entry)))
        checked[i] = check_entry(store, packages[i].entry, Depth::quick);
    }
  };
  {
    const std::jthread helper(work);
    work();
  }

  StoreState state;
  for (std::size_t i = 0; i < packages.size(); i++) {
    const auto& entry = packages[i].entry;
    if (checked[i] && *checked[i]) continue;
    state.missing.insert(entry);
    if (!checked[i]) continue;
    auto warning = set_aside(store, entry, checked[i]->error());
    if (!warning) return warning.error();
    state.warnings.push_back(std::move(*warning));
  }
  return state;
}

// The entries in the order in which Make had best start them: what has the longest chain behind it
// first, so that the toolchain never waits for host tools that nothing waits for.
static Lines longest_chain_first(Lines entries, const std::map<std::string, int>& heights) {
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const auto& a, const auto& b) { return heights.at(a) > heights.at(b); });
  return entries;
}

std::string makefile(const std::vector<Keyed>& packages, const std::set<std::string>& missing) {
  std::string text = "# Written by scripts/tools/keys from the plan. Do not edit.\n";
  std::string all = "entries :=";
  std::string absent = "missing :=";
  for (const auto& package : packages) {
    text += "entry." + package.name + " := " + package.entry + "\n";
    text += "package." + package.entry + " := " + package.name + "\n";
    all += " " + package.entry;
    if (missing.contains(package.entry)) absent += " " + package.entry;
  }
  std::map<std::string, int> heights;
  for (const auto& package : packages) {
    int& height = heights[package.entry];
    for (const auto& entry : package.depends) height = std::max(height, heights[entry] + 1);
    // An entry that is there needs nothing any more.
    if (package.depends.empty() || !missing.contains(package.entry)) continue;
    text += "$(STORE)/" + package.entry + ": |";
    for (const auto& entry : longest_chain_first(package.depends, heights)) {
      text += " $(STORE)/" + entry;
    }
    text += "\n";
  }
  return text + all + "\n" + absent + "\n";
}

Status write_inputs(const std::string& folder, const std::vector<Keyed>& packages) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return Error{"cannot make the folder " + folder + ": " + code.message()};
  std::set<std::string> names;
  for (const auto& package : packages) {
    names.insert(package.name);
    if (auto status = write_if_changed(folder + "/" + package.name, package.inputs); !status)
      return status;
  }
  const auto nodes = walk(folder);
  if (!nodes) return nodes.error();
  for (const auto& node : *nodes) {
    if (S_ISREG(node.mode) && !names.contains(node.path.substr(1)) &&
        ::unlink(below(folder, node.path).c_str()) != 0)
      return os_error("remove", below(folder, node.path));
  }
  return Ok{};
}

}  // namespace copal
