#include "core/mountinfo.h"

#include <string_view>

#include "core/text.h"

namespace copal {
namespace {

// A blank is written \040, and so on: always three octal digits. `path` is followed by one byte
// more, for the NUL.
void decode(std::span<char> path) {
  size_t to = 0;
  for (size_t from = 0; from < path.size(); ++from) {
    char c = path[from];
    if (c == '\\' && from + 3 < path.size()) {
      c = static_cast<char>((path[from + 1] - '0') * 64 + (path[from + 2] - '0') * 8 +
                            (path[from + 3] - '0'));
      from += 3;
    }
    path[to++] = c;
  }
  *(path.data() + to) = '\0';
}

}  // namespace

size_t mount_points(std::span<char> text, std::span<const char*> paths) {
  std::string_view rest(text.data(), text.size());
  size_t count = 0;
  while (!rest.empty() && count < paths.size()) {
    std::string_view line = take_line(rest);
    for (int field = 0; field < 4; ++field) (void)take_word(line);
    const std::string_view path = take_word(line);
    // A whole line has more behind it.
    if (path.empty() || line.empty()) continue;
    const auto at = static_cast<size_t>(path.data() - text.data());
    decode(text.subspan(at, path.size()));
    paths[count++] = text.data() + at;
  }
  return count;
}

}  // namespace copal
