// A file tree as a sorted list; see tree.h. Descriptors rather than paths are handed from folder to
// folder: the kernel then looks up one name for each file instead of the whole path, which is what
// makes the check of ten thousand files cheap enough for every run of make.
#include "tree.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <unistd.h>

#include "file.h"

namespace copal {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

class Walker {
 public:
  explicit Walker(const std::string& root) : root_(root) {}

  // `path` names the folder: "" for the root, so that path + "/" + name is always right.
  Status folder(Fd fd, const std::string& path) {
    const int raw = fd.get();
    const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(raw));
    if (!dir) return os_error("list", root_ + path);
    (void)fd.release();  // closedir closes it
    for (;;) {
      errno = 0;
      const auto* entry =
          ::readdir(dir.get());  // NOLINT(concurrency-mt-unsafe): each thread has its own DIR
      if (entry == nullptr) {
        if (errno != 0) return os_error("list", root_ + path);
        return Ok{};
      }
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      auto status = file(raw, entry->d_name, path);
      if (!status) return status;
    }
  }

  void add(std::string path, const struct stat& info) {
    nodes_.push_back({std::move(path), info.st_mode, static_cast<std::uint64_t>(info.st_size),
                      info.st_mtim.tv_sec, info.st_mtim.tv_nsec == 0});
  }

  std::vector<Node> take() { return std::move(nodes_); }

 private:
  Status file(int parent, const char* name, const std::string& folder_path) {
    auto path = folder_path + "/" + name;
    struct stat info {};
    if (::fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
      return os_error("look at", root_ + path);
    add(path, info);
    if (!S_ISDIR(info.st_mode)) return Ok{};
    Fd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return os_error("list", root_ + path);
    return folder(std::move(fd), path);
  }

  const std::string& root_;
  std::vector<Node> nodes_;
};

}  // namespace

Result<std::vector<Node>> walk(const std::string& root) {
  Fd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return os_error("list", root);
  Walker walker(root);
  walker.add("/", info);
  if (auto status = walker.folder(std::move(fd), ""); !status) return status.error();
  auto nodes = walker.take();
  std::sort(nodes.begin(), nodes.end(),
            [](const Node& a, const Node& b) { return a.path < b.path; });
  return nodes;
}

Result<std::string> read_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const auto size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return os_error("read the link", path);
  return std::string(target.data(), static_cast<std::size_t>(size));
}

Status set_time(const std::string& path, std::int64_t mtime) {
  const std::array<timespec, 2> times{timespec{.tv_sec = mtime, .tv_nsec = 0},
                                      timespec{.tv_sec = mtime, .tv_nsec = 0}};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
    return os_error("set the time of", path);
  return Ok{};
}

std::string child(const std::string& folder, const std::string& name) {
  return folder + "/" + name;
}

std::string below(const std::string& root, const std::string& path) {
  return path == "/" ? root : root + path;
}

}  // namespace copal
