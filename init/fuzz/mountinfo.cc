// /proc/self/mountinfo.
#include "core/mountinfo.h"

#include <array>
#include <cstring>
#include <string>

#include "fuzz.h"

namespace copal {

void fuzz(std::string_view input) {
  std::string text(input);
  std::array<const char*, 16> paths{};
  const size_t count = mount_points(text, paths);
  hold(count <= paths.size());
  for (size_t i = 0; i < count; ++i) {
    hold(paths[i] >= text.data() && paths[i] + std::strlen(paths[i]) < text.data() + text.size());
  }
}

}  // namespace copal
