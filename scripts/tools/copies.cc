// Trees of the store put elsewhere; see copies.h.
#include "copies.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "entry.h"
#include "file.h"
#include "manifest.h"
#include "tree.h"

namespace copal {
namespace {

// Whatever the user's umask is.
Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0) return os_error("make the folder", path);
  if (::chmod(path.c_str(), 0755) != 0) return os_error("set the mode of", path);
  return Ok{};
}

Status copy_file(const std::string& from, const std::string& to, const Node& node) {
  const auto content = Mapping::open(from);
  if (!content) return content.error();
  if (auto written = write_file(to, content->bytes()); !written) return written;
  if (::chmod(to.c_str(), node.mode & 07777U) != 0) return os_error("set the mode of", to);
  return set_time(to, node.mtime);
}

Status copy_link(const std::string& from, const std::string& to, const Node& node) {
  const auto target = read_link(from);
  if (!target) return target.error();
  if (::symlink(target->c_str(), to.c_str()) != 0) return os_error("make the link", to);
  return set_time(to, node.mtime);
}

// Two users of one store, a limit of links, two file systems: then a copy does.
Status link_or_copy(const std::string& from, const std::string& to, const Node& node) {
  if (::link(from.c_str(), to.c_str()) == 0) return Ok{};
  if (errno != EPERM && errno != EXDEV && errno != EMLINK) return os_error("link", to);
  return S_ISLNK(node.mode) ? copy_link(from, to, node) : copy_file(from, to, node);
}

Result<bool> same(const std::string& a, const Node& a_node, const std::string& b,
                  const Node& b_node) {
  if ((a_node.mode & S_IFMT) != (b_node.mode & S_IFMT)) return false;
  if (S_ISDIR(a_node.mode)) return true;
  if (S_ISLNK(a_node.mode)) {
    const auto a_target = read_link(a);
    const auto b_target = read_link(b);
    return a_target && b_target && *a_target == *b_target;
  }
  if (a_node.mode != b_node.mode || a_node.size != b_node.size) return false;
  const auto a_content = Mapping::open(a);
  if (!a_content) return a_content.error();
  const auto b_content = Mapping::open(b);
  if (!b_content) return b_content.error();
  return a_content->bytes() == b_content->bytes();
}

// "zlib-1.3-<key>" of "<store>/zlib-1.3-<key>/tree".
std::string entry_of(const std::string& tree) {
  return std::filesystem::path(tree).parent_path().filename().string();
}

class Merger {
 public:
  Merger(std::string folder, std::int64_t mtime) : folder_(std::move(folder)), mtime_(mtime) {}

  Status add(const std::string& tree) {
    const auto nodes = walk(tree);
    if (!nodes) return nodes.error();
    for (const auto& node : *nodes) {
      const auto [there, is_new] = paths_.try_emplace(node.path, Owner{tree, node});
      if (auto status = is_new ? take(tree, node) : compare(there->second, tree, node); !status)
        return status;
    }
    return Ok{};
  }

  // A folder's time is that of the last change in it.
  Status finish() {
    for (const auto& [path, owner] : paths_) {
      if (!S_ISDIR(owner.node.mode)) continue;
      if (auto set = set_time(below(folder_, path), mtime_); !set) return set;
    }
    return set_time(folder_, mtime_);
  }

 private:
  struct Owner {
    std::string tree;
    Node node;
  };

  Status take(const std::string& tree, const Node& node) {
    if (node.path == "/") return Ok{};
    const auto to = below(folder_, node.path);
    if (!S_ISDIR(node.mode)) return link_or_copy(below(tree, node.path), to, node);
    return make_folder(to);
  }

  static Status compare(const Owner& owner, const std::string& tree, const Node& node) {
    const auto equal = same(below(owner.tree, node.path), owner.node, below(tree, node.path), node);
    if (!equal) return equal.error();
    if (*equal) return Ok{};
    return Error{"two dependencies have different files at " + node.path + ": " +
                 entry_of(owner.tree) + " and " + entry_of(tree) +
                 "; drop one from `depends`, or let one of them install it elsewhere"};
  }

  std::string folder_;
  std::int64_t mtime_;
  std::map<std::string, Owner> paths_;
};

Status copy_tree(const std::string& from, const std::string& to) {
  const auto nodes = walk(from);
  if (!nodes) return nodes.error();
  for (const auto& node : *nodes) {
    const auto source = below(from, node.path);
    const auto target = below(to, node.path);
    if (S_ISDIR(node.mode)) {
      if (auto made = make_folder(target); !made) return made;
    } else if (auto copied = S_ISLNK(node.mode) ? copy_link(source, target, node)
                                                : copy_file(source, target, node);
               !copied) {
      return copied;
    }
  }
  for (const auto& node : *nodes) {
    if (!S_ISDIR(node.mode)) continue;
    if (auto set = set_time(below(to, node.path), node.mtime); !set) return set;
  }
  return Ok{};
}

// A folder that is gone by the end of the block, whatever happened.
class Temporary {
 public:
  explicit Temporary(std::string path) : path_(std::move(path)) { remove(); }
  ~Temporary() { remove(); }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  Temporary(Temporary&&) = delete;
  Temporary& operator=(Temporary&&) = delete;
  const std::string& path() const { return path_; }

 private:
  void remove() const {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path_;
};

}  // namespace

Status merge(const std::vector<std::string>& trees, const std::string& folder, std::int64_t mtime) {
  if (auto made = make_folder(folder); !made) return made;
  Merger merger(folder, mtime);
  for (const auto& tree : trees) {
    if (auto added = merger.add(tree); !added) return added;
  }
  return merger.finish();
}

Result<bool> publish(const std::string& entry, const std::string& folder) {
  // Two makes in one output folder: one after the other.
  const auto lock_path = folder + ".lock";
  const Fd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) return os_error("lock", lock_path);
  const auto manifest = read_file(entry + "/manifest");
  if (!manifest) return manifest.error();
  if (check_tree(folder, *manifest, Depth::quick)) return false;

  const Temporary copy(folder + ".new");
  if (auto copied = copy_tree(entry + "/tree", copy.path()); !copied) return copied.error();
  if (::renameat2(AT_FDCWD, copy.path().c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0)
    return true;
  // It is not there yet, or the file system cannot exchange.
  const Temporary old(folder + ".old");
  if ((::rename(folder.c_str(), old.path().c_str()) != 0 && errno != ENOENT) ||
      ::rename(copy.path().c_str(), folder.c_str()) != 0)
    return os_error("replace", folder);
  return true;
}

}  // namespace copal
