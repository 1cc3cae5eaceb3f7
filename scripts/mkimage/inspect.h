// The checks on an image's content. Each file is looked at once, when it is packed; what concerns
// the image as a whole (libraries and interpreters that must be present) follows at the end, and so
// do the reasoned exceptions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "elf_check.h"
#include "image.h"
#include "spec.h"

namespace copal {

class Inspection {
 public:
  Inspection(const Image& image, std::uint16_t machine) : image_(image), machine_(machine) {}

  void file(const std::string& path, const Item& item, std::string_view content);

  // Every problem found that is not allowed, and every exception that is not needed.
  std::vector<std::string> finish(const std::vector<AllowSpec>& allows);

  // Follows links within the image; nothing when the path leads nowhere.
  const std::string* resolve(const std::string& path) const;

 private:
  struct Linked {
    std::string interpreter;
    std::vector<std::string> needed;
  };
  void find(const std::string& path, std::string_view check, const std::string& what);
  void check_libraries(const std::string& path, const Linked& linked);
  bool has_library(const std::string& name) const;

  const Image& image_;
  std::uint16_t machine_;
  std::map<std::string, Linked> linked_;
  std::map<std::string, std::vector<Finding>> findings_;
};

}  // namespace copal
