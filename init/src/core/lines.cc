#include "core/lines.h"

namespace copal {
namespace {

// Where the first byte is that is no part of a printable character.
size_t unprintable(std::string_view line) {
  size_t at = 0;
  while (at < line.size()) {
    const size_t length = printable(line.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

}  // namespace

Line describe(const Place& place) {
  if (place.line != 0) return Line(place.file, ":", place.line, ":", place.column, ": ");
  return place.file.empty() ? Line() : Line(place.file, ": ");
}

void report(Reporter& reporter, std::string_view file, std::string_view message) {
  Place place;
  place.file = file;
  reporter.problem(place, message);
}

Line unknown(std::string_view what, std::string_view name, const Suggestion& suggestion) {
  Line message("unknown ", what, " '", name, "'");
  if (!suggestion.best().empty()) message.add(": did you mean '").add(suggestion.best()).add("'?");
  return message;
}

Lines::Lines(std::span<const KeyRow> keys, std::string_view file, std::string_view text,
             Reporter& reporter)
    : keys_(keys), rest_(text), reporter_(reporter) {
  place_.file = file;
  if (text.size() <= kMaxFile) return;
  file_error(Line("longer than ", kMaxFile, " bytes"));
  rest_ = {};
}

Place Lines::place(const Word& word) const {
  Place place = place_;
  place.column = word.column;
  place.length = static_cast<uint32_t>(word.text.size());
  return place;
}

void Lines::error(const Word& word, const Line& message) {
  bad_ = true;
  reporter_.problem(place(word), message.text());
}

void Lines::file_error(const Line& message) {
  Place place;
  place.file = place_.file;
  bad_ = true;
  reporter_.problem(place, message.text());
}

bool Lines::read(const Word& word, Duration& value) {
  const auto parsed = parse_duration(word.text);
  if (parsed) {
    value = *parsed;
  } else {
    error(word, Line("'", word.text, "' is not a time: write a number and ms, s, m or h"));
  }
  return parsed.has_value();
}

bool Lines::read_size(const Word& word, uint64_t& bytes) {
  const auto parsed = parse_size(word.text);
  if (parsed) {
    bytes = *parsed;
  } else {
    error(word, Line("'", word.text, "' is not a size: write a number and K, M, G, T, P or E"));
  }
  return parsed.has_value();
}

bool Lines::unknown_word(const Word& word, std::span<const std::string_view> names) {
  Suggestion suggestion(word.text);
  for (const std::string_view name : names) suggestion.offer(name);
  error(word, unknown("word", word.text, suggestion));
  return false;
}

// Splits the line from offset `from` on into words_. False: something is wrong, and reported.
bool Lines::split_words(size_t from) {
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

// True: there is a setting, and it is good.
bool Lines::parse_line() {
  const std::string_view line = place_.text;
  const size_t start = line.find_first_not_of(' ');
  if (start == std::string_view::npos || line[start] == '#') return false;

  const size_t end = std::min(line.find_first_of(" =", start), line.size());
  const Word name{line.substr(start, end - start), static_cast<uint32_t>(start + 1)};
  const size_t equals = line.find_first_not_of(' ', end);
  if (equals == std::string_view::npos || line[equals] != '=') {
    error(name, Line("expected `key = words`"));
    return false;
  }
  const auto same = [&](const KeyRow& row) { return row.name == name.text; };
  const auto row = std::find_if(keys_.begin(), keys_.end(), same);
  if (row == keys_.end()) {
    Suggestion suggestion(name.text);
    for (const KeyRow& known : keys_) suggestion.offer(known.name);
    error(name, unknown("key", name.text, suggestion));
    return false;
  }
  key_ = static_cast<size_t>(row - keys_.begin());
  if (seen_[key_] && !row->repeats) {
    error(name, Line("`", row->name, "` is given twice"));
    return false;
  }
  seen_[key_] = true;
  if (!split_words(equals + 1)) return false;
  if (word_count_ >= row->fewest && word_count_ <= row->most) return true;
  error(name, Line("expected ", row->name, " = ", row->usage));
  return false;
}

bool Lines::next() {
  while (!rest_.empty()) {
    place_.text = take_line(rest_);
    ++place_.line;
    if (place_.text.size() > kMaxLine) {
      place_.text = place_.text.substr(0, kMaxLine);
      error(Word{{}, 1}, Line("longer than ", kMaxLine, " bytes"));
      continue;
    }
    const size_t at = unprintable(place_.text);
    if (at < place_.text.size()) {
      const char* const hint = place_.text[at] == '\t' ? ": use spaces, not tabs" : "";
      error(Word{{}, static_cast<uint32_t>(at + 1)}, Line("not a printable character", hint));
      continue;
    }
    if (parse_line()) return true;
  }
  return false;
}

}  // namespace copal
