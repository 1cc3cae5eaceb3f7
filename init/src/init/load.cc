#include "init/load.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "core/text.h"
#include "sys/dir.h"

namespace copal {
namespace {

constexpr std::string_view kLogName = "log";
constexpr std::string_view kLogText =
    "run = /proc/self/exe --log\n"
    "user = 100\n"
    "memory = 64M\n"
    // SIGTERM to all that is left is not meant for it: it takes down what they still say.
    "stop = INT 2s\n"
    // While it is away, who prints may have to wait.
    "restart = always 10ms..1s\n";

// The names in the folder, sorted, so that the order of files on a disk decides nothing. One place
// is the log's.
Result<std::span<std::string_view>> list(const sys::Fd& dir, std::string_view path, Arena& arena,
                                         Reporter& reporter) {
  const std::span<std::string_view> names = arena.make<std::string_view>(kMaxServices - 1);
  if (names.empty()) return Error{ENOMEM, "list"};
  sys::Dir folder(dir, ".");
  if (!folder.open()) return sys::last_error("opendir");
  size_t count = 0;
  size_t more = 0;
  while (const char* name = folder.next()) {
    if (count == names.size()) {
      ++more;
      continue;
    }
    names[count] = arena.copy(name);
    if (!names[count++].data()) return Error{ENOMEM, "list"};
  }
  const Line few("at most ", names.size(), " service files: ", more, " too many");
  if (more != 0) report(reporter, path, few.text());
  std::sort(names.begin(), names.begin() + static_cast<ptrdiff_t>(count));
  return names.first(count);
}

// Reads every profile that is asked for, once. A service whose profile is not there must not run.
bool load_profiles(const Image& image, Arena& arena, Reporter& reporter, Services& services) {
  constexpr size_t kLimit = size_t{4096} * sizeof(sock_filter);  // the kernel's (BPF_MAXINSNS)
  const std::span<Profile> profiles = arena.make<Profile>(services.specs.size());
  if (profiles.size() != services.specs.size()) return false;
  for (Spec& spec : services.specs) {
    const std::string_view name = spec.confinement.seccomp;
    if (spec.bad || name.empty() || !services.filter(spec).empty()) continue;
    Line path("etc/seccomp/", name);
    // Aligned, since what is read are structures.
    (void)arena.make<sock_filter>(1);
    auto text = sys::load_file(image.root, path.c_str(), kLimit, arena);
    const size_t size = text.ok() ? text->size() : 0;
    if (size == 0 || size % sizeof(sock_filter) != 0) {
      spec.bad = true;
      report(reporter, spec.name,
             Line("there is no seccomp profile '", name, "' in this image").text());
      continue;
    }
    const auto* const first = reinterpret_cast<const sock_filter*>(text->data());
    const size_t count = services.profiles.size();
    profiles[count] = {name, {first, size / sizeof(sock_filter)}};
    services.profiles = profiles.first(count + 1);
  }
  return true;
}

}  // namespace

Image open_image(const char* root, Arena& arena) {
  constexpr size_t kLimit = size_t{256} * 1024;
  Image image;
  auto opened = sys::open(root, O_RDONLY | O_DIRECTORY);
  if (!opened.ok()) return image;
  image.root = std::move(*opened);
  auto passwd = sys::load_file(image.root, "etc/passwd", kLimit, arena);
  auto group = sys::load_file(image.root, "etc/group", kLimit, arena);
  image.accounts = {passwd.ok() ? *passwd : std::string_view(),
                    group.ok() ? *group : std::string_view()};
  return image;
}

std::span<const sock_filter> Services::filter(const Spec& spec) const {
  const auto same = [&](const Profile& profile) {
    return profile.name == spec.confinement.seccomp;
  };
  const auto found = std::find_if(profiles.begin(), profiles.end(), same);
  return found == profiles.end() ? std::span<const sock_filter>() : found->filter;
}

Status load_services(const sys::Fd& dir, std::string_view path, const Image* image, Arena& arena,
                     Reporter& reporter, Services& services) {
  const Error no_memory{ENOMEM, "load services"};
  const Accounts* const accounts = image ? &image->accounts : nullptr;
  // Even if there is nothing to read, the log and what is in it are worth having.
  auto listed = list(dir, path, arena, reporter);
  const size_t files = listed.ok() ? listed->size() : 0;
  if (!listed.ok()) report(reporter, path, std::strerror(listed.error().code));

  const std::span<Spec> specs = arena.make<Spec>(files + 1);
  if (specs.empty()) return no_memory;
  specs[kLogService] = parse_spec(kLogName, "(log)", kLogText, nullptr, arena, reporter);
  specs[kLogService].last = true;
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
  }
  services.specs = specs;
  const auto group = accounts ? find_account(accounts->group, "status") : std::nullopt;
  if (group) services.status_group = group->id;
  if (image && !load_profiles(*image, arena, reporter, services)) return no_memory;
  if (!services.graph.build(specs, arena, reporter)) return no_memory;
  return {};
}

}  // namespace copal
