// Finds the files of /etc/network and /run/config/network.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>

#include "net/config.h"
#include "net/state.h"

namespace copal::net {
namespace {

constexpr const char* kRunDir = "/run/config/network";

}  // namespace

void Printer::problem(const Place& place, std::string_view message) {
  quiet_ = false;
  print(Line(describe(place).text(), "error: ", message, "\n"));
}

std::span<LinkConfig> load_configs(const char* etc, Arena& arena, Reporter& reporter) {
  const std::span<LinkConfig> configs = arena.make<LinkConfig>(kMaxConfigs);
  size_t count = 0;
  Names names = list(sys::Fd(), etc);
  const Names run = list(sys::Fd(), kRunDir);
  for (const auto& name : run) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.add(name);
  }
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    const bool own = std::find(run.begin(), run.end(), name) != run.end();
    const std::string_view path = arena.copy(Line(own ? kRunDir : etc, "/", name.data()).text());
    auto text = sys::load_file(sys::Fd(), path.data(), kMaxFile, arena);
    if (count == configs.size() || !text.ok()) {
      Place place;
      place.file = path;
      reporter.problem(place, text.ok() ? "too many files" : std::strerror(text.error().code));
      continue;
    }
    configs[count++] = parse_link(path, *text, reporter);
  }
  check_together(configs.first(count), reporter);
  return configs.first(count);
}

}  // namespace copal::net
