// Service files: the keys that say what runs, when, and what happens when it ends. Those that
// confine it are in confine.cc, the form of the file is in lines.cc.
#include "core/config.h"

#include <algorithm>
#include <csignal>

#include "core/address.h"
#include "core/parser.h"

namespace copal {
namespace {

// In the kernel's order, from 1 on. Those of real time are not here: what RTMIN is depends on the C
// library.
constexpr std::array<std::string_view, 31> kSignals = {
    "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1", "SEGV",
    "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN", "TTOU",
    "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};
static_assert(kSignals[SIGTERM - 1] == "TERM" && kSignals[SIGWINCH - 1] == "WINCH");

// What every service finds in its environment, unless its file says otherwise.
struct Variable {
  std::string_view name;
  const char* text;
};
constexpr std::array kDefaultEnv = {Variable{"PATH", "PATH=/usr/bin:/usr/sbin:/bin:/sbin"},
                                    Variable{"HOME", "HOME=/"}};

constexpr Duration kShutdownTaskLimit = std::chrono::seconds(10);

// PID 1 says them itself.
constexpr std::array<std::string_view, 3> kGivenEnv = {"NOTIFY_SOCKET", "WATCHDOG_USEC",
                                                       "WATCHDOG_PID"};

bool valid_variable(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && (name[0] < '0' || name[0] > '9') &&
         std::all_of(name.begin(), name.end(), good);
}

// What a request over HTTP can ask for: no blank ends it early, and no # is sent.
bool valid_target(std::string_view path) {
  return std::all_of(path.begin(), path.end(),
                     [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

}  // namespace

void Parser::set_command(Words words, Kind kind) {
  if (seen(Key::run) && seen(Key::task)) {
    return error(words[0], Line("a file has one command, `run` or `task`, not both"));
  }
  if (!check_path(words[0], words[0].text)) return;
  spec_.kind = kind;
  spec_.argv = arena_.make<const char*>(words.size() + 1);
  if (spec_.argv.empty()) return no_room();
  for (size_t i = 0; i < words.size(); ++i) {
    spec_.argv[i] = copy_word(words[i]);
    if (!spec_.argv[i]) return no_room();
  }
}

// With what \ stands for. Null: there is no memory.
const char* Parser::copy_word(const Word& word) {
  const std::span<char> copy = arena_.make<char>(word.text.size() + 1);
  if (copy.empty()) return nullptr;
  size_t size = 0;
  for (size_t at = 0; at < word.text.size(); ++at) {
    char c = word.text[at];
    if (word.quoted && c == '\\') {
      c = word.text[++at];
      if (c == 'n') c = '\n';
      if (c == 't') c = '\t';
    }
    copy[size++] = c;
  }
  return copy.data();
}

void Parser::set_run(Words words) {
  set_command(words, Kind::service);
}
void Parser::set_task(Words words) {
  set_command(words, Kind::task);
}

void Parser::set_references(Words words, std::span<Reference>& list) {
  const std::span<Reference> all = longer(list, words.size());
  if (all.empty()) return;
  size_t count = list.size();
  for (const Word& word : words) {
    const std::span<Reference> known = all.first(count);
    const auto same = [&](const Reference& other) { return other.name == word.text; };
    if (word.text == spec_.name) {
      error(word, Line("a service cannot wait for itself"));
    } else if (!valid_name(word.text)) {
      error(word, Line("'", word.text, "' is no name of a service"));
    } else if (std::any_of(known.begin(), known.end(), same)) {
      error(word, Line("'", word.text, "' again"));
    } else {
      all[count++] = Reference{word.text, lines_.place(word)};
    }
  }
  list = all.first(count);
}

void Parser::set_needs(Words words) {
  set_references(words, spec_.needs);
}
void Parser::set_after(Words words) {
  set_references(words, spec_.after);
}

void Parser::set_when(Words words) {
  static constexpr std::array<std::string_view, 2> kNames = {"boot", "shutdown"};
  lines_.choose(words[0], kNames, spec_.when);
}

bool Parser::set_time(const Word& word, Duration& value) {
  if (!lines_.read(word, value)) return false;
  if (value == Duration{}) error(word, Line("this is no time at all"));
  return value != Duration{};
}

void Parser::set_limit(Words words) {
  set_time(words[0], spec_.limit);
}

void Parser::set_watchdog(Words words) {
  set_time(words[0], spec_.watchdog);
}

void Parser::set_ready(Words words) {
  static constexpr std::array<std::string_view, 6> kNames = {"exec", "notify", "fd",
                                                             "tcp",  "http",   "path"};
  if (!lines_.choose(words[0], kNames, spec_.ready)) return;
  size_t next = 1;
  if (spec_.ready >= Ready::tcp) {
    static constexpr std::array<std::string_view, 3> kWanted = {"ADDRESS:PORT", "ADDRESS:PORT/PATH",
                                                                "a /PATH"};
    const auto wanted = kWanted[static_cast<size_t>(spec_.ready) - static_cast<size_t>(Ready::tcp)];
    if (words.size() < 2) return error(words[0], Line(words[0].text, " needs ", wanted));
    set_address(words[next++]);
  }
  if (next < words.size()) set_time(words[next++], spec_.ready_limit);
  if (next < words.size()) error(words[next], Line("one word too many"));
}

void Parser::set_path(std::string_view path) {
  spec_.path = arena_.copy(path);
  if (!spec_.path.data()) no_room();
}

void Parser::set_address(const Word& word) {
  std::string_view text = word.text;
  if (spec_.ready == Ready::path) {
    if (check_path(word, text)) set_path(text);
    return;
  }
  if (spec_.ready == Ready::http) {
    const size_t slash = std::min(text.find('/'), text.size());
    const std::string_view path = text.substr(slash);
    if (path.empty()) return error(word, Line("http needs ADDRESS:PORT/PATH"));
    if (!valid_target(path)) return error(word, Line("write blanks, # and the like as %20, %23"));
    set_path(path);
    text = text.substr(0, slash);
  }
  const auto address = parse_socket_address(text);
  if (!address) {
    return error(word, Line("an address is numbers, like 127.0.0.1:4646 or [::1]:4646: nothing is "
                            "looked up"));
  }
  spec_.address = *address;
}

// `useless`: those that do not what the key is for.
std::optional<int> Parser::signal(const Word& word, std::span<const int> useless) {
  size_t index = 0;
  if (!lines_.choose(word, kSignals, index)) return {};
  const int number = static_cast<int>(index) + 1;
  if (std::find(useless.begin(), useless.end(), number) == useless.end()) return number;
  error(word, Line("nothing that gets ", word.text, " does what this is for"));
  return {};
}

void Parser::set_stop(Words words) {
  static constexpr std::array kNot = {SIGSTOP, SIGTSTP, SIGCONT, SIGCHLD};
  const auto number = signal(words[0], kNot);
  if (number) spec_.stop_signal = *number;
  if (number && words.size() > 1) set_time(words[1], spec_.stop_limit);
}

void Parser::set_reload(Words words) {
  static constexpr std::array kNot = {SIGKILL, SIGSTOP, SIGTSTP};
  const auto number = signal(words[0], kNot);
  if (number) spec_.reload_signal = *number;
}

void Parser::set_kill(Words words) {
  static constexpr std::array<std::string_view, 2> kNames = {"main", "tree"};
  if (!lines_.choose(words[0], kNames, spec_.kill) || words.size() == 1) return;
  if (spec_.kill == Kill::tree) return error(words[1], Line("the limit of `stop` counts for all"));
  set_time(words[1], spec_.rest_limit);
}

void Parser::set_restart(Words words) {
  static constexpr std::array<std::string_view, 3> kNames = {"always", "on-failure", "never"};
  if (!lines_.choose(words[0], kNames, spec_.restart) || words.size() == 1) return;
  const Word& range = words[1];
  const size_t dots = range.text.find("..");
  if (dots == std::string_view::npos || spec_.restart == Restart::never) {
    return error(range, Line("expected SHORTEST..LONGEST delay, as in 100ms..30s"));
  }
  const Word low{range.text.substr(0, dots), range.column};
  const Word high{range.text.substr(dots + 2), range.column + static_cast<uint32_t>(dots) + 2};
  if (!set_time(low, spec_.delay_min) || !set_time(high, spec_.delay_max)) return;
  if (spec_.delay_min > spec_.delay_max) error(range, Line("the shortest delay is the longer one"));
}

void Parser::set_give_up(Words words) {
  const auto count = parse_number(words[0].text, 1, 100);
  if (!count) return error(words[0], Line("expected a number from 1 to 100"));
  if (words[1].text != "in") return error(words[1], Line("expected `in`, as in 10 in 5m"));
  if (!set_time(words[2], spec_.give_up_window)) return;
  spec_.give_up_count = static_cast<uint32_t>(*count);
  static constexpr std::array<std::string_view, 2> kThen = {"fail", "reboot"};
  if (words.size() > 3) lines_.choose(words[3], kThen, spec_.give_up_then);
}

std::optional<uint32_t> Parser::account(const Word& word, std::string_view file, const char* kind,
                                        uint32_t* group) {
  const auto number = parse_number(word.text, 0, 0xfffffffe);
  if (number) {
    if (group) *group = static_cast<uint32_t>(*number);
    return static_cast<uint32_t>(*number);
  }
  if (word.text == "root" || !accounts_) return 0;
  const auto found = find_account(file, word.text);
  if (!found) {
    error(word, Line("there is no ", kind, " '", word.text, "' in this image"));
    return {};
  }
  if (group) *group = found->group;
  return found->id;
}

void Parser::set_user(Words words) {
  const std::string_view file = accounts_ ? accounts_->passwd : std::string_view();
  uint32_t group = 0;
  const auto user = account(words[0], file, "user", &group);
  if (!user) return;
  spec_.account.user = *user;
  if (!seen(Key::group)) spec_.account.group = group;
}

void Parser::set_group(Words words) {
  const std::string_view file = accounts_ ? accounts_->group : std::string_view();
  const auto group = account(words[0], file, "group", nullptr);
  if (group) spec_.account.group = *group;
}

void Parser::set_groups(Words words) {
  const std::string_view file = accounts_ ? accounts_->group : std::string_view();
  const std::span<uint32_t> all = longer(spec_.account.groups, words.size());
  if (all.empty()) return;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto group = account(words[i], file, "group", nullptr);
    if (group) all[i] = *group;
  }
  spec_.account.groups = all;
}

size_t Parser::find_variable(std::string_view name) const {
  size_t i = 0;
  while (i < env_count_ &&
         !(std::string_view(env_[i]).starts_with(name) && env_[i][name.size()] == '=')) {
    ++i;
  }
  return i;
}

void Parser::add_variable(const char* variable) {
  if (!variable) return no_room();
  if (env_count_ == env_.size()) return file_error(Line("more than ", env_.size(), " variables"));
  env_[env_count_++] = variable;
}

void Parser::set_env(Words words) {
  for (const Word& word : words) {
    const size_t equals = word.text.find('=');
    const std::string_view name = word.text.substr(0, equals);
    if (equals == std::string_view::npos || !valid_variable(name)) {
      error(word, Line("expected NAME=VALUE, a name of letters, digits and _"));
    } else if (std::find(kGivenEnv.begin(), kGivenEnv.end(), name) != kGivenEnv.end()) {
      error(word, Line("init itself says what ", name, " is"));
    } else if (find_variable(name) != env_count_) {
      error(word, Line("'", name, "' again"));
    } else {
      add_variable(copy_word(word));
    }
  }
}

void Parser::finish_task() {
  if (spec_.kind == Kind::service) {
    if (seen(Key::limit)) key_error(Key::limit, Line("`limit` is for tasks: a service has no end"));
    if (seen(Key::when)) {
      key_error(Key::when, Line("`when` is for tasks: services run from boot to shutdown"));
    }
    if (seen(Key::watchdog) && spec_.ready != Ready::notify) {
      key_error(Key::watchdog,
                Line("`watchdog` needs `ready = notify`: it is heard on the same socket"));
    }
    return;
  }
  if (seen(Key::ready)) {
    key_error(Key::ready, Line("a task is ready when it has ended: remove `ready`"));
  }
  if (seen(Key::watchdog)) {
    key_error(Key::watchdog, Line("`watchdog` is for services: a task has a `limit`"));
  }
  if (!seen(Key::restart)) spec_.restart = Restart::never;
  if (spec_.restart == Restart::always) {
    key_error(Key::restart, Line("a task ends: `restart` is `on-failure` or `never`"));
  }
  if (spec_.when == When::boot) return;
  if (spec_.restart != Restart::never) {
    key_error(Key::restart, Line("at shutdown there is no second try"));
  }
  if (!seen(Key::limit)) spec_.limit = kShutdownTaskLimit;
}

void Parser::finish() {
  if (lines_.bad()) return;  // What is missing may be what could not be read.
  if (spec_.argv.empty()) file_error(Line("there is no command: write `run = ` or `task = `"));
  if (!seen(Key::user)) {
    file_error(Line("there is no user: if it has to be root, write `user = root`"));
  }
  finish_task();
  if (seen(Key::give_up) && spec_.restart == Restart::never) {
    key_error(Key::give_up, Line("`give-up` has no sense with `restart = never`"));
  }
  finish_confinement();
#ifdef COPAL_BUILD_TOOLS
  check_sense();
#endif
  for (const auto& [name, variable] : kDefaultEnv) {
    if (find_variable(name) == env_count_) add_variable(variable);
  }
  spec_.env = arena_.make<const char*>(env_count_ + 1);
  if (spec_.env.empty()) return no_room();
  std::copy_n(env_.begin(), env_count_, spec_.env.begin());
}

void Parser::parse() {
  if (!valid_name(spec_.name)) {
    file_error(Line("a service's name has a-z, 0-9, - and _, and at most ", kMaxName, " of them"));
  }
  while (lines_.next()) {
    const Words words = lines_.words();
    // clang-format off
    switch (static_cast<Key>(lines_.key())) {
#define KEY(id, name, fewest, most, repeats, usage, example, manual) \
  case Key::id: set_##id(words); break;
#include "core/keys.inc"
    }
    // clang-format on
  }
  finish();
  spec_.bad = lines_.bad();
}

bool valid_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= kMaxName && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), good);
}

Spec parse_spec(std::string_view name, std::string_view file, std::string_view text,
                const Accounts* accounts, Arena& arena, Reporter& reporter) {
  Spec spec;
  spec.name = name;
  Parser(file, text, accounts, arena, reporter, spec).parse();
  return spec;
}

}  // namespace copal
