#include "init/machine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/random.h>
#include <unistd.h>

#include "core/identity.h"
#include "core/lines.h"

namespace copal {
namespace {

// All that Copal reads there. A word that looks like one of them and is none was meant to be one.
constexpr std::array<std::string_view, 9> kParameters = {
    "copal.console",  "copal.disk", "copal.disk-erase", "copal.disk-format", "copal.disk-repair",
    "copal.hostname", "copal.log",  "copal.metadata",   "copal.ntp"};

}  // namespace

Parameter take_parameter(std::string_view& command_line) {
  constexpr std::string_view kBlanks = " \t\n";
  command_line.remove_prefix(
      std::min(command_line.find_first_not_of(kBlanks), command_line.size()));
  size_t size = 0;
  for (bool quoted = false; size < command_line.size(); ++size) {
    const char c = command_line[size];
    if (c == '"') quoted = !quoted;
    if (!quoted && kBlanks.find(c) != std::string_view::npos) break;
  }
  std::string_view word = command_line.substr(0, size);
  command_line.remove_prefix(size);
  // Quotes may be around all of it, or around the value.
  const bool whole = word.starts_with('"');
  if (whole) word.remove_prefix(1);
  const size_t equals = std::min(word.find('='), word.size());
  const bool quoted = word.substr(equals).starts_with("=\"");
  if ((whole || quoted) && word.ends_with('"')) word.remove_suffix(1);
  const size_t value = equals + (quoted ? 2 : 1);
  return {word.substr(0, equals), word.substr(std::min(value, word.size()))};
}

std::string_view next_unknown_parameter(std::string_view& command_line) {
  while (!command_line.empty()) {
    const std::string_view name = take_parameter(command_line).name;
    const auto* const found = std::find(kParameters.begin(), kParameters.end(), name);
    if (name.starts_with("copal.") && found == kParameters.end()) return name;
  }
  return {};
}

// What is given last counts: whoever starts the machine appends to what the image was built with.
std::string_view kernel_argument(std::string_view command_line, std::string_view key) {
  std::string_view value;
  while (!command_line.empty()) {
    const auto [name, text] = take_parameter(command_line);
    if (name == key) value = text;
  }
  return value;
}

Line boot_argument(std::string_view key) {
  std::array<char, 4096> buffer;
  auto command_line = sys::read_file("/proc/cmdline", buffer);
  return Line(command_line.ok() ? kernel_argument(*command_line, key) : "");
}

void check_boot_arguments(const sys::Log& log) {
  std::array<char, 4096> buffer;
  auto command_line = sys::read_file("/proc/cmdline", buffer);
  std::string_view rest = command_line.ok() ? *command_line : "";
  while (true) {
    const std::string_view name = next_unknown_parameter(rest);
    if (name.empty()) return;
    Line known;
    for (const std::string_view parameter : kParameters) known.add(" ").add(parameter);
    log.say(sys::Level::error, "kernel command line: unknown ", name, "; there are", known.text());
  }
}

void set_hostname(const sys::Log& log) {
  std::array<char, 256> file;
  const Line given = boot_argument("copal.hostname");
  std::string_view name = given.text();
  if (!name.empty() && !valid_host_name(name)) {
    log.say(sys::Level::error, "copal.hostname: '", clean(name).text(), "' is no name of a host");
    name = {};
  }
  if (name.empty()) {
    auto text = sys::read_file("/etc/hostname", file);
    if (!text.ok()) return log.fail(sys::Level::warning, "/etc/hostname", text.error());
    std::string_view rest = *text;
    name = take_word(rest);
  }
  if (sethostname(name.data(), name.size()) < 0) {
    log.fail(sys::Level::error, "hostname", sys::last_error("sethostname"));
  }
}

namespace {

Line random_id() {
  std::array<unsigned char, 16> bytes{};
  (void)!getrandom(bytes.data(), bytes.size(), GRND_NONBLOCK | GRND_INSECURE);
  return id_of_bytes(bytes);
}

// One setting. What is wrong with it, or an empty line.
Line apply(std::string_view setting) {
  const size_t equals = setting.find('=');
  if (equals == std::string_view::npos) return Line("expected path = value");
  std::string_view left = setting.substr(0, equals);
  const std::string_view key = take_word(left);
  const size_t start = setting.find_first_not_of(' ', equals + 1);
  if (key.empty() || start == std::string_view::npos) return Line("expected path = value");
  if (key.find("..") != std::string_view::npos) return Line("a path has no ..");
  const Status done = sys::write_file(Line("/proc/sys/", key).c_str(), setting.substr(start));
  return done.ok() ? Line() : Line(key, ": ", std::strerror(done.error().code));
}

}  // namespace

void make_machine_id(const sys::Log& log) {
  std::array<char, 256> first;
  std::array<char, 256> second;
  Line id;
  if (auto uuid = sys::read_file("/sys/class/dmi/id/product_uuid", first); uuid.ok()) {
    id = id_of_uuid(*uuid);
  } else if (auto serial = sys::read_file("/proc/device-tree/serial-number", first); serial.ok()) {
    auto model = sys::read_file("/proc/device-tree/model", second);
    id = id_of_serial(model.ok() ? *model : "", *serial);
  }
  if (id.text().empty()) id = random_id();
  id.add("\n");
  auto file = sys::open("/run/machine-id", O_WRONLY | O_CREAT | O_TRUNC, 0444);
  if (!file.ok() || write(file->get(), id.text().data(), id.text().size()) < 0) {
    log.fail(sys::Level::error, "machine-id", sys::last_error("write"));
  }
}

void apply_sysctls(const sys::Log& log) {
  std::array<char, 16384> buffer;
  auto text = sys::read_file("/etc/sysctl.conf", buffer);
  if (!text.ok()) return log.fail(sys::Level::warning, "/etc/sysctl.conf", text.error());
  std::string_view rest = *text;
  for (uint32_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = take_line(rest);
    const size_t start = line.find_first_not_of(' ');
    if (start == std::string_view::npos || line[start] == '#') continue;
    const Line problem = apply(line);
    if (problem.text().empty()) continue;
    log.say(sys::Level::error, "/etc/sysctl.conf:", number, ": ", problem.text());
  }
}

}  // namespace copal
