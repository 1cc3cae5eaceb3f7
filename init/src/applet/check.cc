// Runs when an image is built, so that what cannot work never boots. It is the code that PID 1 has,
// and looks at two things more: that programs exist, and (as PID 1 does) that users do.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applet/applet.h"
#include "core/text.h"
#include "disk/spec.h"
#include "init/load.h"
#include "net/config.h"
#include "sys/print.h"

namespace copal {
namespace {

using sys::print;

class ConsoleReporter final : public sys::Printer {
 public:
  void problem(const Place& place, std::string_view message) override {
    Printer::problem(place, message);
    if (place.line == 0) return;
    // A window of the line around the place, so that it fits a terminal.
    constexpr size_t kWidth = 96;
    const size_t at = place.column - 1;
    const size_t from = at > kWidth / 2 ? at - kWidth / 2 : 0;
    const std::string_view shown = place.text.substr(std::min(from, place.text.size()), kWidth);
    print(Line("    ", shown, "\n    "));
    for (size_t i = from; i < at; ++i) print(Line(" "));
    print(Line("^"));
    for (size_t i = 1; i < place.length && at - from + i < kWidth; ++i) print(Line("~"));
    print(Line("\n"));
  }
};

// Absolute links mean something else below a root that is not /, so they are followed by hand.
bool is_program(const sys::Fd& root, const char* path) {
  std::array<char, 1024> target;
  Line current(path);
  for (int depth = 0; depth < 16; ++depth) {
    const char* const relative = current.c_str() + 1;
    struct stat info {};
    if (fstatat(root.get(), relative, &info, AT_SYMLINK_NOFOLLOW) < 0) return false;
    if (!S_ISLNK(info.st_mode)) return S_ISREG(info.st_mode) && (info.st_mode & 0111) != 0;
    const ssize_t n = readlinkat(root.get(), relative, target.data(), target.size());
    if (n <= 0) return false;
    const std::string_view link(target.data(), static_cast<size_t>(n));
    const std::string_view old = current.text();
    current = link[0] == '/' ? Line(link) : Line(old.substr(0, old.rfind('/') + 1), link);
  }
  return false;
}

const char* program(const Spec& spec) {
  const bool later = spec.argv.size() > 3 && std::strcmp(spec.argv[1], "--at-stop") == 0;
  return spec.argv[later ? 2 : 0];
}

}  // namespace

int run_check(std::span<char*> arguments) {
  if (arguments.empty() || arguments.size() > 2) {
    print(Line("usage: init --check DIR [ROOT]\n"));
    return 2;
  }
  const char* const path = arguments[0];
  auto dir = sys::open(path, O_RDONLY | O_DIRECTORY);
  auto memory = sys::reserve(size_t{64} << 20);
  if (!dir.ok() || !memory.ok()) {
    const Error error = !dir.ok() ? dir.error() : memory.error();
    print(Line(path, ": ", std::strerror(error.code), "\n"));
    return 2;
  }
  Arena arena(*memory);
  ConsoleReporter reporter;
  Services services;
  const bool rooted = arguments.size() > 1;
  const Image image = rooted ? open_image(arguments[1], arena) : Image();
  if (rooted && !image.root.open()) {
    print(Line(arguments[1], ": ", std::strerror(errno), "\n"));
    return 2;
  }
  const Status loaded =
      load_services(*dir, path, rooted ? &image : nullptr, arena, reporter, services);
  if (!loaded.ok()) reporter.problem({}, std::strerror(loaded.error().code));
  for (const Spec& spec : services.specs.subspan(std::min<size_t>(1, services.specs.size()))) {
    if (!rooted || spec.argv.empty() || is_program(image.root, program(spec))) continue;
    report(reporter, spec.name,
           Line("there is no program ", program(spec), " in this image").text());
  }
  if (rooted) (void)load_disks(image.root, {}, arena, reporter);
  if (rooted) (void)net::load_configs(image.root, arena, reporter);
  return reporter.problems() == 0 ? 0 : 1;
}

}  // namespace copal
