#include "sys/config_files.h"

#include <algorithm>
#include <cstring>

#include "sys/dir.h"
#include "sys/kernel.h"

namespace copal::sys {

std::span<ConfigFile> load_config_files(const Fd& root, std::string_view folder, size_t most,
                                        Arena& arena, Reporter& reporter) {
  const std::span<ConfigFile> files = arena.make<ConfigFile>(most);
  size_t count = 0;
  for (const char* parent : {"etc/", "run/config/"}) {
    Dir dir(root, Line(parent, folder).c_str());
    while (const char* name = dir.next()) {
      if (name[0] == '.') continue;
      const std::string_view path = arena.copy(Line("/", parent, folder, "/", name).text());
      if (!valid_domain(name)) {
        report(reporter, path, "a file's name has letters, digits and - _ .");
        continue;
      }
      auto text = load_file(root, path.data() + 1, kMaxFile, arena);
      const ConfigFile file{path.substr(path.rfind('/') + 1), path, *text};
      const auto known = files.first(count);
      const auto same = std::find_if(known.begin(), known.end(),
                                     [&](const ConfigFile& f) { return f.name == file.name; });
      const auto place = static_cast<size_t>(same - known.begin());
      if (!text.ok() || place == files.size()) {
        const Line why(text.error().what, ": ", std::strerror(text.error().code));
        report(reporter, path, text.ok() ? "too many files" : why.text());
        continue;
      }
      files[place] = file;
      count = std::max(count, place + 1);
    }
  }
  std::sort(files.begin(), files.begin() + static_cast<ptrdiff_t>(count),
            [](const ConfigFile& a, const ConfigFile& b) { return a.name < b.name; });
  return files.first(count);
}

}  // namespace copal::sys
