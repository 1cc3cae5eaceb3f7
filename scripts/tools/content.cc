// The files that a build is to see; see content.h.
#include "content.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/stat.h>

#include "file.h"
#include "process.h"
#include "sha256.h"
#include "text.h"
#include "tree.h"

namespace copal {
namespace {

constexpr std::array<std::string_view, 6> kRoles = {"engine", "script", "patch",
                                                    "file",   "folder", "link"};

// What editors leave beside a file while it is open, and after.
bool is_left_over(std::string_view name) {
  return name.ends_with('~') || name.starts_with(".#") ||
         (name.starts_with('#') && name.ends_with('#')) ||
         (name.starts_with('.') &&
          (name.ends_with(".swp") || name.ends_with(".swo") || name.ends_with(".swx")));
}

bool below_left_over(std::string_view path) {
  const auto parts = split(path, '/');
  return std::any_of(parts.begin(), parts.end(), is_left_over);
}

// How a line of a shell script ends: alone, by a backslash, or within a quote or before a
// here-document.
enum class End { plain, backslash, text };

End end_of(std::string_view line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); i++) {
    const char c = line[i];
    if (c == '\\' && quote != '\'') {
      if (++i == line.size()) return quote == 0 ? End::backslash : End::text;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return End::plain;
    } else if (line.substr(i).starts_with("<<<")) {
      i += 2;
    } else if (line.substr(i).starts_with("<<")) {
      return End::text;
    }
  }
  return quote == 0 ? End::plain : End::text;
}

// Without the lines that are comments and nothing else. A script in which some may only look so,
// in a text or in a command of several lines, stays as it is.
std::string without_comments(const std::string& text) {
  std::string result;
  auto end = End::plain;
  for (const auto line : lines(text)) {
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos || (line[first] == '#' && !line.starts_with("#!"))) {
      if (end == End::backslash) return text;
      continue;
    }
    end = end_of(line);
    if (end == End::text) return text;
    result.append(line).append("\n");
  }
  return result;
}

bool is_script(const Content& content) {
  return (content.role == "script" && content.from.starts_with("scripts/")) ||
         content.role == "engine";
}

// What git does not ignore of a working tree; nothing if it is none.
Result<std::string> listed_by_git(const std::string& path) {
  // Where the user's own git works just now is another place.
  auto listed = output_of({"env", "-u", "GIT_DIR", "-u", "GIT_WORK_TREE", "-u", "GIT_INDEX_FILE",
                           "git", "-C", path, "ls-files", "-coz", "--exclude-standard"});
  if (!listed && exists(path + "/.git"))
    return Error{"git cannot list " + path + "; see what 'git -C " + path + " status' says"};
  // A folder that the repository around it ignores, or a submodule that is not there.
  if (!listed || *listed == std::string_view("./\0", 3)) return std::string();
  return listed;
}

Error not_there(const std::string& path) {
  if (errno != ENOENT && errno != ENOTDIR) return os_error("read", path);
  const auto slash = path.rfind('/');
  std::vector<std::string> names;
  if (const auto nodes = slash == std::string::npos ? walk(".") : walk(path.substr(0, slash))) {
    for (const auto& node : *nodes) {
      if (node.path.size() > 1 && node.path.find('/', 1) == std::string::npos)
        names.push_back(node.path.substr(1));
    }
  }
  return {"'" + path + "' does not exist" + did_you_mean(path.substr(slash + 1), names) +
          "; correct the recipe, or restore the file"};
}

}  // namespace

std::string content_line(const Content& content) {
  auto line = content.role + " " + escape(content.to);
  if (content.role == "file") line += content.executable ? " 755" : " 644";
  if (!content.detail.empty()) line += " " + escape(content.detail);
  return line;
}

bool is_content(std::string_view line) {
  return std::any_of(kRoles.begin(), kRoles.end(), [&](std::string_view role) {
    return line.starts_with(role) && line.substr(role.size()).starts_with(' ');
  });
}

Result<Content> parse_content(std::string_view line) {
  const auto parts = words(line);
  const auto wrong = Error{"'" + std::string(line) + "' is no line of an inputs file"};
  if (parts.size() < 2 || !is_content(line)) return wrong;
  Content content;
  content.role = parts[0];
  const auto to = unescape(parts[1]);
  const std::size_t more = content.role == "folder" ? 0 : content.role == "file" ? 2 : 1;
  if (!to || parts.size() != 2 + more) return wrong;
  content.to = *to;
  if (more > 0) {
    const auto detail = unescape(parts.back());
    if (!detail) return wrong;
    content.detail = *detail;
  }
  content.executable = content.role == "engine" || (more == 2 && parts[2] == "755");
  return content;
}

Result<std::string> bytes_of(const Content& content) {
  auto bytes = read_file(content.from);
  if (bytes && is_script(content)) return without_comments(*bytes);
  return bytes;
}

Result<std::string> Contents::hash(const std::string& path, bool stripped) {
  const auto key = std::pair(path, stripped);
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  const auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  return known_[key] = sha256(stripped ? without_comments(*bytes) : *bytes);
}

Status Contents::script(const std::string& role, const std::string& path, const std::string& to,
                        std::vector<Content>& all) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return not_there(path);
  if (!S_ISREG(info.st_mode)) return Error{"'" + path + "' is no file"};
  Content content{role, to, "", role == "engine", path};
  auto hash = this->hash(path, is_script(content));
  if (!hash) return hash.error();
  content.detail = std::move(*hash);
  all.push_back(std::move(content));
  return Ok{};
}

Status Contents::path(const std::string& role, const std::string& path, const std::string& to,
                      std::vector<Content>& all) {
  struct stat info {};
  // What the recipe itself names may be a link; inside of a folder a link is a link.
  if (::stat(path.c_str(), &info) != 0) return not_there(path);
  std::vector<Node> nodes = {{"/", info.st_mode}};
  if (S_ISDIR(info.st_mode)) {
    auto found = walk(path);
    if (!found) return found.error();
    nodes = std::move(*found);
  }
  for (const auto& node : nodes) {
    if (below_left_over(node.path)) continue;
    if (auto added =
            add({role, below(to, node.path), "", false, below(path, node.path)}, node.mode, all);
        !added)
      return added;
  }
  return Ok{};
}

Status Contents::add(Content content, mode_t mode, std::vector<Content>& all) {
  content.executable = (mode & 0111U) != 0;
  if (S_ISDIR(mode)) {
    content.role = "folder";
  } else if (S_ISLNK(mode)) {
    content.role = "link";
    auto target = read_link(content.from);
    if (!target) return target.error();
    content.detail = std::move(*target);
  } else if (S_ISREG(mode)) {
    auto hash = this->hash(content.from, false);
    if (!hash) return hash.error();
    content.detail = std::move(*hash);
  } else {
    return Error{"'" + content.from +
                 "' is a pipe, a socket or a device; a build can only be given "
                 "files, folders and links"};
  }
  all.push_back(std::move(content));
  return Ok{};
}

Status Contents::work_tree(const std::string& path, const std::string& to,
                           std::vector<Content>& all) {
  const auto listed = listed_by_git(path);
  if (!listed) return listed.error();
  if (listed->empty()) return this->path("file", path, to, all);
  for (const auto name : split(*listed, '\0')) {
    if (name.empty() || below_left_over(name)) continue;
    const auto file = child(path, std::string(name));
    struct stat info {};
    // git still knows what was deleted.
    if (::lstat(file.c_str(), &info) != 0) continue;
    // A repository in the repository.
    auto added =
        S_ISDIR(info.st_mode)
            ? work_tree(file, to + "/" + std::string(name), all)
            : add({"file", to + "/" + std::string(name), "", false, file}, info.st_mode, all);
    if (!added) return added;
  }
  return Ok{};
}

}  // namespace copal
