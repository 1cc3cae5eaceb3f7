// Waits until the machine is online.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "init/machine.h"
#include "net/plan.h"
#include "net/state.h"
#include "sys/print.h"

namespace copal::net {
namespace {

bool has_lease(const Link& link, const Names& sources) {
  return std::any_of(sources.begin(), sources.end(), [&](const auto& source) {
    const std::string_view name = source.data();
    return name.starts_with(link.name()) && name.substr(link.name().size(), 1) == ".";
  });
}

// What is lacking before this file's links are online; empty: they are. Of `ethernet`, one link is
// enough: a socket that nothing is plugged into is no fault.
Line lacking(const LinkConfig& config, std::span<const LinkConfig> configs, const View& view,
             const Names& sources) {
  if (config.bad) return Line("a file without errors");
  if (config.match == Match::nothing || config.optional) return Line();
  Line answer("a link");
  for (const Link& link : view.links) {
    if (config_of(link, configs) != &config) continue;
    const std::string_view what = lacking(config, link, has_lease(link, sources), view);
    if (what.empty()) return Line();
    answer = Line(what, " on ", link.name());
  }
  return answer;
}

Status look(Netlink& kernel, View& view) {
  view.clear();
  for (const uint16_t type : {RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE}) {
    const Status done = kernel.dump(type, view);
    if (!done.ok()) return done;
  }
  return {};
}

// DHCP's name is taken where nobody gave the machine one of its own: the image's is for any
// machine. It is done here since this runs before what needs the network. Through a file: whoever
// may write that one needs no capability, least of all the one that sethostname() asks for.
void take_hostname(const sys::Fd& state) {
  std::array<char, 256> file;
  std::array<char, 256> given;
  std::array<char, 256> now{};
  auto image = sys::read_file("/etc/hostname", file);
  auto answer = sys::read_file(state, "hostname", given);
  if (!answer.ok() || gethostname(now.data(), now.size() - 1) < 0) return;
  if (!boot_argument("copal.hostname").text().empty()) return;
  std::string_view rest = image.ok() ? *image : std::string_view();
  if (take_word(rest) != std::string_view(now.data())) return;
  rest = *answer;
  const std::string_view word = take_word(rest);
  const std::string_view name = word.substr(0, word.find('.'));
  const Status done = sys::write_file("/proc/sys/kernel/hostname", name);
  if (!done.ok()) {
    (void)sys::fail("hostname", done.error());
  } else {
    sys::print(Line("this is ", name, ", says DHCP\n"));
  }
}

}  // namespace

int wait_until_online(std::span<const LinkConfig> configs, const sys::Fd& state, Duration limit,
                      Arena& arena) {
  View& view = arena.make<View>(1)[0];
  Netlink events;
  Netlink kernel;
  const sys::Fd answers(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  Status status = events.open(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                              RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
  if (status.ok()) status = kernel.open(0);
  if (inotify_add_watch(answers.get(), Line(kStateDir, "/dns").c_str(), IN_MOVED_TO) < 0) {
    status = sys::last_error("watch");
  }
  const Time deadline = sys::now() + limit;
  while (status.ok()) {
    status = look(kernel, view);
    const Names sources = list(state, "dns");
    bool online = true;
    const bool late = sys::now() >= deadline;
    for (const LinkConfig& config : configs) {
      const Line what = lacking(config, configs, view, sources);
      if (what.text().empty()) continue;
      online = false;
      if (late) sys::print(Line("not online: ", config.file, " lacks ", what.text(), "\n"));
    }
    if (online && status.ok()) break;
    if (late) return 1;
    std::array<pollfd, 2> wait = {pollfd{events.fd(), POLLIN, 0}, pollfd{answers.get(), POLLIN, 0}};
    const auto left = std::max(deadline - sys::now(), Duration(0));
    (void)poll(wait.data(), wait.size(), static_cast<int>(left.count()) + 1);
    events.drain();
    std::array<char, 4096> buffer;
    while (read(answers.get(), buffer.data(), buffer.size()) > 0) {
    }
  }
  if (!status.ok()) return sys::fail("network", status.error());
  const sys::Fd locked = lock(state);  // what the last answer changed is done now
  take_hostname(state);
  return 0;
}

}  // namespace copal::net
