// copalctl: what root may ask of PID 1. It is in an image only if the image asks for it.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>
#include <utility>

#include "core/text.h"
#include "ctl/client.h"
#include "ctl/log.h"
#include "sys/kernel.h"

namespace copal::ctl {
namespace {

constexpr std::string_view kUsage =
    "usage: copalctl status [SERVICE]     what runs, and what does not\n"
    "       copalctl log [-f] [-n LINES] [SERVICE]\n"
    "       copalctl tree                 who needs whom\n"
    "       copalctl blame                how long each took to be ready\n"
    "       copalctl start|stop|restart|reload SERVICE\n"
    "       copalctl poweroff|reboot|kexec\n";

void print(const Line& line) {
  (void)!write(1, line.text().data(), line.text().size());
}

int fail(std::string_view what, std::string_view why) {
  const Line line("copalctl: ", what, ": ", why, "\n");
  (void)!write(2, line.text().data(), line.text().size());
  return 1;
}

Line padded(std::string_view text, size_t width) {
  Line line(text);
  while (line.text().size() < width) line.add(" ");
  return line;
}

int show_status(std::span<const Row> rows, std::string_view name) {
  const Time now = sys::now();
  bool found = false;
  for (const Row& row : rows) {
    if (!name.empty() && row.name != name) continue;
    found = true;
    Line line(padded(row.name, 20).text(), " ", padded(row.state, 9).text(), " for ",
              now - row.since);
    if (row.pid != 0) line.add(", pid ").add(row.pid);
    if (row.starts > 1) line.add(", started ").add(row.starts).add(" times");
    const bool ended = row.state == "failed" || row.state == "backoff" || row.starts > 1;
    if (ended) line.add(", last end: ").add(row.exit);
    print(line.add("\n"));
  }
  return found ? 0 : fail(name, "there is no such service");
}

// What stands on what, each service with its own once: else services that share what they need
// would be told of as often as there are ways to it.
class Tree {
 public:
  Tree(std::span<const Row> rows, Arena& arena)
      : rows_(rows), shown_(arena.make<bool>(rows.size())) {}

  // From those that nobody needs down to what all stand on; then those that go round.
  void show() {
    for (const Row& row : rows_) {
      if (!is_needed(row)) show(row, 0);
    }
    for (const Row& row : rows_) {
      if (!shown_[index(row)]) show(row, 0);
    }
  }

 private:
  [[nodiscard]] size_t index(const Row& row) const {
    return static_cast<size_t>(&row - rows_.data());
  }
  [[nodiscard]] bool is_needed(const Row& row) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](const Row& other) {
      std::string_view needs = other.needs;
      for (std::string_view need = take_word(needs); !need.empty(); need = take_word(needs)) {
        if (need == row.name) return true;
      }
      return false;
    });
  }
  void show(const Row& row, size_t depth) {
    for (size_t n = 0; n < depth; ++n) print(Line("  "));
    const bool again = std::exchange(shown_[index(row)], true);
    std::string_view needs = row.needs;
    std::string_view need = take_word(needs);
    print(Line(row.name, " (", row.state, again && !need.empty() ? "), as above\n" : ")\n"));
    for (; !again && !need.empty(); need = take_word(needs)) {
      const auto same = [&](const Row& other) { return other.name == need; };
      const auto found = std::find_if(rows_.begin(), rows_.end(), same);
      if (found != rows_.end()) show(*found, depth + 1);
    }
  }

  std::span<const Row> rows_;
  std::span<bool> shown_;
};

// The slowest first.
void show_blame(std::span<Row> rows) {
  const auto took = [](const Row& row) {
    const Time end = row.kind == "task" ? row.since : row.ready;
    return end > row.started ? end - row.started : Time{};
  };
  std::sort(rows.begin(), rows.end(),
            [&](const Row& a, const Row& b) { return took(a) > took(b); });
  for (const Row& row : rows) {
    if (row.starts == 0) continue;
    print(Line(padded(row.name, 20).text(), " ", took(row), ", started at ", row.started, "\n"));
  }
}

int show(Client& client, std::string_view verb, std::string_view name) {
  auto memory = sys::reserve(kRoomForRows);
  if (!memory.ok()) return fail("memory", std::strerror(memory.error().code));
  Arena arena(*memory);
  auto rows = client.services(arena);
  if (!rows.ok()) return fail(rows.error().what, std::strerror(rows.error().code));
  if (verb == "status") return show_status(*rows, name);
  if (verb == "tree") Tree(*rows, arena).show();
  if (verb == "blame") show_blame(*rows);
  return 0;
}

int run(std::span<char*> arguments) {
  constexpr std::array<std::string_view, 3> kShows = {"status", "tree", "blame"};
  constexpr std::array<std::string_view, 4> kOfService = {"start", "stop", "restart", "reload"};
  constexpr std::array<std::string_view, 3> kEnds = {"poweroff", "reboot", "kexec"};
  const auto in = [](const auto& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  const std::string_view verb = arguments.size() > 1 ? arguments[1] : "";
  const std::string_view name = arguments.size() > 2 ? arguments[2] : "";
  if (verb == "log") return ctl_log(arguments.subspan(2));
  const bool shows = in(kShows, verb);
  const bool good = in(kOfService, verb)       ? arguments.size() == 3
                    : verb == "status"         ? arguments.size() <= 3
                    : shows || in(kEnds, verb) ? arguments.size() == 2
                                               : false;
  if (!good) {
    (void)!write(2, kUsage.data(), kUsage.size());
    return 2;
  }
  Client client;
  const Status connected = client.connect("/run/init/control");
  if (!connected.ok()) return fail("/run/init/control", std::strerror(connected.error().code));
  if (shows) return show(client, verb, name);
  auto answer = client.ask(Line(verb, " ", name).text());
  if (!answer.ok()) return fail(answer.error().what, std::strerror(answer.error().code));
  return *answer == "ok" ? 0 : fail(name.empty() ? verb : name, answer->substr(6));
}

}  // namespace
}  // namespace copal::ctl

int main(int argc, char** argv) {
  return copal::ctl::run({argv, static_cast<size_t>(argc)});
}
