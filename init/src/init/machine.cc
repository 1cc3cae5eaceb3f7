#include "init/machine.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/random.h>
#include <unistd.h>

#include "core/identity.h"
#include "core/lines.h"

namespace copal {

std::string_view kernel_argument(std::string_view command_line, std::string_view key) {
  while (true) {
    const std::string_view word = take_word(command_line);
    if (word.empty()) return {};
    if (word.size() > key.size() && word.starts_with(key) && word[key.size()] == '=') {
      return word.substr(key.size() + 1);
    }
  }
}

Line boot_argument(std::string_view key) {
  std::array<char, 4096> buffer;
  auto command_line = sys::read_file("/proc/cmdline", buffer);
  return Line(command_line.ok() ? kernel_argument(*command_line, key) : "");
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
