#include "metadata/tree.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>

namespace copal::metadata {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kFolderMode = 0750;

bool valid_file_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName || name == "." || name == "..") return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return c == '/' || c == 0x7f || static_cast<unsigned char>(c) < 0x20;
  });
}

std::optional<mode_t> parse_mode(std::string_view text) {
  if (text.empty() || text.size() > 4) return {};
  mode_t mode = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '7') return {};
    mode = mode * 8 + static_cast<mode_t>(digit - '0');
  }
  return mode <= 0777 ? std::optional(mode) : std::nullopt;
}

// What is inside one pair of braces: names with their entries (a folder), or the members of one
// entry.
struct Frame {
  bool names = false;
  std::string key;  // the member that is being read
  std::set<std::string>
      seen;  // JSON lets a name stand twice, and which one counts is anyone's guess
  std::optional<mode_t> mode;
  size_t folder = 0;  // of an entry with `entries`: its place in the tree
};

// Takes the document piece by piece, as the library reads it, so that nothing is ever held that
// was not looked at. A function that returns false ends the reading.
class Reader {
 public:
  Reader(std::string_view document, std::string& problem)
      : document_(document), problem_(problem) {}
  Tree take() { return std::move(tree_); }

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("true or false"); }
  bool number_integer(int64_t) { return unexpected("a number"); }
  bool number_unsigned(uint64_t) { return unexpected("a number"); }
  bool number_float(double, const std::string&) { return unexpected("a number"); }
  bool binary(nlohmann::json::binary_t&) { return unexpected("binary data"); }
  bool start_array(size_t) { return unexpected("an array"); }
  bool end_array() { return true; }
  bool string(std::string& text);
  bool start_object(size_t);
  bool end_object();
  bool key(std::string& key);
  bool refuse_at(size_t at);
  bool parse_error(size_t at, const std::string&, const nlohmann::json::exception&);

 private:
  bool fail(std::string_view what);
  bool unexpected(std::string_view what);
  bool add(bool folder, std::string content);
  [[nodiscard]] std::string pointer() const;
  [[nodiscard]] std::string path() const;
  [[nodiscard]] size_t depth() const { return (frames_.size() + 1) / 2; }

  std::string_view document_;
  std::string& problem_;
  std::vector<Frame> frames_;  // names, entry, names, entry…
  Tree tree_;
  std::string content_;  // of the file that is being read
};

std::string Reader::pointer() const {
  std::string text;
  for (const Frame& frame : frames_) {
    text += '/';
    for (const char c : frame.key.substr(0, kMaxName)) {
      if (c == '~' || c == '/') {
        text += c == '~' ? "~0" : "~1";
      } else {  // it goes to a log
        text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
      }
    }
  }
  return text;
}

std::string Reader::path() const {
  std::string text;
  for (const Frame& frame : frames_) {
    if (!frame.names) continue;
    if (!text.empty()) text += '/';
    text += frame.key;
  }
  return text;
}

bool Reader::fail(std::string_view what) {
  const std::string where = pointer();
  problem_ = where.empty() ? "the document" : where;
  problem_.append(": ").append(what);
  return false;
}

bool Reader::unexpected(std::string_view what) {
  const bool text = !frames_.empty() && !frames_.back().names && frames_.back().key != "entries";
  return fail(std::string("is ").append(what) + ", not " + (text ? "a string" : "an object"));
}

bool Reader::add(bool folder, std::string content) {
  if (tree_.size() == kMaxNodes) return fail("is more than 1000 files and folders");
  tree_.push_back({path(), folder, folder ? kFolderMode : kFileMode, std::move(content)});
  return true;
}

bool Reader::string(std::string& text) {
  if (frames_.empty() || frames_.back().names || frames_.back().key == "entries") {
    return unexpected("a string");
  }
  Frame& entry = frames_.back();
  if (entry.key == "content") {
    content_ = std::move(text);
    return true;
  }
  entry.mode = parse_mode(text);
  return entry.mode || fail("is not an octal mode up to \"0777\"");
}

bool Reader::start_object(size_t) {
  if (frames_.empty() || frames_.back().names) {
    const bool names = frames_.empty();
    frames_.emplace_back().names = names;
    return true;
  }
  if (frames_.back().key != "entries") return unexpected("an object");
  if (depth() == kMaxDepth) return fail("is more than 8 folders deep");
  frames_.back().folder = tree_.size();
  if (!add(true, {})) return false;
  frames_.emplace_back().names = true;
  return true;
}

bool Reader::key(std::string& key) {
  Frame& frame = frames_.back();
  frame.key = key;
  if (!frame.seen.insert(key).second) return fail("is there twice");
  if (frame.names) return valid_file_name(key) || fail("is no name for a file");
  return key == "content" || key == "perm" || key == "entries" ||
         fail("is not one of content, entries and perm");
}

bool Reader::end_object() {
  const Frame frame = std::move(frames_.back());
  frames_.pop_back();
  if (frame.names || frame.seen.empty()) return true;  // LinuxKit's packer leaves {} of a folder
  const bool file = frame.seen.contains("content");
  if (file == frame.seen.contains("entries")) return fail("has to have content or entries");
  const size_t node = file ? tree_.size() : frame.folder;
  if (file && !add(false, std::move(content_))) return false;
  if (frame.mode) tree_[node].mode = *frame.mode;
  return true;
}

// The library's own message quotes the document, which may hold secrets, and this goes to a log.
bool Reader::parse_error(size_t at, const std::string&, const nlohmann::json::exception&) {
  return refuse_at(at);
}

bool Reader::refuse_at(size_t at) {
  const std::string_view read = document_.substr(0, at > 0 ? at - 1 : 0);
  const auto lines = std::count(read.begin(), read.end(), '\n');
  const size_t begin = read.rfind('\n') + 1;  // npos + 1 is 0
  return fail("is not JSON at line " + std::to_string(lines + 1) + ", column " +
              std::to_string(read.size() - begin + 1));
}

}  // namespace

Form form_of(std::string_view text) {
  if (text.starts_with("\x1f\x8b")) return Form::packed;
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return Form::nothing;
  text.remove_prefix(begin);
  const bool mime = text.starts_with("Content-Type:") || text.starts_with("MIME-Version:");
  return mime || text[0] == '#' ? Form::foreign : Form::document;
}

bool is_json(std::string_view text) {
  return text.find('\0') == std::string_view::npos && nlohmann::json::accept(text);
}

std::optional<Tree> parse_tree(std::string_view document, std::string& problem) {
  if (document.size() > kMaxDocument) {
    problem = "the document: is larger than 1 MiB";
    return {};
  }
  Reader reader(document, problem);
  if (!nlohmann::json::sax_parse(document.begin(), document.end(), &reader)) return {};
  // To the library a NUL is the end, whatever comes behind it.
  const size_t nul = document.find('\0');
  if (nul != std::string_view::npos) {
    (void)reader.refuse_at(nul + 1);
    return {};
  }
  return reader.take();
}

}  // namespace copal::metadata
