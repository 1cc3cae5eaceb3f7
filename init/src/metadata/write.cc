#include "metadata/write.h"

#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include "core/config.h"
#include "metadata/file.h"
#include "sys/dir.h"

namespace copal::metadata {
namespace {

constexpr const char* kConfig = "/run/config";
constexpr const char* kNext = "/run/config.next";

// Root without every right can neither enter nor change a folder of somebody else; its owner can.
void remove_tree(int parent, const char* name) {
  if (unlinkat(parent, name, 0) == 0 || errno != EISDIR) return;
  (void)fchownat(parent, name, 0, 0, AT_SYMLINK_NOFOLLOW);
  (void)fchmodat(parent, name, 0700, 0);
  sys::Dir folder(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  while (const char* const member = folder.next()) remove_tree(folder.fd(), member);
  (void)unlinkat(parent, name, AT_REMOVEDIR);
}

struct Owner {
  unsigned user = 0;
  unsigned group = 0;
};

// What is wrong with a service file was said when the image was built.
class Silent final : public Reporter {
  void problem(const Place&, std::string_view) override {}
};

// Who is to read the folder: the user that its service runs as, as PID 1 will have it. A folder
// that several services read has a group of its own: that of the user who is named like it.
Owner owner_of(const std::string& service, const Accounts& accounts) {
  const auto named = find_account(accounts.passwd, service);
  Owner owner;
  if (named) owner = {named->id, named->group};
  const auto text = read_some("/etc/init/" + service, kMaxFile);
  if (!text || !valid_name(service)) return owner;
  std::vector<std::byte> block(size_t{1} << 20);
  Arena arena(block);
  Silent silent;
  const Spec spec = parse_spec(service, service, *text, &accounts, arena, silent);
  if (spec.bad) return owner;
  return {spec.account.user, named ? named->group : spec.account.group};
}

std::string path_of(const Node& node) {
  return std::string(kNext) + "/" + node.path;
}

bool write_node(const Node& node, Owner owner) {
  const std::string path = path_of(node);
  if (node.folder) return mkdir(path.c_str(), 0700) == 0;
  const sys::Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  std::string_view rest = node.content;
  while (file.open() && !rest.empty()) {
    const ssize_t n = write(file.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    rest.remove_prefix(static_cast<size_t>(n));
  }
  // In this order: the mode of another's file could not be set.
  return file.open() && fchmod(file.get(), node.mode) == 0 &&
         fchown(file.get(), owner.user, owner.group) == 0;
}

// When all that belongs there is in it.
bool hand_over(const Node& node, Owner owner) {
  const std::string path = path_of(node);
  return chmod(path.c_str(), node.mode) == 0 && chown(path.c_str(), owner.user, owner.group) == 0;
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
  constexpr size_t kMaxAccounts = size_t{256} << 10;
  const std::string passwd = read_some("/etc/passwd", kMaxAccounts).value_or("");
  const std::string group = read_some("/etc/group", kMaxAccounts).value_or("");
  std::map<std::string, Owner> owners;
  const auto owner = [&](const Node& node) {
    const std::string service = node.path.substr(0, node.path.find('/'));
    const auto known = owners.find(service);
    if (known != owners.end()) return known->second;
    return owners[service] = owner_of(service, {passwd, group});
  };
  const auto failed = [&](const Node& node) {
    problem = failure("write", std::string(kConfig) + "/" + node.path);
    return false;
  };
  for (const Node& node : tree) {
    if (!write_node(node, owner(node))) return failed(node);
  }
  // What is deepest comes last in the tree.
  for (auto node = tree.rbegin(); node != tree.rend(); ++node) {
    if (node->folder && !hand_over(*node, owner(*node))) return failed(*node);
  }
  return link_defaults(problem) && exchange(problem);
}

}  // namespace

bool write_tree(const Tree& tree, std::string& problem) {
  remove_tree(AT_FDCWD, kNext);  // of a run that was killed
  const bool done = write_all(tree, problem);
  remove_tree(AT_FDCWD, kNext);  // what was there before, or what there will not be
  return done;
}

}  // namespace copal::metadata
