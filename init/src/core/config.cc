// The format is meant to be impossible to misread. A line is empty, a comment (# at its start) or
// `key = words`. Words are separated by spaces; "..." keeps spaces and has no escapes. There are
// no variables, includes, continuations or sections; a key may repeat only if keys.inc says so;
// times carry a unit; every byte is printable. A file has at most 64 KiB, a line at most 1 KiB.
#include "core/config.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <optional>

#include "core/text.h"

namespace copal {
namespace {

enum class Key : uint8_t {
#define KEY(id, name, fewest, most, repeats, usage) id,
#include "core/keys.inc"
};

constexpr std::array kKeys = {
#define KEY(id, name, fewest, most, repeats, usage) KeyRow{name, fewest, most, repeats, usage},
#include "core/keys.inc"
};

struct Signal {
  std::string_view name;
  int number;
};
constexpr std::array kSignals = {Signal{"TERM", SIGTERM}, Signal{"INT", SIGINT},
                                 Signal{"QUIT", SIGQUIT}, Signal{"HUP", SIGHUP},
                                 Signal{"USR1", SIGUSR1}, Signal{"USR2", SIGUSR2},
                                 Signal{"KILL", SIGKILL}};

// What every service finds in its environment, unless its file says otherwise.
constexpr std::array kDefaultEnv = {"PATH=/usr/bin:/usr/sbin:/bin:/sbin", "HOME=/"};

class Parser {
 public:
  Parser(const Accounts* accounts, Arena& arena, Reporter& reporter, Spec& spec)
      : accounts_(accounts), arena_(arena), reporter_(reporter), spec_(spec) {}

  void parse(std::string_view file, std::string_view text);

 private:
  void parse_line();
  bool split_words(size_t from);
  void finish();

#define KEY(id, name, fewest, most, repeats, usage) void set_##id(Words words);
#include "core/keys.inc"

  void set_command(Words words, Kind kind);
  void set_references(Words words, std::span<Reference>& list);
  std::optional<uint32_t> account(const Word& word, std::string_view file, const char* kind,
                                  uint32_t* group);
  void set_address(const Word& word);
  void add_env(std::string_view variable);

  bool read_duration(const Word& word, Duration& value);
  template <typename Value, size_t n>
  bool choose(const Word& word, const std::array<std::string_view, n>& names, Value& value);

  [[nodiscard]] bool seen(Key key) const {
    return seen_[static_cast<size_t>(key)];
  }
  void error(const Word& word, const Line& message);
  void file_error(const Line& message);
  void no_room() {
    file_error(Line("the service files take up too much memory"));
  }

  const Accounts* accounts_;
  Arena& arena_;
  Reporter& reporter_;
  Spec& spec_;
  Place place_;  // the line being read
  std::array<bool, kKeys.size()> seen_{};
  std::array<Word, kMaxWords> words_;
  size_t word_count_ = 0;
  std::array<const char*, 64> env_{};
  size_t env_count_ = 0;
};

void Parser::error(const Word& word, const Line& message) {
  Place place = place_;
  place.column = word.column;
  place.length = static_cast<uint32_t>(word.text.size());
  spec_.bad = true;
  reporter_.problem(place, message.text());
}

void Parser::file_error(const Line& message) {
  Place place;
  place.file = place_.file;
  spec_.bad = true;
  reporter_.problem(place, message.text());
}

bool Parser::read_duration(const Word& word, Duration& value) {
  const auto parsed = parse_duration(word.text);
  if (!parsed) {
    error(word, Line("'", word.text, "' is not a time: write a number and ms, s, m or h"));
    return false;
  }
  value = *parsed;
  return true;
}

template <typename Value, size_t n>
bool Parser::choose(const Word& word, const std::array<std::string_view, n>& names, Value& value) {
  const auto found = std::find(names.begin(), names.end(), word.text);
  if (found != names.end()) {
    value = static_cast<Value>(found - names.begin());
    return true;
  }
  Suggestion suggestion(word.text);
  for (const std::string_view name : names) suggestion.offer(name);
  error(word, unknown("word", word.text, suggestion));
  return false;
}

void Parser::set_command(Words words, Kind kind) {
  if (seen(Key::run) && seen(Key::task)) {
    return error(words[0], Line("a file has one command, `run` or `task`, not both"));
  }
  if (words[0].text.empty() || words[0].text[0] != '/') {
    return error(words[0], Line("a program is given by its whole path, from /"));
  }
  spec_.kind = kind;
  spec_.argv = arena_.make<const char*>(words.size() + 1);
  if (spec_.argv.empty()) return no_room();
  for (size_t i = 0; i < words.size(); ++i) {
    spec_.argv[i] = arena_.copy(words[i].text).data();
    if (!spec_.argv[i]) return no_room();
  }
}

void Parser::set_run(Words words) {
  set_command(words, Kind::service);
}
void Parser::set_task(Words words) {
  set_command(words, Kind::task);
}

void Parser::set_references(Words words, std::span<Reference>& list) {
  const std::span<Reference> longer = arena_.make<Reference>(list.size() + words.size());
  if (longer.empty()) return no_room();
  auto end = std::copy(list.begin(), list.end(), longer.begin());
  for (const Word& word : words) {
    Place place = place_;
    place.column = word.column;
    place.length = static_cast<uint32_t>(word.text.size());
    const auto same = [&](const Reference& other) { return other.name == word.text; };
    if (word.text == spec_.name) error(word, Line("a service cannot wait for itself"));
    if (std::any_of(longer.begin(), end, same)) error(word, Line("'", word.text, "' again"));
    *end++ = Reference{word.text, place};
  }
  list = longer;
}

void Parser::set_needs(Words words) {
  set_references(words, spec_.needs);
}
void Parser::set_after(Words words) {
  set_references(words, spec_.after);
}

void Parser::set_ready(Words words) {
  static constexpr std::array<std::string_view, 3> kNames = {"exec", "notify", "tcp"};
  if (!choose(words[0], kNames, spec_.ready)) return;
  size_t next = 1;
  if (spec_.ready == Ready::tcp) {
    if (words.size() < 2) return error(words[0], Line("tcp needs ADDRESS:PORT"));
    set_address(words[next++]);
  }
  if (next < words.size()) read_duration(words[next++], spec_.ready_limit);
  if (next < words.size()) error(words[next], Line("one word too many"));
}

void Parser::set_address(const Word& word) {
  const size_t colon = std::min(word.text.rfind(':'), word.text.size());
  std::string_view host = word.text.substr(0, colon);
  const auto port = parse_number(word.text.substr(std::min(colon + 1, word.text.size())), 1, 65535);
  uint32_t address = 0;
  int bytes = 0;
  while (!host.empty() && bytes < 4) {
    const size_t end = std::min(host.find('.'), host.size());
    const auto byte = parse_number(host.substr(0, end), 0, 255);
    if (!byte) break;
    address = address << 8 | static_cast<uint32_t>(*byte);
    ++bytes;
    host.remove_prefix(std::min(end + 1, host.size()));
  }
  if (!port || bytes != 4 || !host.empty()) {
    return error(word, Line("an address is numbers, like 127.0.0.1:4646: nothing is looked up"));
  }
  spec_.address = address;
  spec_.port = static_cast<uint16_t>(*port);
}

void Parser::set_stop(Words words) {
  Suggestion suggestion(words[0].text);
  const auto same = [&](const Signal& signal) { return signal.name == words[0].text; };
  const auto* const signal = std::find_if(kSignals.begin(), kSignals.end(), same);
  if (signal == kSignals.end()) {
    for (const Signal& known : kSignals) suggestion.offer(known.name);
    return error(words[0], unknown("signal", words[0].text, suggestion));
  }
  spec_.stop_signal = signal->number;
  if (words.size() > 1) read_duration(words[1], spec_.stop_limit);
}

void Parser::set_kill(Words words) {
  static constexpr std::array<std::string_view, 2> kNames = {"main", "tree"};
  choose(words[0], kNames, spec_.kill);
}

void Parser::set_restart(Words words) {
  static constexpr std::array<std::string_view, 3> kNames = {"always", "on-failure", "never"};
  if (!choose(words[0], kNames, spec_.restart) || words.size() == 1) return;
  const Word& range = words[1];
  const size_t dots = range.text.find("..");
  if (dots == std::string_view::npos || spec_.restart == Restart::never) {
    return error(range, Line("expected SHORTEST..LONGEST delay, as in 100ms..30s"));
  }
  const Word low{range.text.substr(0, dots), range.column};
  const Word high{range.text.substr(dots + 2), range.column + static_cast<uint32_t>(dots) + 2};
  if (!read_duration(low, spec_.delay_min) || !read_duration(high, spec_.delay_max)) return;
  if (spec_.delay_min > spec_.delay_max) error(range, Line("the shortest delay is the longer one"));
  if (spec_.delay_max == Duration{}) error(high, Line("without any delay, a crash is a busy loop"));
}

void Parser::set_give_up(Words words) {
  const auto count = parse_number(words[0].text, 1, 100);
  if (!count) return error(words[0], Line("expected a number from 1 to 100"));
  if (words[1].text != "in") return error(words[1], Line("expected `in`, as in 10 in 5m"));
  if (!read_duration(words[2], spec_.give_up_window)) return;
  spec_.give_up_count = static_cast<uint32_t>(*count);
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

// A variable named before is replaced.
void Parser::add_env(std::string_view variable) {
  const std::string_view name = variable.substr(0, variable.find('=') + 1);
  size_t i = 0;
  while (i < env_count_ && !std::string_view(env_[i]).starts_with(name)) ++i;
  if (i == env_.size()) return file_error(Line("more than ", env_.size(), " variables"));
  env_[i] = arena_.copy(variable).data();
  if (!env_[i]) return no_room();
  env_count_ = std::max(env_count_, i + 1);
}

void Parser::set_env(Words words) {
  for (const Word& word : words) {
    const size_t equals = word.text.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      error(word, Line("expected NAME=VALUE"));
    } else {
      add_env(word.text);
    }
  }
}

void Parser::set_oom(Words words) {
  const auto value = parse_number(words[0].text, -1000, 1000);
  if (!value) return error(words[0], Line("expected a number from -1000 to 1000"));
  spec_.oom = static_cast<int32_t>(*value);
}

void Parser::set_nofile(Words words) {
  const auto value = parse_number(words[0].text, 16, 1 << 20);
  if (!value) return error(words[0], Line("expected a number from 16 to 1048576"));
  spec_.nofile = static_cast<uint32_t>(*value);
}

void Parser::set_console(Words words) {
  static constexpr std::array<std::string_view, 2> kNames = {"no", "yes"};
  choose(words[0], kNames, spec_.console);
}

// The length of the character at the start of `text`, which is printable and well-formed UTF-8;
// else 0. (Overlong forms and surrogates are not looked for: nothing here compares characters.)
size_t character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const size_t length = first >= 0xf5   ? 0
                        : first >= 0xf0 ? 4
                        : first >= 0xe0 ? 3
                        : first >= 0xc2 ? 2
                                        : 0;
  if (length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// Splits the line from offset `from` on into words_. False: something is wrong, and reported.
bool Parser::split_words(size_t from) {
  const std::string_view line = place_.text;
  word_count_ = 0;
  for (size_t at = line.find_first_not_of(' ', from); at < line.size();
       at = line.find_first_not_of(' ', at)) {
    Word word{line.substr(at, line.find(' ', at) - at), static_cast<uint32_t>(at + 1)};
    if (word_count_ == words_.size()) {
      error(word, Line("more than ", words_.size(), " words"));
      return false;
    }
    if (word.text[0] == '#') {
      error(word, Line("a comment has a line of its own; quote a word that starts with #"));
      return false;
    }
    at += word.text.size();
    if (word.text[0] == '"') {
      const size_t end = line.find('"', word.column);
      if (end == std::string_view::npos || (end + 1 < line.size() && line[end + 1] != ' ')) {
        error(word, Line("a quote is closed at the end of a word"));
        return false;
      }
      at = end + 1;
      word.text = line.substr(word.column, end - word.column);
      word.column += 1;
    } else if (word.text.find('"') != std::string_view::npos) {
      error(word, Line("a quote is opened at the start of a word"));
      return false;
    }
    words_[word_count_++] = word;
  }
  return true;
}

void Parser::parse_line() {
  const std::string_view line = place_.text;
  const size_t start = line.find_first_not_of(' ');
  if (start == std::string_view::npos || line[start] == '#') return;

  const size_t end = std::min(line.find_first_of(" =", start), line.size());
  const Word name{line.substr(start, end - start), static_cast<uint32_t>(start + 1)};
  const size_t equals = line.find_first_not_of(' ', end);
  if (equals == std::string_view::npos || line[equals] != '=') {
    return error(name, Line("expected `key = words`"));
  }
  const auto same = [&](const KeyRow& row) { return row.name == name.text; };
  const auto* const row = std::find_if(kKeys.begin(), kKeys.end(), same);
  if (row == kKeys.end()) {
    Suggestion suggestion(name.text);
    for (const KeyRow& known : kKeys) suggestion.offer(known.name);
    return error(name, unknown("key", name.text, suggestion));
  }
  const auto key = static_cast<Key>(row - kKeys.begin());
  if (seen(key) && !row->repeats) return error(name, Line("`", row->name, "` is given twice"));
  seen_[static_cast<size_t>(key)] = true;

  if (!split_words(equals + 1)) return;
  if (word_count_ < row->fewest || word_count_ > row->most) {
    return error(name, Line("expected ", row->name, " = ", row->usage));
  }
  const Words words(words_.data(), word_count_);
  // clang-format off
  switch (key) {
#define KEY(id, name, fewest, most, repeats, usage) case Key::id: return set_##id(words);
#include "core/keys.inc"
  }
  // clang-format on
}

void Parser::finish() {
  if (spec_.bad) return;  // What is missing may be what could not be read.
  if (spec_.argv.empty()) file_error(Line("there is no command: write `run = ` or `task = `"));
  if (!seen(Key::user)) {
    file_error(Line("there is no user: if it has to be root, write `user = root`"));
  }
  if (spec_.kind == Kind::task) {
    if (seen(Key::ready)) file_error(Line("a task is ready when it has ended: remove `ready`"));
    if (!seen(Key::restart)) spec_.restart = Restart::never;
    if (spec_.restart == Restart::always) {
      file_error(Line("a task ends: `restart` is `on-failure` or `never`"));
    }
  }
  if (seen(Key::give_up) && spec_.restart == Restart::never) {
    file_error(Line("`give-up` has no sense with `restart = never`"));
  }
  spec_.env = arena_.make<const char*>(env_count_ + 1);
  if (spec_.env.empty()) return no_room();
  std::copy_n(env_.begin(), env_count_, spec_.env.begin());
}

void Parser::parse(std::string_view file, std::string_view text) {
  place_.file = file;
  if (!valid_name(spec_.name)) {
    file_error(Line("a service's name has a-z, 0-9, - and _, and at most ", kMaxName, " of them"));
  }
  if (text.size() > kMaxFile) return file_error(Line("longer than ", kMaxFile, " bytes"));
  for (const char* variable : kDefaultEnv) add_env(variable);
  while (!text.empty()) {
    place_.text = take_line(text);
    ++place_.line;
    if (place_.text.size() > kMaxLine) {
      place_.text = place_.text.substr(0, kMaxLine);
      error(Word{{}, 1}, Line("longer than ", kMaxLine, " bytes"));
      continue;
    }
    size_t at = 0;
    while (at < place_.text.size()) {
      const size_t length = character(place_.text.substr(at));
      if (length == 0) break;
      at += length;
    }
    if (at < place_.text.size()) {
      const char* const hint = place_.text[at] == '\t' ? ": use spaces, not tabs" : "";
      error(Word{{}, static_cast<uint32_t>(at + 1)}, Line("not a printable character", hint));
      continue;
    }
    parse_line();
  }
  finish();
}

}  // namespace

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
  Parser(accounts, arena, reporter, spec).parse(file, text);
  return spec;
}

}  // namespace copal
