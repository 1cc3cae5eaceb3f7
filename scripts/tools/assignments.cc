// Flat assignments in Make's syntax; see assignments.h.
#include "assignments.h"

#include <algorithm>
#include <array>
#include <optional>

#include "text.h"

namespace copal {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool is_directive(std::string_view word) {
  static constexpr std::array<std::string_view, 16> kDirectives = {
      "ifeq",  "ifneq",    "ifdef",   "ifndef",   "else",   "endif",    "define",   "endef",
      "vpath", "-include", "include", "sinclude", "export", "unexport", "override", "undefine"};
  return std::find(kDirectives.begin(), kDirectives.end(), word) != kDirectives.end();
}

// The first of `characters` outside of $(…), or npos.
std::size_t find_outside(std::string_view text, std::string_view characters) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text.substr(i).starts_with("$("))
      depth++;
    else if (text[i] == ')' && depth > 0)
      depth--;
    else if (depth == 0 && characters.find(text[i]) != std::string_view::npos)
      return i;
  }
  return std::string_view::npos;
}

// The value with \# as #, as Make has it: backslashes before a # are halved, and an odd number of
// them quotes it. Nothing where a comment begins.
std::optional<std::string> without_escapes(std::string_view value) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); i++) {
    const auto end = std::min(value.find_first_not_of('\\', i), value.size());
    const auto backslashes = end - i;
    if (end == value.size() || value[end] != '#') {
      text += value.substr(i, std::max<std::size_t>(backslashes, 1));
      i += std::max<std::size_t>(backslashes, 1) - 1;
      continue;
    }
    const bool begins_word = end == 0 || kBlanks.find(value[end - 1]) != std::string_view::npos;
    if (backslashes % 2 == 0 && begins_word) return std::nullopt;
    text.append(backslashes / 2, '\\').append("#");
    i = end;
  }
  return text;
}

// Whether it is UTF-8 as JSON and Python have it: the shortest form, no surrogates.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const auto lead = byte(i);
    const std::size_t size = lead < 0x80                   ? 1
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
    if (size == 0) return false;
    for (std::size_t j = 1; j < size; j++) {
      if ((byte(i + j) & 0xc0U) != 0x80U) return false;
    }
    const auto second = byte(i + 1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
      return false;
    i += size;
  }
  return true;
}

std::optional<std::string> control_character(std::string_view line) {
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') return "the line ends with a carriage return; save the file with Unix line ends";
    if ((byte < ' ' && c != '\t') || byte == 0x7f)
      return "a control character (" + std::to_string(byte) + "); remove it";
  }
  return std::nullopt;
}

class Parser {
 public:
  Parser(const std::string& path, Problems& problems) : path_(path), problems_(problems) {}

  void line(std::string_view text, int number) {
    number_ = number;
    if (const auto problem = control_character(text)) return say(*problem);
    if (!is_utf8(text)) return say("not UTF-8; save the file as UTF-8");
    const auto content = trimmed(text);
    if (content.empty() || content.front() == '#') return;
    if (text.front() == '\t')
      return say("a line that begins with a tab; what a build does belongs into its build script");
    if (is_directive(words(content).front()))
      return say(
          "'" + std::string(words(content).front()) +
          "' is not for a recipe; a condition is part of a name: configure-$(CONFIG_X) += …");
    const auto equals = find_outside(content, "=");
    if (equals == std::string_view::npos)
      return say(find_outside(content, ":") == std::string_view::npos
                     ? "this is no assignment; write name = value"
                     : "a rule; what a build does belongs into its build script");
    assign(content, equals);
  }

  std::vector<Assignment> take() { return std::move(found_); }

 private:
  void say(const std::string& what) { problems_.add({path_, number_}, what); }

  void assign(std::string_view content, std::size_t equals) {
    auto name = content.substr(0, equals);
    const auto operators = std::string_view("+:?!");
    std::string_view before;
    while (!name.empty() && operators.find(name.back()) != std::string_view::npos) {
      before = content.substr(name.size() - 1, equals - name.size() + 1);
      name.remove_suffix(1);
    }
    name = trimmed(name);
    if (!before.empty() && before != "+" && before != ":")
      return say("'" + std::string(before) + "=' is not for a recipe; write = or +=");
    if (name.empty()) return say("there is no name before the =; write name = value");
    if (find_outside(name, kBlanks) != std::string_view::npos)
      return say("'" + std::string(name) + "' is not one name; write name = value");
    auto value = without_escapes(trimmed(content.substr(equals + 1)));
    if (!value) return say("a comment has a line of its own; a # that is meant is written \\#");
    found_.push_back({std::string(name), before == "+", std::move(*value), number_});
  }

  const std::string& path_;
  Problems& problems_;
  int number_ = 0;
  std::vector<Assignment> found_;
};

}  // namespace

std::vector<Assignment> parse_assignments(const std::string& path, std::string_view text,
                                          Problems& problems) {
  Parser parser(path, problems);
  std::string whole;  // of the lines so far that a backslash continues
  int number = 0;
  int first = 0;
  for (auto line : lines(text)) {
    number++;
    if (first == 0) first = number;
    if (line.ends_with('\\') && !trimmed(whole + std::string(line)).starts_with('#')) {
      line.remove_suffix(1);
      whole += std::string(line) + " ";
      continue;
    }
    parser.line(whole + std::string(line), first);
    whole.clear();
    first = 0;
  }
  if (first != 0) problems.add({path, first}, "the last line ends with a backslash; complete it");
  return parser.take();
}

}  // namespace copal
