// What the tests of the host tools share: a scratch folder that goes away, files in it, programs
// run, and a store entry made in one line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace copal::test {

constexpr std::int64_t kEpoch = 1735689600;

class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  // Makes the folders on the way too. Gives the path.
  std::string write(const std::string& name, const std::string& content, mode_t mode = 0644) const;
  std::string folder(const std::string& name) const;
  std::string link(const std::string& name, const std::string& target) const;

 private:
  std::string path_;
};

// Another working folder, as long as it lives.
class Inside {
 public:
  explicit Inside(const std::string& folder);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  std::filesystem::path before_;
};

struct Ran {
  int code = -1;
  std::string output;  // both standard output and standard error
};
Ran run(const std::string& command);  // by the shell

std::string content_of(const std::string& path);
bool exists(const std::string& path);
// Is `part` in the text?
::testing::AssertionResult says(const std::string& text, const std::string& part);
std::string replaced(std::string text, const std::string& from, const std::string& to);

// A sealed entry with these files: <scratch>/store/<entry>. Gives its tree.
std::string make_entry(const Scratch& scratch, const std::string& entry,
                       const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace copal::test
