// Runs when an image is built, so that what cannot work never boots. It is the code that PID 1 has,
// and looks at more: at what can never work together (core/sense.cc), and whether programs, paths
// and (as PID 1 does) users are there.
#include <linux/openat2.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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
    const size_t at = std::min<size_t>(place.column - 1, place.text.size());
    const size_t from = at > kWidth / 2 ? at - kWidth / 2 : 0;
    const std::string_view shown = place.text.substr(from, kWidth);
    const std::string_view before = shown.substr(0, at - from);
    const std::string_view marked = shown.substr(at - from, place.length);
    print(Line("    ", clean(shown).text(), "\n    "));
    for (size_t i = 0; i < width(before); ++i) print(Line(" "));
    print(Line("^"));
    for (size_t i = 1; i < width(marked); ++i) print(Line("~"));
    print(Line("\n"));
  }

 private:
  // As clean() shows it: of what is UTF-8, not every byte is a character.
  static size_t width(std::string_view text) {
    const Line cleaned = clean(text);
    const std::string_view all = cleaned.text();
    return static_cast<size_t>(std::count_if(all.begin(), all.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
  }
};

// Links are followed as the machine will: / is the image.
sys::Fd find(const sys::Fd& root, const char* path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  return sys::Fd(static_cast<int>(syscall(SYS_openat2, root.get(), path, &how, sizeof how)));
}

bool is_program(const sys::Fd& root, const char* path) {
  const sys::Fd file = find(root, path);
  struct stat info {};
  return fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 0111) != 0;
}

// What is there is made at boot or by somebody who runs then, and no image has it.
bool made_later(std::string_view path) {
  constexpr std::array kTops = {"/dev", "/proc", "/run", "/sys", "/tmp", "/var"};
  return std::any_of(kTops.begin(), kTops.end(),
                     [&](const char* top) { return is_below(path, top); });
}

const char* program(const Spec& spec) {
  const bool later = spec.argv.size() > 3 && std::strcmp(spec.argv[1], "--at-stop") == 0;
  return spec.argv[later ? 2 : 0];
}

// Of a bad file, paths may be missing.
void check_paths(const Spec& spec, const sys::Fd& root, Reporter& reporter) {
  const auto check = [&](std::string_view key, const char* path) {
    if (made_later(path) || find(root, path).open()) return;
    const Line message("`", key, "`: there is no ", path, " in this image");
    report(reporter, spec.name, message.text());
  };
  const Confinement& seen = spec.confinement;
  if (!spec.argv.empty() && !is_program(root, program(spec))) {
    report(reporter, spec.name,
           Line("there is no program ", program(spec), " in this image").text());
  }
  if (spec.bad) return;
  for (const char* path : seen.write) check("write", path);
  for (const char* path : seen.hide) check("hide", path);
  for (const Tmpfs& tmpfs : seen.tmpfs) check("tmpfs", tmpfs.path);
  for (const Bind& bind : seen.bind) {
    check("bind", bind.from);
    check("bind", bind.to);
  }
}

void check_host_name(const sys::Fd& root, Arena& arena, Reporter& reporter) {
  constexpr size_t kLimit = 4096;
  auto text = sys::load_file(root, "etc/hostname", kLimit, arena);
  if (!text.ok()) return;
  std::string_view rest = *text;
  const std::string_view name = take_word(rest);
  if (valid_host_name(name) && take_word(rest).empty()) return;
  report(reporter, "/etc/hostname",
         Line("expected one name of letters, digits and - . _, of at most ", kMaxHostName).text());
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
    if (rooted) check_paths(spec, image.root, reporter);
  }
  if (rooted) check_host_name(image.root, arena, reporter);
  if (rooted) (void)load_disks(image.root, {}, arena, reporter);
  if (rooted) (void)net::load_configs(image.root, arena, reporter);
  return reporter.problems() == 0 ? 0 : 1;
}

}  // namespace copal
