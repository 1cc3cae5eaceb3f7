// dhcpcd runs this, in place of its shell scripts, when something has changed: what it knows is in
// the environment. Most of that comes from the network, so that each word is looked at.
#include <algorithm>
#include <cstdlib>
#include <unistd.h>

#include "applet/applet.h"
#include "net/state.h"
#include "sys/print.h"

namespace copal {
namespace net {
namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? std::string_view(value) : std::string_view();
}

// A link-local address says on which link it is: fe80::1%eth0.
bool is_server(std::string_view word) {
  const size_t percent = std::min(word.find('%'), word.size());
  const std::string_view link = word.substr(std::min(percent + 1, word.size()));
  return parse_address(word.substr(0, percent)) && (link.empty() || valid_link(link));
}

void add_servers(NewFile& file, std::string_view words) {
  for (auto word = take_word(words); !word.empty(); word = take_word(words)) {
    if (is_server(word)) file.add("nameserver ", word, "\n");
  }
}

void add_domains(NewFile& file, std::string_view words) {
  for (auto word = take_word(words); !word.empty(); word = take_word(words)) {
    if (valid_domain(word)) file.add("search ", word, "\n");
  }
}

// nd1_rdnss1_servers and nd1_dnssl1_search, for each router and each of its options.
void add_router_options(NewFile& file) {
  for (char** at = environ; *at; ++at) {
    const std::string_view entry = *at;
    const size_t equals = std::min(entry.find('='), entry.size());
    const std::string_view name = entry.substr(0, equals);
    const std::string_view value = entry.substr(std::min(equals + 1, entry.size()));
    if (!name.starts_with("nd")) continue;
    if (name.find("_rdnss") != name.npos && name.ends_with("_servers")) add_servers(file, value);
    if (name.find("_dnssl") != name.npos && name.ends_with("_search")) add_domains(file, value);
  }
}

void add_answer(NewFile& file, std::string_view protocol) {
  if (protocol == "ra") return add_router_options(file);
  const bool six = protocol == "dhcp6";
  add_servers(file, variable(six ? "new_dhcp6_name_servers" : "new_domain_name_servers"));
  const auto search = variable(six ? "new_dhcp6_domain_search" : "new_domain_search");
  add_domains(file, search.empty() ? variable("new_domain_name") : search);
}

// For chrony and for `init --net --wait`, which reads the name when the machine is online.
Status write_others(const sys::Fd& state, std::string_view link) {
  NewFile sources(state, Line("ntp/", link, ".sources").text());
  std::string_view servers = variable("new_ntp_servers");
  for (auto word = take_word(servers); !word.empty(); word = take_word(servers)) {
    if (parse_address(word)) sources.add("server ", word, " iburst\n");
  }
  const Status written = sources.commit();
  const std::string_view host = variable("new_host_name");
  if (!written.ok() || host.empty() || !valid_domain(host)) return written;
  NewFile file(state, "hostname");
  file.add(host, "\n");
  return file.commit();
}

// What all protocols said of a link that has no carrier any more, or has gone.
void forget(const sys::Fd& state, std::string_view link) {
  for (const auto& name : list(state, "dns")) {
    const std::string_view source = name.data();
    if (!source.starts_with(link) || source.substr(link.size(), 1) != ".") continue;
    (void)unlinkat(state.get(), Line("dns/", source).c_str(), 0);
  }
  (void)unlinkat(state.get(), Line("ntp/", link, ".sources").c_str(), 0);
}

Status take_answer(const sys::Fd& state) {
  const sys::Fd locked = lock(state);
  const std::string_view link = variable("interface");
  const std::string_view protocol = variable("protocol");
  if (!valid_link(link)) return {};
  const bool down = variable("if_down") == "true";
  if (protocol == "link") {
    if (!down) return {};
    forget(state, link);
    return write_resolv_conf(state);
  }
  if (protocol != "dhcp" && protocol != "dhcp6" && protocol != "ra") return {};
  Line path("dns/", link, ".", protocol);
  if (down) {
    (void)unlinkat(state.get(), path.c_str(), 0);
    return write_resolv_conf(state);
  }
  if (variable("if_up") != "true") return {};
  if (protocol == "dhcp") {
    const Status done = write_others(state, link);
    if (!done.ok()) return done;
  }
  NewFile file(state, path.text());
  add_answer(file, protocol);
  const Status written = file.commit();
  return written.ok() ? write_resolv_conf(state) : written;
}

}  // namespace
}  // namespace net

int run_dhcp_hook() {
  auto state = net::open_state();
  const Status done = state.ok() ? net::take_answer(*state) : Status(state.error());
  return done.ok() ? 0 : sys::fail(net::kStateDir, done.error());
}

}  // namespace copal
