// The files of the repository that a build is to see: what each is (a script, a patch, a file, a
// folder, a link), where it is put for the build, and its bytes by their hash. Nothing is
// guessed from names later on.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "problems.h"
#include "result.h"

namespace copal {

struct Content {
  std::string role;    // engine, script, patch, file, folder or link
  std::string to;      // below the work folder of the build
  std::string detail;  // SHA-256 of the bytes; target of a link; empty for a folder
  bool executable = false;
  std::string from;  // where the bytes are now
};

// A line of an inputs file, and back.
std::string content_line(const Content& content);
Result<Content> parse_content(std::string_view line);
bool is_content(std::string_view line);

// Reads what packages name. A path is read once, however many packages share it.
class Contents {
 public:
  // A script of ours, of which only what is executed counts: its comments may change.
  Status script(const std::string& role, const std::string& path, const std::string& to,
                std::vector<Content>& all);
  // A file, or a folder with all in it but the left-overs of editors.
  Status path(const std::string& role, const std::string& path, const std::string& to,
              std::vector<Content>& all);
  // A working tree of somebody's own: what its git does not ignore, or all of it without git.
  Status work_tree(const std::string& path, const std::string& to, std::vector<Content>& all);

 private:
  Status add(Content content, mode_t mode, std::vector<Content>& all);
  Result<std::string> hash(const std::string& path, bool stripped);
  std::map<std::pair<std::string, bool>, std::string> known_;  // path, stripped? → hash
};

// The bytes of a content as the build is to see them, read anew.
Result<std::string> bytes_of(const Content& content);

}  // namespace copal
