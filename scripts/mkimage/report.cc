// What is written beside an image; see report.h.
#include "report.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "text.h"

namespace copal {
namespace {

std::string detail(const Item& item) {
  switch (item.type) {
    case 'f': return item.sha256;
    case 'l': return escape(item.target);
    case 'd': return "-";
    default: return std::to_string(item.major) + ":" + std::to_string(item.minor);
  }
}

// 12,345,678
std::string grouped(std::uint64_t value) {
  const auto digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); i++) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  const auto tenths = whole == 0 ? 0 : (part * 1000 + whole / 2) / whole;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "%";
}

// The first column to the left, the others to the right.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); i++) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    text += row[0] + std::string(widths[0] - row[0].size(), ' ');
    for (std::size_t i = 1; i < row.size(); i++)
      text += "  " + std::string(widths[i] - row[i].size(), ' ') + row[i];
    text += "\n";
  }
  return text;
}

struct Total {
  std::string name;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

void largest_first(std::vector<Total>& totals) {
  std::sort(totals.begin(), totals.end(), [](const Total& a, const Total& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
  });
}

}  // namespace

std::string image_manifest(const Image& image) {
  std::string text;
  for (const auto& [path, item] : image) {
    text += escape(path) + "\t" + item.type + "\t" + octal(item.mode) + "\t" +
            std::to_string(item.uid) + "\t" + std::to_string(item.gid) + "\t" +
            std::to_string(item.size) + "\t" + detail(item) + "\t" + item.owner + "\n";
  }
  return text;
}

std::string size_report(const Image& image) {
  static constexpr std::size_t kFilesShown = 20;
  Total whole;
  std::map<std::string, Total> by_owner;
  std::vector<Total> files;
  for (const auto& [path, item] : image) {
    if (item.type != 'f') continue;
    auto& owner = by_owner[item.owner];
    owner.name = item.owner;
    for (auto* total : {&whole, &owner}) {
      total->files++;
      total->bytes += item.size;
    }
    files.push_back({path, 1, item.size});
  }
  std::vector<Total> owners;
  owners.reserve(by_owner.size());
  for (const auto& [name, total] : by_owner) owners.push_back(total);
  largest_first(owners);
  largest_first(files);

  std::vector<std::vector<std::string>> rows = {{"PACKAGE", "FILES", "BYTES", "SHARE"}};
  for (const auto& total : owners)
    rows.push_back({total.name, grouped(total.files), grouped(total.bytes),
                    percent(total.bytes, whole.bytes)});
  rows.push_back(
      {"all", grouped(whole.files), grouped(whole.bytes), percent(whole.bytes, whole.bytes)});
  std::string text = table(rows) + "\n";

  rows = {{"LARGEST FILES", "BYTES", "SHARE", "PACKAGE"}};
  for (const auto& file : files) {
    if (rows.size() > kFilesShown) break;
    rows.push_back({escape(file.name), grouped(file.bytes), percent(file.bytes, whole.bytes),
                    image.at(file.name).owner});
  }
  return text + table(rows);
}

}  // namespace copal
