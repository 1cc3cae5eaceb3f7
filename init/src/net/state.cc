#include "net/state.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/dir.h"

namespace copal::net {
namespace {

// What the C library's resolver uses of them.
constexpr size_t kMaxServers = 3;
constexpr size_t kMaxDomains = 6;

}  // namespace

NewFile::NewFile(const sys::Fd& dir, std::string_view name) : dir_(dir), name_(name) {
  auto file = sys::open_at(dir, Line(name, ".new").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  status_ = file.ok() ? Status() : Status(file.error());
  file_ = std::move(*file);
}

void NewFile::write(const Line& line) {
  const std::string_view text = line.text();
  if (!status_.ok()) return;
  if (::write(file_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    status_ = sys::last_error("write");
  }
}

Status NewFile::commit() {
  if (!status_.ok()) return status_;
  Line from(name_.text(), ".new");
  if (renameat(dir_.get(), from.c_str(), dir_.get(), name_.c_str()) == 0) return {};
  return sys::last_error("rename");
}

Result<sys::Fd> open_state() {
  for (const char* folder : {"", "/dns", "/ntp"}) {
    (void)mkdir(Line(kStateDir, folder).c_str(), 0755);
  }
  // Whoever looks up names reads what is in there.
  (void)chmod(kStateDir, 0755);
  return sys::open(kStateDir, O_RDONLY | O_DIRECTORY);
}

sys::Fd lock(const sys::Fd& state) {
  auto again = sys::open_at(state, ".", O_RDONLY | O_DIRECTORY);
  while (again.ok() && flock(again->get(), LOCK_EX) < 0 && errno == EINTR) {
  }
  return std::move(*again);
}

Names list(const sys::Fd& dir, const char* path) {
  Names names;
  sys::Dir folder(dir, path);
  while (const char* entry = folder.next()) {
    const std::string_view name = entry;
    std::array<char, 64> copy{};
    if (name[0] == '.' || name.ends_with(".new") || name.size() >= copy.size()) continue;
    std::copy(name.begin(), name.end(), copy.begin());
    names.add(copy);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status write_resolv_conf(const sys::Fd& state) {
  List<std::string_view, kMaxServers> servers;
  List<std::string_view, kMaxDomains> domains;
  // Room for the words of all files that count.
  std::array<char, 8192> text;
  std::span<char> room = text;
  for (const auto& name : list(state, "dns")) {
    auto file = sys::read_file(state, Line("dns/", name.data()).c_str(), room);
    if (!file.ok()) continue;
    room = room.subspan(file->size());
    for (std::string_view rest = *file; !rest.empty();) {
      std::string_view line = take_line(rest);
      const bool server = take_word(line) == "nameserver";
      for (auto word = take_word(line); !word.empty(); word = take_word(line)) {
        const auto put = [&](auto& to) {
          if (std::find(to.begin(), to.end(), word) == to.end()) to.add(word);
        };
        if (server) put(servers);
        if (!server) put(domains);
      }
    }
  }
  NewFile file(state, "resolv.conf");
  for (const std::string_view server : servers) file.add("nameserver ", server, "\n");
  if (!domains.empty()) file.add("search");
  for (const std::string_view domain : domains) file.add(" ", domain);
  if (!domains.empty()) file.add("\n");
  return file.commit();
}

}  // namespace copal::net
