// One entry of the store; see entry.h. The quick check runs at the start of every make, so it only
// compares lstat of each file with the manifest; it finds what really happens to a store: an
// interrupted copy, a file deleted or edited by hand, a disk that lost data when the power went.
#include "entry.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <vector>

#include "file.h"
#include "manifest.h"
#include "sha256.h"
#include "text.h"
#include "tree.h"

namespace copal {
namespace {

char type_of(mode_t mode) {
  if (S_ISDIR(mode)) return 'd';
  return S_ISREG(mode) ? 'f' : S_ISLNK(mode) ? 'l' : '?';
}

unsigned canonical_mode(mode_t mode) {
  if (S_ISLNK(mode)) return 0777;
  return S_ISDIR(mode) || (mode & 0111U) != 0 ? 0755 : 0644;
}

// The set-group bit of a folder is only inherited from wherever the build took place.
std::optional<std::string> forbidden(const Node& node) {
  if (type_of(node.mode) == '?')
    return "is a device node, a pipe or a socket; packages may only install files, folders and "
           "links";
  const unsigned special =
      node.mode & (S_ISDIR(node.mode) ? S_ISUID | S_ISVTX : S_ISUID | S_ISGID | S_ISVTX);
  if (special != 0)
    return "has a setuid, setgid or sticky bit (mode " + octal(node.mode & 07777U) +
           "); install it without";
  return std::nullopt;
}

Result<std::string> hash_file(const std::string& path) {
  const auto content = Mapping::open(path);
  if (!content) return content.error();
  return sha256(content->bytes());
}

Result<ManifestLine> seal_path(const std::string& tree, const Node& node, std::int64_t mtime) {
  const auto path = below(tree, node.path);
  if (const auto problem = forbidden(node)) return Error{path + " " + *problem};
  ManifestLine line{node.path, type_of(node.mode), canonical_mode(node.mode),
                    S_ISDIR(node.mode) ? 0 : node.size, "-"};
  if (line.type != 'l' && (node.mode & 07777U) != line.mode &&
      ::chmod(path.c_str(), line.mode) != 0)
    return os_error("set the mode of", path);
  if (line.type != 'd') {
    auto detail = line.type == 'f' ? hash_file(path) : read_link(path);
    if (!detail) return detail.error();
    line.detail = std::move(*detail);
  }
  if (auto status = set_time(path, mtime); !status) return status.error();
  return line;
}

std::optional<std::string> difference(const ManifestLine& expected, const Node& found,
                                      std::int64_t mtime) {
  if (type_of(found.mode) != expected.type) return "is of another type";
  if (expected.type != 'd' && found.size != expected.size)
    return "has " + std::to_string(found.size) + " bytes instead of " +
           std::to_string(expected.size);
  if (expected.type != 'l' && (found.mode & 07777U) != expected.mode)
    return "has mode " + octal(found.mode & 07777U) + " instead of " + octal(expected.mode);
  if (found.mtime != mtime || !found.whole_second)
    return "was changed (its time is not the build's)";
  return std::nullopt;
}

std::optional<std::string> content_difference(const std::string& path,
                                              const ManifestLine& expected) {
  if (expected.type == 'd') return std::nullopt;
  const auto found = expected.type == 'f' ? hash_file(path) : read_link(path);
  if (!found) return "cannot be read";
  if (*found != expected.detail)
    return expected.type == 'f' ? "has another content (SHA-256)" : "points to " + *found;
  return std::nullopt;
}

// All differences between two sorted lists. A folder's time changes with what is in it, so folders
// come last: the file is what one wants to hear of.
std::vector<std::string> differences(const Manifest& manifest, const std::vector<Node>& found,
                                     const std::string& tree, Depth depth) {
  std::vector<std::string> all;
  std::vector<std::string> folders;
  auto expected = manifest.paths.begin();
  auto node = found.begin();
  while (expected != manifest.paths.end() || node != found.end()) {
    const bool no_node = node == found.end();
    const int order = no_node                            ? -1
                      : expected == manifest.paths.end() ? 1
                                                         : expected->path.compare(node->path);
    if (order < 0) {
      all.push_back(expected->path + " is missing");
      ++expected;
    } else if (order > 0) {
      all.push_back(node->path + " does not belong there");
      ++node;
    } else {
      auto problem = difference(*expected, *node, manifest.mtime);
      if (!problem && depth == Depth::full)
        problem = content_difference(below(tree, node->path), *expected);
      if (problem) (expected->type == 'd' ? folders : all).push_back(node->path + " " + *problem);
      ++expected;
      ++node;
    }
  }
  all.insert(all.end(), folders.begin(), folders.end());
  return all;
}

Status check_key(const std::string& folder, const std::string& entry) {
  const auto inputs = read_file(folder + "/inputs");
  if (!inputs) return Error{"its inputs file is missing"};
  if (!entry.ends_with("-" + key_of(*inputs)))
    return Error{"its inputs file does not give the key in its name"};
  return Ok{};
}

}  // namespace

std::string key_of(std::string_view inputs) {
  return sha256(inputs).substr(0, kKeySize);
}

Status seal(const std::string& tree, const std::string& entry, std::int64_t mtime) {
  const auto nodes = walk(tree);
  if (!nodes) return nodes.error();
  if (nodes->size() == 1) return Error{"it installed nothing: DESTDIR is empty"};
  Manifest manifest;
  manifest.mtime = mtime;
  for (const auto& node : *nodes) {
    auto line = seal_path(tree, node, mtime);
    if (!line) return line.error();
    manifest.paths.push_back(std::move(*line));
  }
  return write_file(entry + "/manifest", write_manifest(manifest));
}

Status check_entry(const std::string& store, const std::string& entry, Depth depth) {
  const auto folder = store + "/" + entry;
  const auto text = read_file(folder + "/manifest");
  if (!text) return Error{"it has no manifest"};
  if (auto whole = check_tree(folder + "/tree", *text, depth); !whole) return whole;
  return check_key(folder, entry);
}

Status check_tree(const std::string& tree, const std::string& manifest_text, Depth depth) {
  const auto manifest = parse_manifest(manifest_text);
  if (!manifest) return manifest.error();
  const auto found = walk(tree);
  if (!found) return found.error();
  const auto problems = differences(*manifest, *found, tree, depth);
  if (problems.size() > 1)
    return Error{problems.front() + " (and " + std::to_string(problems.size() - 1) + " more)"};
  if (!problems.empty()) return Error{problems.front()};
  return Ok{};
}

}  // namespace copal
