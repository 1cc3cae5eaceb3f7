#include "metadata/choice.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "metadata/provider.h"

namespace copal::metadata {
namespace {

// Those of RFC 3986 that need no encoding, and the colon of a MAC address, which it allows in a
// path and in a query.
bool plain(char c) {
  const auto in = [c](char low, char high) { return c >= low && c <= high; };
  return in('a', 'z') || in('A', 'Z') || in('0', '9') ||
         std::string_view("-._~:").find(c) != std::string_view::npos;
}

void add_encoded(std::string& url, std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : value) {
    if (plain(c)) {
      url += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    url += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
}

const std::string* find_fact(const Facts& facts, std::string_view name) {
  if (name == "mac") return &facts.mac;
  if (name == "uuid") return &facts.uuid;
  if (name == "serial") return &facts.serial;
  if (name == "hostname") return &facts.hostname;
  return nullptr;
}

// The words of a line, tabs being blanks.
template <size_t kCount>
std::array<std::string_view, kCount> fields(std::string_view line) {
  std::array<std::string_view, kCount> words;
  for (std::string_view& word : words) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    word = line.substr(0, line.find_first_of(" \t"));
    line.remove_prefix(word.size());
  }
  return words;
}

bool all_zero(std::string_view text) {
  return !text.empty() && text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::optional<Source> parse_source(std::string_view value) {
  if (value.empty() || value == "auto") return Source::automatic;
  if (value == "none") return Source::none;
  if (value == "fw_cfg") return Source::fw_cfg;
  if (value == "smbios") return Source::smbios;
  if (value == "disk") return Source::disk;
  if (find_provider(value)) return Source::cloud;
  if (value.starts_with("http://") || value.starts_with("https://")) return Source::url;
  return {};
}

std::string_view host_label(std::string_view name) {
  const std::string_view label = name.substr(0, name.find_first_of(".\r\n"));
  const bool valid = valid_domain(label) && label.find('_') == std::string_view::npos;
  return valid ? label : std::string_view();
}

std::optional<std::string> substitute(std::string_view url, const Facts& facts,
                                      std::string& problem) {
  std::string result;
  while (true) {
    const size_t begin = url.find("${");
    result.append(url.substr(0, begin));
    if (begin == std::string_view::npos) return result;
    const size_t end = url.find('}', begin);
    const std::string_view name = url.substr(begin + 2, end - begin - 2);
    const std::string* const fact = find_fact(facts, name);
    if (end == std::string_view::npos || !fact) {
      problem =
          "${" + std::string(name) + "} is not one of ${mac}, ${uuid}, ${serial}, ${hostname}";
      return {};
    }
    if (fact->empty()) {
      problem = "this machine has no ${" + std::string(name) + "} of its own";
      return {};
    }
    add_encoded(result, *fact);
    url.remove_prefix(end + 1);
  }
}

std::string_view default_link(std::string_view ipv4_routes, std::string_view ipv6_routes) {
  // Link, destination, gateway, flags, three counters, mask. The best metric comes first.
  while (!ipv4_routes.empty()) {
    const auto words = fields<8>(take_line(ipv4_routes));
    if (all_zero(words[1]) && all_zero(words[7])) return words[0];
  }
  // Destination, its prefix, source, its prefix, next hop, metric, two counters, flags, link. The
  // kernel lists an unreachable default route of lo as well.
  while (!ipv6_routes.empty()) {
    const auto words = fields<10>(take_line(ipv6_routes));
    if (all_zero(words[0]) && words[1] == "00" && words[9] != "lo") return words[9];
  }
  return {};
}

}  // namespace copal::metadata
