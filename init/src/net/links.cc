// Sets up the links as the files of /etc/network say, now and whenever one appears. DHCP and router
// advertisements are dhcpcd's, which is told here for which links.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "applet/applet.h"
#include "init/machine.h"
#include "net/plan.h"
#include "net/state.h"
#include "sys/print.h"

namespace copal {
namespace net {
namespace {

void report(const Operation& operation, Error error, std::string_view reason) {
  static constexpr std::array<std::string_view, 8> kSteps = {
      "make", "no autoconfiguration", "mtu", "down", "up", "join", "address", "route"};
  Line line(operation.name, ": ", kSteps[static_cast<size_t>(operation.what)], " (",
            operation.config->file, "): ", std::strerror(error.code));
  if (!reason.empty()) line.add(": ").add(reason);
  sys::print(line.add("\n"));
}

// In the order in which they are asked for.
using Leased = List<std::array<char, kMaxLinkName + 1>, 256>;

Leased leased_links(const View& view, std::span<const LinkConfig> configs) {
  Leased leased;
  for (const Link& link : view.links) {
    const LinkConfig* const config = config_of(link, configs);
    if (config && config->dhcp) leased.add(link.name_buffer);
  }
  return leased;
}

// Not the clock, nor anything that a fresh /var forgets: a machine is known by its hardware
// address, and gets the same addresses at each boot. A server knows whether an address is taken: to
// ask around first would cost five seconds at each boot.
constexpr std::string_view kDhcpcdConf =
    "# Written by init --net.\n"
    "clientid\nduid ll\nslaac hwaddr\nhostname\npersistent\nnoarp\nnodelay\ntimeout 0\n"
    "require dhcp_server_identifier\n"
    "option rapid_commit, domain_name_servers, domain_name, domain_search, host_name\n"
    "option classless_static_routes, interface_mtu, ntp_servers\n";

Status write_dhcpcd_conf(const sys::Fd& state, const Leased& links) {
  NewFile file(state, "dhcpcd.conf");
  file.add(kDhcpcdConf, links.empty() ? "denyinterfaces *" : "allowinterfaces");
  for (const auto& link : links) file.add(" ", link.data());
  file.add("\n");
  return file.commit();
}

// A dhcpcd that runs already reads its configuration again when it is told of these links, and does
// not disturb others. One that does not run yet will read it.
void wake_dhcpcd(const Leased& links, const Leased& old) {
  constexpr std::string_view kEnd("\0", 1);
  Line command("dhcpcd", kEnd);
  for (const auto& link : links) {
    const bool is_new = std::find(old.begin(), old.end(), link) == old.end();
    if (is_new) command.add(link.data()).add(kEnd);
  }
  auto client = sys::connect_to(Line(kStateDir, "/dhcpcd/sock").c_str(), SOCK_STREAM);
  if (!client.ok()) return;
  (void)!send(client->get(), command.text().data(), command.text().size(), MSG_NOSIGNAL);
}

// Name servers of the files, and time servers of the kernel's command line.
Status write_static(const sys::Fd& state, std::span<const LinkConfig> configs) {
  const sys::Fd locked = lock(state);
  NewFile names(state, "dns/0-static");
  for (const LinkConfig& config : configs) {
    for (const std::string_view server : config.dns) names.add("nameserver ", server, "\n");
    for (const std::string_view domain : config.search) names.add("search ", domain, "\n");
  }
  Status done = names.commit();
  if (done.ok()) done = write_resolv_conf(state);
  if (!done.ok()) return done;
  NewFile times(state, "ntp/0-kernel.sources");
  const Line named = boot_argument("copal.ntp");
  std::string_view rest = named.text();
  while (!rest.empty()) {
    const std::string_view server = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(server.size() + 1, rest.size()));
    if (parse_address(server) || valid_domain(server)) times.add("server ", server, " iburst\n");
  }
  return times.commit();
}

// sd_notify: READY=1 to the socket that the environment names.
void notify_ready() {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!path || std::strlen(path) >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, std::strlen(path));
  auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  if (path[0] == '@') address.sun_path[0] = '\0';
  const sys::Fd client(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  (void)!sendto(client.get(), "READY=1", 7, MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
                length);
}

class Configurer {
 public:
  Configurer(std::span<const LinkConfig> configs, const sys::Fd& state, Arena& arena)
      : configs_(configs), state_(state), planner_(configs), view_(arena.make<View>(1)[0]) {}

  // Returns only when the kernel does not answer any more.
  Status run();

 private:
  Status configure();

  std::span<const LinkConfig> configs_;
  const sys::Fd& state_;
  Planner planner_;
  View& view_;
  Netlink kernel_;
  Operations operations_;
  Leased leased_;
};

Status Configurer::configure() {
  do {
    view_.clear();
    const Status seen = kernel_.dump(RTM_GETLINK, view_);
    if (!seen.ok()) return seen;
    planner_.plan(view_, operations_);
    for (const Operation& operation : operations_) {
      const Status done = carry_out(kernel_, operation);
      if (!done.ok()) report(operation, done.error(), kernel_.reason());
    }
  } while (!operations_.empty());
  return {};
}

Status Configurer::run() {
  Netlink events;
  Status status = events.open(RTMGRP_LINK);
  if (status.ok()) status = kernel_.open(0);
  bool first = true;
  while (status.ok()) {
    status = configure();
    const Leased leased = leased_links(view_, configs_);
    if (status.ok() && (first || !(leased == leased_))) {
      status = write_dhcpcd_conf(state_, leased);
      wake_dhcpcd(leased, leased_);
      leased_ = leased;
    }
    if (first && status.ok()) notify_ready();
    first = false;
    pollfd wait{events.fd(), POLLIN, 0};
    while (poll(&wait, 1, -1) < 0 && errno == EINTR) {
    }
    events.drain();
  }
  return status;
}

}  // namespace
}  // namespace net

int run_net(std::span<char*> arguments) {
  const std::string_view what = arguments.empty() ? "" : arguments[0];
  auto memory = sys::reserve(size_t{16} << 20);
  if (!memory.ok()) return 1;
  Arena arena(*memory);
  sys::Printer printer;
  auto root = sys::open("/", O_RDONLY | O_DIRECTORY);
  const std::span<net::LinkConfig> configs = net::load_configs(*root, arena, printer);
  const auto limit = parse_duration(arguments.size() > 1 ? std::string_view(arguments[1]) : "60s");
  auto state = net::open_state();
  if (!state.ok()) return sys::fail(net::kStateDir, state.error());
  if (what == "--wait" && limit) return net::wait_until_online(configs, *state, *limit, arena);
  const Status written = net::write_static(*state, configs);
  if (!written.ok()) return sys::fail(net::kStateDir, written.error());
  return sys::fail("links", net::Configurer(configs, *state, arena).run().error());
}

}  // namespace copal
