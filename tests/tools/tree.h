// A repository as small as one can be, in a scratch folder that is the working folder: a sandbox,
// a toolchain, one build system, and packages whose recipes the tests write.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "keying.h"
#include "support.h"

namespace copal::test {

class Tree {
 public:
  Tree();

  // packages/<folder>/<name>.mk, with version and build unless the lines say them.
  void recipe(const std::string& folder, const std::string& name, const std::string& lines);
  // packages/<name>/<name>.mk
  void recipe(const std::string& name, const std::string& lines) { recipe(name, name, lines); }
  void edit(const std::string& path, const std::string& from, const std::string& to) const;

  // Everything that is wrong is in problems().
  Plan plan(const std::vector<std::string>& wanted = {}, bool all = false);
  std::vector<Keyed> keyed();  // of the last plan, which lives as long as the tree does
  std::string problems() const { return said_.empty() ? "" : said_.error().what; }

  // Name → entry of a plan that is right.
  std::map<std::string, std::string> entries();
  Keyed find(const std::string& name);

  Scratch scratch;
  std::map<std::string, std::string> config;       // values of symbols
  std::map<std::string, std::string> environment;  // of builds for the target

 private:
  Inside inside_;
  Variables globals_;
  Plan plan_;
  Problems said_;
};

// The names whose entry in b is another one than in a, or gone.
std::set<std::string> different(const std::map<std::string, std::string>& a,
                                const std::map<std::string, std::string>& b);

}  // namespace copal::test
