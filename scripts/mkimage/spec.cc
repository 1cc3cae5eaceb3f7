// The image specification; see spec.h.
#include "spec.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "elf_check.h"
#include "text.h"

namespace copal {
namespace {

using Words = std::vector<std::string>;

// "/usr/bin", without a slash at the end.
Result<std::string> image_path(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const auto parts = split(path, '/');
  const bool odd =
      path != "/" && std::any_of(parts.begin() + 1, parts.end(), [](std::string_view part) {
        return part.empty() || part == "." || part == "..";
      });
  if (!path.starts_with('/') || odd)
    return Error{"'" + path +
                 "' is not a path of the image: it begins with / and has no //, . or .."};
  return path;
}

Result<unsigned> file_mode(const std::string& text) {
  const auto mode = number(text, 8);
  if (!mode || *mode > 07777) return Error{"'" + text + "' is not a mode such as 0755"};
  return static_cast<unsigned>(*mode);
}

Result<std::uint32_t> small_number(const std::string& text) {
  const auto value = number(text);
  if (!value || *value > std::numeric_limits<std::uint32_t>::max())
    return Error{"'" + text + "' is not a number"};
  return static_cast<std::uint32_t>(*value);
}

class Parser {
 public:
  Status statement(std::string_view line, std::size_t line_number) {
    line_number_ = line_number;
    Words parts;
    for (const auto word : words(line)) {
      auto raw = unescape(word);
      if (!raw) return Error{"'" + std::string(word) + "' has a backslash that is not \\xHH"};
      parts.push_back(std::move(*raw));
    }
    static constexpr std::array<std::pair<std::string_view, Status (Parser::*)(const Words&)>, 8>
        kStatements{{
            {"package", &Parser::package},
            {"overlay", &Parser::overlay},
            {"dir", &Parser::dir},
            {"link", &Parser::link},
            {"file", &Parser::file},
            {"node", &Parser::node},
            {"owner", &Parser::owner},
            {"allow", &Parser::allow},
        }};
    for (const auto& [name, method] : kStatements) {
      if (parts.front() == name) return (this->*method)(parts);
    }
    return Error{"'" + parts.front() +
                 "' is not package, overlay, dir, link, file, node, owner or allow"};
  }

  Spec take() { return std::move(spec_); }

 private:
  Status package(const Words& parts) {
    if (parts.size() < 3) return Error{"package <name> <tree> [<path>...]"};
    PackageSpec package{parts[1], parts[2], {}};
    for (std::size_t i = 3; i < parts.size(); i++) {
      auto path = image_path(parts[i]);
      if (!path) return path.error();
      package.paths.push_back(std::move(*path));
    }
    spec_.packages.push_back(std::move(package));
    return Ok{};
  }

  Status overlay(const Words& parts) {
    if (parts.size() != 3) return Error{"overlay <label> <folder>"};
    spec_.overlays.push_back({parts[1], parts[2]});
    return Ok{};
  }

  Status add(const std::string& path, Item item) {
    auto checked = image_path(path);
    if (!checked) return checked.error();
    item.owner = "spec";
    spec_.items.emplace_back(std::move(*checked), std::move(item));
    return Ok{};
  }

  Status dir(const Words& parts) {
    if (parts.size() != 3 && parts.size() != 5) return Error{"dir <path> <mode> [<uid> <gid>]"};
    const auto mode = file_mode(parts[2]);
    const auto uid = small_number(parts.size() == 5 ? parts[3] : "0");
    const auto gid = small_number(parts.size() == 5 ? parts[4] : "0");
    if (!mode) return mode.error();
    if (!uid || !gid) return !uid ? uid.error() : gid.error();
    Item item;
    item.mode = *mode;
    item.uid = *uid;
    item.gid = *gid;
    return add(parts[1], std::move(item));
  }

  Status link(const Words& parts) {
    if (parts.size() != 3) return Error{"link <path> <target>"};
    Item item;
    item.type = 'l';
    item.mode = 0777;
    item.target = parts[2];
    item.size = parts[2].size();
    return add(parts[1], std::move(item));
  }

  Status file(const Words& parts) {
    if (parts.size() != 4) return Error{"file <path> <source> <mode>"};
    const auto mode = file_mode(parts[3]);
    if (!mode) return mode.error();
    Item item;
    item.type = 'f';
    item.mode = *mode;
    item.source = parts[2];
    return add(parts[1], std::move(item));
  }

  Status node(const Words& parts) {
    if (parts.size() != 6 || (parts[2] != "c" && parts[2] != "b"))
      return Error{"node <path> c|b <major> <minor> <mode>"};
    const auto major = small_number(parts[3]);
    const auto minor = small_number(parts[4]);
    const auto mode = file_mode(parts[5]);
    if (!major || !minor) return !major ? major.error() : minor.error();
    if (!mode) return mode.error();
    Item item;
    item.type = parts[2].front();
    item.mode = *mode;
    item.major = *major;
    item.minor = *minor;
    return add(parts[1], std::move(item));
  }

  Status owner(const Words& parts) {
    if (parts.size() != 5) return Error{"owner <path> <uid> <gid> <mode>"};
    const auto path = image_path(parts[1]);
    const auto uid = small_number(parts[2]);
    const auto gid = small_number(parts[3]);
    const auto mode = file_mode(parts[4] == "-" ? "0" : parts[4]);
    if (!path) return path.error();
    if (!uid || !gid) return !uid ? uid.error() : gid.error();
    if (!mode) return mode.error();
    spec_.owners.push_back({*path, *uid, *gid, parts[4] != "-", *mode});
    return Ok{};
  }

  Status allow(const Words& parts) {
    if (parts.size() < 5 || parts[3] != "#")
      return Error{"allow <path> <check> # <reason>; the reason is part of it"};
    const auto path = image_path(parts[1]);
    if (!path) return path.error();
    const Words known(kElfChecks.begin(), kElfChecks.end());
    if (std::find(known.begin(), known.end(), parts[2]) == known.end()) {
      const auto guess = nearest(parts[2], known);
      return Error{
          "there is no check '" + parts[2] + "'; " +
          (guess ? "did you mean '" + *guess + "'?" : "the checks are " + join(known, ", "))};
    }
    spec_.allows.push_back({*path, parts[2], line_number_});
    return Ok{};
  }

  Spec spec_;
  std::size_t line_number_ = 0;
};

}  // namespace

Result<Spec> parse_spec(std::string_view text) {
  Parser parser;
  std::size_t line_number = 0;
  for (const auto line : lines(text)) {
    line_number++;
    const auto first = words(line);
    if (first.empty() || first.front().starts_with('#')) continue;
    if (auto status = parser.statement(line, line_number); !status)
      return Error{"line " + std::to_string(line_number) + ": " + status.error().what};
  }
  return parser.take();
}

}  // namespace copal
