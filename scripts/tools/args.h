// Command lines of the host tools: `--name value` options, each of which may be given more than
// once, flags
// (`--name`), and words.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "result.h"

namespace copal {

class Args {
 public:
  // `options` take a value, `flags` do not; anything else that begins with -- is an error.
  static Result<Args> parse(const std::vector<std::string>& words,
                            const std::vector<std::string>& options,
                            const std::vector<std::string>& flags);

  bool has(const std::string& name) const { return values_.contains(name); }
  std::string get(const std::string& name) const;  // the last one given, or ""
  std::vector<std::string> all(const std::string& name) const;
  const std::vector<std::string>& words() const { return words_; }
  Status require(const std::vector<std::string>& names) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> words_;
};

Result<std::int64_t> source_date_epoch();  // from the environment

int fail(std::string_view tool,
         const Error& error);      // prints the message and gives the exit code 1
int usage(std::string_view text);  // prints it on stderr and gives the exit code 2

}  // namespace copal
