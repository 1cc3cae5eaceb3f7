// What is wrong with the files that people write, each with its file and line. All of it is
// gathered before anything is said, so that one run of make shows every mistake, and not only the
// first.
#pragma once

#include <string>
#include <vector>

#include "result.h"

namespace copal {

struct Place {
  std::string path;
  int line = 0;  // 0: the file as a whole
};

class Problems {
 public:
  void add(const Place& place, const std::string& what);
  bool empty() const { return all_.empty(); }
  // As many as fit on a screen, and how many more there are.
  Error error() const;

 private:
  std::vector<std::string> all_;
};

}  // namespace copal
