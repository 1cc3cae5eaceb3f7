#include "init/load.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/text.h"

namespace copal {
namespace {

constexpr std::string_view kLogName = "log";
constexpr std::string_view kLogText =
    "run = /proc/self/exe --log\n"
    "user = 65534\n"
    "stop = TERM 2s\n"
    // While it is away, who prints may have to wait.
    "restart = always 10ms..1s\n";

void report(Reporter& reporter, std::string_view file, std::string_view message) {
  Place place;
  place.file = file;
  reporter.problem(place, message);
}

// The names in the folder, sorted, so that the order of files on a disk decides nothing.
Result<std::span<std::string_view>> list(const sys::Fd& dir, Arena& arena) {
  const std::span<std::string_view> names = arena.make<std::string_view>(kMaxServices);
  if (names.empty()) return Error{ENOMEM, "list"};
  auto again = sys::open_at(dir, ".", O_RDONLY | O_DIRECTORY);
  if (!again.ok()) return again.error();
  DIR* const open = fdopendir(dup(again->get()));
  if (!open) return sys::last_error("opendir");
  size_t count = 0;
  Status status;
  while (const dirent* entry = readdir(open)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string_view copy = arena.copy(name);
    if (count == names.size() || !copy.data()) {
      status = Error{ENOMEM, "list"};
      break;
    }
    names[count++] = copy;
  }
  closedir(open);
  if (!status.ok()) return status.error();
  std::sort(names.begin(), names.begin() + static_cast<ptrdiff_t>(count));
  return names.first(count);
}

bool wait_for_log(Spec& spec, Arena& arena) {
  const std::span<Reference> after = arena.make<Reference>(spec.after.size() + 1);
  if (after.empty()) return false;
  std::copy(spec.after.begin(), spec.after.end(), after.begin());
  after.back().name = kLogName;
  spec.after = after;
  return true;
}

}  // namespace

Accounts load_accounts(const sys::Fd& root, Arena& arena) {
  constexpr size_t kLimit = size_t{256} * 1024;
  auto passwd = sys::load_file(root, "etc/passwd", kLimit, arena);
  auto group = sys::load_file(root, "etc/group", kLimit, arena);
  return {passwd.ok() ? *passwd : std::string_view(), group.ok() ? *group : std::string_view()};
}

Status load_services(const sys::Fd& dir, std::string_view path, const Accounts* accounts,
                     Arena& arena, Reporter& reporter, Services& services) {
  const Error no_memory{ENOMEM, "load services"};
  // Even if there is nothing to read, the log and what is in it are worth having.
  auto listed = list(dir, arena);
  const size_t files = listed.ok() ? listed->size() : 0;
  if (!listed.ok()) report(reporter, path, std::strerror(listed.error().code));

  const std::span<Spec> specs = arena.make<Spec>(files + 1);
  if (specs.empty()) return no_memory;
  specs[kLogService] = parse_spec(kLogName, "(log)", kLogText, nullptr, arena, reporter);
  for (size_t i = 0; i < files; ++i) {
    const std::string_view name = (*listed)[i];
    const std::string_view file = arena.copy(Line(path, "/", name).text());
    auto text = sys::load_file(dir, name.data(), kMaxFile, arena);
    Spec& spec = specs[i + 1];
    if (text.ok()) {
      spec = parse_spec(name, file, *text, accounts, arena, reporter);
    } else {
      spec.name = name;
      spec.bad = true;
      report(reporter, file,
             Line(text.error().what, ": ", std::strerror(text.error().code)).text());
    }
    if (name == kLogName || name == "init" || name == "kernel") {
      spec.bad = true;
      report(reporter, file, "init itself has lines of this name in the log");
      spec.name = arena.copy(Line("(", name, ")").text());
    }
    if (!wait_for_log(spec, arena)) return no_memory;
  }
  services.specs = specs;
  if (!services.graph.build(specs, arena, reporter)) return no_memory;
  return {};
}

}  // namespace copal
