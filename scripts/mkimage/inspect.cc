// The checks on an image's content; see inspect.h.
#include "inspect.h"

#include <algorithm>
#include <array>
#include <elf.h>
#include <optional>

#include "text.h"

namespace copal {
namespace {

constexpr std::array<std::string_view, 5> kLibraryFolders = {"/lib", "/usr/lib", "/usr/local/lib",
                                                             "/lib64", "/usr/lib64"};

// musl's dynamic linker is the C library too and answers to these names itself.
bool is_part_of_musl(std::string_view library) {
  static constexpr std::array<std::string_view, 7> kNames = {"c",  "pthread", "rt",  "m",
                                                             "dl", "util",    "xnet"};
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) {
    return library.starts_with("lib" + std::string(name) + ".");
  });
}

bool is_object_file(std::string_view content) {
  return content.size() > sizeof(Elf64_Ehdr) && content[offsetof(Elf64_Ehdr, e_type)] == ET_REL &&
         content[offsetof(Elf64_Ehdr, e_type) + 1] == 0;
}

// "/usr/lib/../bin" is "/usr/bin".
std::string normal(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const auto part : split(path, '/')) {
    if (part == ".." && !parts.empty())
      parts.pop_back();
    else if (!part.empty() && part != "." && part != "..")
      parts.push_back(part);
  }
  std::string text;
  for (const auto part : parts) text.append("/").append(part);
  return text.empty() ? "/" : text;
}

std::optional<std::string> script_interpreter(std::string_view content) {
  if (!content.starts_with("#!")) return std::nullopt;
  const auto parts = words(content.substr(2, content.find('\n') - 2));
  return parts.empty() ? std::nullopt : std::optional<std::string>(parts.front());
}

}  // namespace

void Inspection::find(const std::string& path, std::string_view check, const std::string& what) {
  findings_[path].push_back({std::string(check), what});
}

void Inspection::file(const std::string& path, const Item& item, std::string_view content) {
  if ((item.mode & 06000U) != 0)
    find(path, "setuid", "is setuid or setgid (mode " + octal(item.mode) + ")");
  if (is_elf(content)) {
    auto elf = inspect_elf(content, machine_);
    for (auto& finding : elf.findings) findings_[path].push_back(std::move(finding));
    if (is_object_file(content) && !path.ends_with(".ko"))
      find(path, "type", "is an object file, and not a kernel module");
    if (!elf.interpreter.empty() || !elf.needed.empty())
      linked_[path] = {std::move(elf.interpreter), std::move(elf.needed)};
  } else if ((item.mode & 0111U) != 0) {
    if (auto interpreter = script_interpreter(content))
      linked_[path] = {std::move(*interpreter), {}};
  }
}

// One link is replaced at a time, from the left, so that folders that are links are followed too.
const std::string* Inspection::resolve(const std::string& path) const {
  auto rest = normal(path);
  for (int links = 0; links < 40; links++) {
    bool followed = false;
    for (std::size_t end = 1; end != std::string::npos && !followed;) {
      end = rest.find('/', end);
      const auto prefix = rest.substr(0, end);
      const auto found = image_.find(prefix);
      if (found == image_.end()) return nullptr;
      if (found->second.type == 'l') {
        const auto& target = found->second.target;
        const auto tail = end == std::string::npos ? "" : rest.substr(end);
        rest = normal(join(
            {target.starts_with('/') ? "" : std::string(parent_of(prefix)), target, tail}, "/"));
        followed = true;
      } else if (end == std::string::npos) {
        return &found->first;
      } else {
        end++;
      }
    }
  }
  return nullptr;
}

bool Inspection::has_library(const std::string& name) const {
  if (name.find('/') != std::string::npos) return resolve(name) != nullptr;
  const auto in_folder = [&](std::string_view folder) {
    return resolve(std::string(folder) + "/" + name) != nullptr;
  };
  if (std::any_of(kLibraryFolders.begin(), kLibraryFolders.end(), in_folder)) return true;
  if (!is_part_of_musl(name)) return false;
  const auto linker = image_.lower_bound("/lib/ld-musl-");
  return linker != image_.end() && linker->first.starts_with("/lib/ld-musl-");
}

void Inspection::check_libraries(const std::string& path, const Linked& linked) {
  if (!linked.interpreter.empty() && resolve(linked.interpreter) == nullptr)
    find(path, "interp",
         "needs the interpreter " + linked.interpreter + ", which is not in the image");
  for (const auto& library : linked.needed) {
    if (!has_library(library))
      find(path, "needed", "needs the library " + library + ", which is not in the image");
  }
}

std::vector<std::string> Inspection::finish(const std::vector<AllowSpec>& allows) {
  for (const auto& [path, linked] : linked_) check_libraries(path, linked);

  std::vector<bool> used(allows.size());
  std::vector<std::string> problems;
  for (const auto& [path, findings] : findings_) {
    for (const auto& finding : findings) {
      bool allowed = false;
      for (std::size_t i = 0; i < allows.size(); i++) {
        if (allows[i].path == path && allows[i].check == finding.check) allowed = used[i] = true;
      }
      if (!allowed)
        problems.push_back(image_.at(path).owner + ": " + path + " " + finding.what + " [" +
                           finding.check + "]");
    }
  }
  for (std::size_t i = 0; i < allows.size(); i++) {
    if (!used[i])
      problems.push_back("line " + std::to_string(allows[i].line) + " allows " + allows[i].path +
                         " [" + allows[i].check + "], which is not needed: remove the line");
  }
  return problems;
}

}  // namespace copal
