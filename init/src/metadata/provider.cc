#include "metadata/provider.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "metadata/probe.h"

namespace copal::metadata {
namespace {

using nlohmann::json;

constexpr const char* kLinkLocal = "http://169.254.169.254/";

// clang-format off
constexpr std::array kProviders = {
    Provider{.name = "imds", .marks = {{{"sys_vendor", "Amazon EC2"}, {"bios_version", "amazon"}}},
             .base = "http://169.254.169.254/latest/", .header = nullptr, .token = true,
             .document = {"user-data"}, .hostname = {"meta-data/local-hostname"},
             .keys = {"meta-data/public-keys/0/openssh-key"}, .address = {"meta-data/public-ipv4"}},
    // Version 1 tells every process whatever it asks, so that it is used only where it is named.
    Provider{.name = "imds-v1", .marks = {}, .base = "http://169.254.169.254/latest/", .header = nullptr,
             .document = {"user-data"}, .hostname = {"meta-data/local-hostname"},
             .keys = {"meta-data/public-keys/0/openssh-key"}, .address = {"meta-data/public-ipv4"}},
    Provider{.name = "gcp", .marks = {{{"product_name", "Google Compute Engine"}}},
             .base = "http://169.254.169.254/computeMetadata/v1/instance/", .header = "Metadata-Flavor: Google",
             .document = {"attributes/user-data"}, .hostname = {"hostname"},
             .keys = {"attributes/ssh-keys", Reading::user_keys},
             .address = {"network-interfaces/0/access-configs/0/external-ip"}},
    Provider{.name = "azure", .marks = {{{"chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"}}},
             .base = "http://169.254.169.254/metadata/instance/", .header = "Metadata: true", .may_be_empty = true,
             .document = {"compute/userData?api-version=2021-01-01&format=text", Reading::base64},
             .hostname = {"compute/name?api-version=2021-01-01&format=text"},
             .keys = {"compute/publicKeys?api-version=2021-01-01", Reading::json, "/*/keyData"},
             .address = {"network/interface/0/ipv4/ipAddress/0/publicIpAddress?api-version=2021-01-01&format=text"}},
    Provider{.name = "openstack", .marks = {{{"product_name", "OpenStack"}, {"chassis_asset_tag", "OpenTelekomCloud"}}},
             .base = kLinkLocal, .header = nullptr,
             .document = {"openstack/latest/user_data"},
             .hostname = {"openstack/latest/meta_data.json", Reading::json, "/hostname"},
             .keys = {"openstack/latest/meta_data.json", Reading::json, "/public_keys/*"},
             .address = {"latest/meta-data/public-ipv4"}},
    Provider{.name = "digitalocean", .marks = {{{"sys_vendor", "DigitalOcean"}}},
             .base = "http://169.254.169.254/metadata/v1/", .header = nullptr,
             .document = {"user-data"}, .hostname = {"hostname"}, .keys = {"public-keys"},
             .address = {"interfaces/public/0/ipv4/address"}},
    Provider{.name = "hetzner", .marks = {{{"sys_vendor", "Hetzner"}}},
             .base = "http://169.254.169.254/hetzner/v1/", .header = nullptr, .may_be_empty = true,
             .document = {"userdata"}, .hostname = {"metadata/hostname"},
             .keys = {"metadata/public-keys", Reading::json, "/*"}, .address = {"metadata/public-ipv4"}},
    // Bare metal of many makers: nothing in its firmware says whose it is.
    Provider{.name = "equinix", .marks = {}, .base = "https://metadata.platformequinix.com/", .header = nullptr,
             .may_be_empty = true,
             .document = {"userdata"}, .hostname = {"metadata", Reading::json, "/hostname"},
             .keys = {"metadata", Reading::json, "/ssh_keys/*"}, .address = {"2009-04-04/meta-data/public-ipv4"}},
    Provider{.name = "scaleway", .marks = {{{"sys_vendor", "Scaleway"}}},
             .base = "http://169.254.42.42/", .header = nullptr, .low_port = true,
             .document = {"user_data/cloud-init"}, .hostname = {"conf?format=json", Reading::json, "/hostname"},
             .keys = {"conf?format=json", Reading::json, "/ssh_public_keys/*/key"},
             .address = {"conf?format=json", Reading::json, "/public_ip/address"}},
    Provider{.name = "vultr", .marks = {{{"sys_vendor", "Vultr"}}},
             .base = kLinkLocal, .header = nullptr, .may_be_empty = true,
             .document = {"latest/user-data"}, .hostname = {"v1/hostname"}, .keys = {"v1/public-keys"},
             .address = {"v1/interfaces/0/ipv4/address"}},
    Provider{.name = "oracle", .marks = {{{"chassis_asset_tag", "OracleCloud.com"}}},
             .base = "http://169.254.169.254/opc/v2/instance/", .header = "Authorization: Bearer Oracle",
             .document = {"metadata/user_data", Reading::base64}, .hostname = {"hostname"},
             .keys = {"metadata/ssh_authorized_keys"}, .address = {}},
    Provider{.name = "metaldata", .marks = {}, .base = "http://metaldata/get/", .header = nullptr,
             .document = {"user"}, .hostname = {"meta/hostname"}, .keys = {"meta/authorized-keys"},
             .address = {"meta/public-ipv4"}},
};
// clang-format on

// The strings that a JSON pointer leads to, in which * stands for every member.
void collect(const json& value, std::string_view pointer, std::string& lines) {
  if (pointer.empty()) {
    const auto* const text = value.get_ptr<const std::string*>();
    if (text) lines.append(*text).push_back('\n');
    return;
  }
  const size_t end = std::min(pointer.find('/', 1), pointer.size());
  const std::string_view name = pointer.substr(1, end - 1);
  const std::string_view rest = pointer.substr(end);
  if (name == "*") {
    for (const json& member : value) collect(member, rest, lines);
  } else if (value.is_object()) {
    const auto member = value.find(std::string(name));
    if (member != value.end()) collect(*member, rest, lines);
  }
}

// A name and a colon, before a key that does not begin with options.
std::string without_users(std::string_view text) {
  constexpr std::string_view kOfNames =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  std::string lines;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const size_t colon = line.find_first_not_of(kOfNames);
    if (colon != std::string_view::npos && line[colon] == ':') line.remove_prefix(colon + 1);
    if (!line.empty()) lines.append(line).push_back('\n');
  }
  return lines;
}

std::string setting(std::string_view text, std::string_view name) {
  constexpr std::string_view kAround = " \t\r\"'";
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
    line.remove_prefix(name.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(kAround), line.size()));
    return std::string(line.substr(0, line.find_last_not_of(kAround) + 1));
  }
  return {};
}

}  // namespace

std::span<const Provider> providers() {
  return kProviders;
}

const Provider* find_provider(std::string_view name) {
  const auto* const found =
      std::find_if(kProviders.begin(), kProviders.end(),
                   [&](const Provider& provider) { return provider.name == name; });
  return found == kProviders.end() ? nullptr : found;
}

const Provider* recognise(const std::function<std::string(std::string_view)>& dmi) {
  for (const Provider& provider : kProviders) {
    for (const Mark& mark : provider.marks) {
      if (mark.file.empty()) continue;
      if (dmi(mark.file).find(mark.text) != std::string::npos) return &provider;
    }
  }
  return nullptr;
}

std::optional<std::string> read_answer(const Question& question, std::string_view text) {
  switch (question.reading) {
    case Reading::text: return std::string(text);
    case Reading::user_keys: return without_users(text);
    case Reading::setting: return setting(text, question.member);
    case Reading::base64:
      text = text.substr(0, text.find_last_not_of(" \r\n") + 1);
      return decode_base64(text);
    case Reading::json: break;
  }
  const json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) return {};
  std::string lines;
  collect(value, question.member, lines);
  return lines;
}

}  // namespace copal::metadata
