// The manifest of a store entry; see manifest.h.
#include "manifest.h"

#include <array>

#include "text.h"

namespace copal {
namespace {

constexpr std::string_view kHeader = "copal-manifest 1 ";

Result<ManifestLine> parse_line(std::string_view line) {
  std::array<std::string_view, 5> fields;
  for (std::size_t i = 0; i + 1 < fields.size(); i++) {
    const auto end = line.find('\t');
    if (end == std::string_view::npos) return Error{"too few fields"};
    fields.at(i) = line.substr(0, end);
    line.remove_prefix(end + 1);
  }
  fields.back() = line;
  const auto& [path, type, mode, size, detail] = fields;

  const auto mode_value = number(mode, 8);
  const auto size_value = number(size);
  auto path_value = unescape(path);
  auto detail_value = unescape(detail);
  if (!path.starts_with('/') || !path_value || type.size() != 1 ||
      std::string_view("dfl").find(type) == std::string_view::npos || !mode_value || !size_value ||
      !detail_value || detail.empty())
    return Error{"a field is wrong"};
  return ManifestLine{std::move(*path_value), type.front(), static_cast<unsigned>(*mode_value),
                      *size_value, std::move(*detail_value)};
}

}  // namespace

std::string write_manifest(const Manifest& manifest) {
  std::string text(kHeader);
  text += std::to_string(manifest.mtime) + "\n";
  for (const auto& line : manifest.paths) {
    text += escape(line.path) + "\t" + line.type + "\t" + octal(line.mode) + "\t" +
            std::to_string(line.size) + "\t" + escape(line.detail) + "\n";
  }
  return text;
}

Result<Manifest> parse_manifest(std::string_view text) {
  const auto all = lines(text);
  const auto mtime = all.empty() || !all.front().starts_with(kHeader)
                         ? std::nullopt
                         : number(all.front().substr(kHeader.size()));
  if (!mtime || !text.ends_with('\n'))
    return Error{"manifest is empty, cut short or of another format"};
  Manifest manifest;
  manifest.mtime = static_cast<std::int64_t>(*mtime);
  manifest.paths.reserve(all.size() - 1);
  for (std::size_t i = 1; i < all.size(); i++) {
    auto line = parse_line(all[i]);
    if (!line) return Error{"manifest line " + std::to_string(i + 1) + ": " + line.error().what};
    if (!manifest.paths.empty() && manifest.paths.back().path >= line->path)
      return Error{"manifest line " + std::to_string(i + 1) + ": not sorted"};
    manifest.paths.push_back(std::move(*line));
  }
  if (manifest.paths.empty() || manifest.paths.front().path != "/")
    return Error{"manifest does not begin with the root of the tree"};
  return manifest;
}

}  // namespace copal
