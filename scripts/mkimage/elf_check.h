// What the image asks of every ELF file, told from its bytes alone: hardened, stripped, of the
// right machine and without traces of where it was built. Every finding is named by a check, so
// that it can be allowed by name.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "result.h"

namespace copal {

// needed, interp and setuid are checked where the whole image is known: see inspect.h.
constexpr std::array<std::string_view, 15> kElfChecks = {
    "malformed", "machine", "type",  "pie",        "relro",  "bind-now", "textrel", "rpath",
    "stack",     "wx",      "strip", "build-path", "needed", "interp",   "setuid",
};

struct Finding {
  std::string check;
  std::string what;
};

struct Elf {
  std::string interpreter;
  std::vector<std::string> needed;
  std::vector<Finding> findings;
};

std::optional<std::uint16_t> machine_of(std::string_view bytes);  // of a program: EM_X86_64, …
bool is_elf(std::string_view bytes);
Elf inspect_elf(std::string_view bytes, std::uint16_t machine);

}  // namespace copal
