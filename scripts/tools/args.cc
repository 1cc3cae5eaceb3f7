// Command lines of the host tools; see args.h.
#include "args.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "text.h"

namespace copal {

Result<Args> Args::parse(const std::vector<std::string>& words,
                         const std::vector<std::string>& options,
                         const std::vector<std::string>& flags) {
  const auto in = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  Args args;
  for (std::size_t i = 0; i < words.size(); i++) {
    if (!words[i].starts_with("--")) {
      args.words_.push_back(words[i]);
      continue;
    }
    const auto name = words[i].substr(2);
    if (in(flags, name)) {
      args.values_[name].emplace_back();
    } else if (!in(options, name)) {
      return Error{"unknown option --" + name};
    } else if (i + 1 == words.size()) {
      return Error{"option --" + name + " needs a value"};
    } else {
      args.values_[name].push_back(words[++i]);
    }
  }
  return args;
}

std::string Args::get(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second.back();
}

std::vector<std::string> Args::all(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

Status Args::require(const std::vector<std::string>& names) const {
  for (const auto& name : names) {
    if (get(name).empty()) return Error{"option --" + name + " is missing"};
  }
  return Ok{};
}

Result<std::int64_t> source_date_epoch() {
  const char* text = std::getenv(
      "SOURCE_DATE_EPOCH");  // NOLINT(concurrency-mt-unsafe): read before any thread starts
  const auto value = text == nullptr ? std::nullopt : number(text);
  if (!value || *value > 0xffffffffU)
    return Error{"SOURCE_DATE_EPOCH is not set to a number of seconds since 1970"};
  return static_cast<std::int64_t>(*value);
}

int fail(std::string_view tool, const Error& error) {
  std::cerr << tool << ": " << error.what << '\n';
  return 1;
}

int usage(std::string_view text) {
  std::cerr << text;
  return 2;
}

}  // namespace copal
