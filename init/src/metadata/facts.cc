#include "metadata/facts.h"

#include <array>
#include <net/if.h>
#include <unistd.h>

#include "init/machine.h"
#include "metadata/file.h"

namespace copal::metadata {
namespace {

// The first Ethernet link with hardware behind it, as the kernel numbered them.
std::string first_ethernet() {
  std::string first;
  struct if_nameindex* const links = if_nameindex();
  for (const struct if_nameindex* link = links; link && link->if_name; ++link) {
    const std::string folder = std::string("/sys/class/net/") + link->if_name;
    if (read_word(folder + "/type") != "1" || access((folder + "/device").c_str(), F_OK) < 0) {
      continue;
    }
    first = link->if_name;
    break;
  }
  if (links) if_freenameindex(links);
  return first;
}

// Empty: it is still the one that the image gives to every machine.
std::string own_hostname() {
  std::array<char, 256> name{};
  (void)gethostname(name.data(), name.size() - 1);
  const std::string now = name.data();
  const bool given = !boot_argument("copal.hostname").text().empty();
  return given || (now != read_word("/etc/hostname") && now != "(none)") ? now : "";
}

}  // namespace

Facts machine_facts() {
  constexpr size_t kLimit = size_t{1} << 20;
  const std::string ipv4 = read_some("/proc/net/route", kLimit).value_or("");
  const std::string ipv6 = read_some("/proc/net/ipv6_route", kLimit).value_or("");
  std::string link(default_link(ipv4, ipv6));
  if (link.empty()) link = first_ethernet();
  Facts facts;
  if (!link.empty()) facts.mac = read_word("/sys/class/net/" + link + "/address");
  facts.uuid = read_word("/sys/class/dmi/id/product_uuid");
  facts.serial = read_word("/sys/class/dmi/id/product_serial");
  if (facts.serial.empty()) facts.serial = read_word("/proc/device-tree/serial-number");
  facts.hostname = own_hostname();
  return facts;
}

}  // namespace copal::metadata
