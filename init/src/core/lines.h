// The form of every file that a person writes for a machine: `key = words`, one to a line. It is
// meant to be impossible to misread: an empty line, a comment (# at its start) or a setting. Words
// are separated by spaces; "..." keeps spaces. There are no variables, includes, continuations or
// sections; a key may repeat only if its table says so; every character shows.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/text.h"
#include "core/time.h"

namespace copal {

inline constexpr size_t kMaxFile = 64 * 1024;
inline constexpr size_t kMaxLine = 1024;
inline constexpr size_t kMaxWords = 64;
inline constexpr size_t kMaxKeys = 64;

// A place in a file. Lines and columns count from 1; line 0 means the file as a whole.
struct Place {
  std::string_view file;
  std::string_view text;  // the line itself, for the caret
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t length = 0;
};

// "file:line:column: ", "file: ", or nothing: what a message begins with.
Line describe(const Place& place);

class Reporter {
 public:
  virtual void problem(const Place& place, std::string_view message) = 0;

 protected:
  ~Reporter() = default;
};

// Of a whole file.
void report(Reporter& reporter, std::string_view file, std::string_view message);

struct Word {
  std::string_view text;
  uint32_t column = 0;
  bool quoted = false;
};
using Words = std::span<const Word>;

// What a kind of file may say. `usage` is for messages.
struct KeyRow {
  std::string_view name;
  size_t fewest;
  size_t most;
  bool repeats;
  std::string_view usage;
  bool escapes = false;  // in its quotes, \ has a meaning: \" \\ \n \t
};

// "unknown WHAT 'NAME': did you mean 'BEST'?"
Line unknown(std::string_view what, std::string_view name, const Suggestion& suggestion);

// Reads one file. The text has to last as long as this, and as the words that are kept of it.
class Lines {
 public:
  Lines(std::span<const KeyRow> keys, std::string_view file, std::string_view text,
        Reporter& reporter);

  // Goes on to the next good line, and reports those that are not. False: the end.
  bool next();
  // Of the line: the index of its key in the table, and what follows the `=`.
  [[nodiscard]] size_t key() const { return key_; }
  [[nodiscard]] Words words() const { return Words(words_.data(), word_count_); }

  [[nodiscard]] bool seen(size_t key) const { return seen_[key].line != 0; }
  // Something was reported.
  [[nodiscard]] bool bad() const { return bad_; }

  [[nodiscard]] Place place(const Word& word) const;
  void error(const Word& word, const Line& message);
  // Of what this key says, wherever that is; of the file, if it is not there.
  void key_error(size_t key, const Line& message);
  void file_error(const Line& message);

  // A word of a certain kind. False: it is none, which has been reported.
  bool read(const Word& word, Duration& value);
  bool read_number(const Word& word, long low, long high, auto& value) {
    const auto number = parse_number(word.text, low, high);
    if (number) {
      value = static_cast<std::remove_reference_t<decltype(value)>>(*number);
    } else {
      error(word, Line("expected a number from ", low, " to ", high));
    }
    return number.has_value();
  }
  bool read_size(const Word& word, uint64_t& bytes);
  // The value's number is the name's place in the list.
  template <typename Value, size_t n>
  bool choose(const Word& word, const std::array<std::string_view, n>& names, Value& value) {
    const auto found = std::find(names.begin(), names.end(), word.text);
    if (found == names.end()) return unknown_word(word, names);
    value = static_cast<Value>(found - names.begin());
    return true;
  }

 private:
  bool parse_line();
  bool split_words(size_t from, bool escapes);
  bool quoted(Word& word, bool escapes);
  bool unknown_word(const Word& word, std::span<const std::string_view> names);

  std::span<const KeyRow> keys_;
  std::string_view rest_;
  Reporter& reporter_;
  Place place_;                         // the line being read
  std::array<Place, kMaxKeys> seen_{};  // where each key is; the last, if it repeats
  std::array<Word, kMaxWords> words_;
  size_t word_count_ = 0;
  size_t key_ = 0;
  bool bad_ = false;
};

}  // namespace copal
