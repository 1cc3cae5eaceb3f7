#include "metadata/write.h"

#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/text.h"
#include "metadata/file.h"

namespace copal::metadata {
namespace {

constexpr const char* kConfig = "/run/config";
constexpr const char* kNext = "/run/config.next";

int remove_one(const char* path, const struct stat*, int, FTW*) {
  return remove(path);
}
void remove_tree(const char* path) {
  (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

// A service that runs as a user of its own has to read its folder, and nobody else has to.
unsigned group_of(std::string_view service, std::string_view passwd) {
  const auto account = find_account(passwd, service);
  return account ? account->group : 0;
}

bool write_node(const Node& node, unsigned group) {
  const std::string path = std::string(kNext) + "/" + node.path;
  if (node.folder) {
    return mkdir(path.c_str(), 0700) == 0 && chown(path.c_str(), 0, group) == 0 &&
           chmod(path.c_str(), node.mode) == 0;
  }
  const sys::Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  std::string_view rest = node.content;
  while (file.open() && !rest.empty()) {
    const ssize_t n = write(file.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    rest.remove_prefix(static_cast<size_t>(n));
  }
  return file.open() && fchown(file.get(), 0, group) == 0 && fchmod(file.get(), node.mode) == 0;
}

bool link_defaults(std::string& problem) {
  DIR* const etc = opendir("/etc");
  if (!etc) {
    problem = failure("open", "/etc");
    return false;
  }
  while (const dirent* entry = readdir(etc)) {
    const std::string name = entry->d_name;
    const std::string folder = "/etc/" + name + "/default";
    struct stat info {};
    if (name[0] == '.' || stat(folder.c_str(), &info) < 0 || !S_ISDIR(info.st_mode)) continue;
    const std::string link = std::string(kNext) + "/" + name;
    if (symlink(folder.c_str(), link.c_str()) == 0 || errno == EEXIST) continue;
    problem = failure("link", link);
    break;
  }
  closedir(etc);
  return problem.empty();
}

bool exchange(std::string& problem) {
  constexpr unsigned kExchange = 2;              // RENAME_EXCHANGE
  if (rename(kNext, kConfig) == 0) return true;  // there was none, or an empty one
  if (syscall(SYS_renameat2, AT_FDCWD, kNext, AT_FDCWD, kConfig, kExchange) == 0) return true;
  problem = failure("rename", kConfig);
  return false;
}

bool write_all(const Tree& tree, std::string& problem) {
  if (mkdir(kNext, 0700) < 0 || chmod(kNext, 0755) < 0) {
    problem = failure("make", kNext);
    return false;
  }
  const std::string passwd = read_some("/etc/passwd", size_t{256} << 10).value_or("");
  for (const Node& node : tree) {
    const std::string_view service = std::string_view(node.path).substr(0, node.path.find('/'));
    if (write_node(node, group_of(service, passwd))) continue;
    problem = failure("write", std::string(kConfig) + "/" + node.path);
    return false;
  }
  return link_defaults(problem) && exchange(problem);
}

}  // namespace

bool write_tree(const Tree& tree, std::string& problem) {
  remove_tree(kNext);  // of a run that was killed
  const bool done = write_all(tree, problem);
  remove_tree(kNext);  // what was there before, or what there will not be
  return done;
}

}  // namespace copal::metadata
