// What is known of the network at run time, in /run/network: name servers and the like as files
// `dns/SOURCE`, one for each link and protocol, and the resolv.conf made of them. A source's file
// is there, even if empty, when the source has answered.
#pragma once

#include <span>
#include <string_view>

#include "core/arena.h"
#include "net/config.h"
#include "sys/kernel.h"

namespace copal::net {

inline constexpr const char* kStateDir = "/run/network";

// A file that appears whole or not at all: what goes wrong on the way, commit() says.
class NewFile {
 public:
  NewFile(const sys::Fd& dir, std::string_view name);
  template <typename... Parts>
  void add(const Parts&... parts) {
    write(Line(parts...));
  }
  Status commit();

 private:
  void write(const Line& line);

  const sys::Fd& dir_;
  Line name_;
  sys::Fd file_;
  Status status_;
};

// Opens /run/network, and makes what is not there.
Result<sys::Fd> open_state();

// Only one at a time changes dns/ and what is made of it: the hook, or who configures the links.
// Whoever has had the lock after a source's file was there finds it in resolv.conf. It is held as
// long as the descriptor is open.
sys::Fd lock(const sys::Fd& state);

// The names in a folder, sorted, but not those that begin with a dot.
using Names = List<std::array<char, 64>, 128>;
Names list(const sys::Fd& dir, const char* path);

// resolv.conf from all of dns/, under the lock.
Status write_resolv_conf(const sys::Fd& state);

// Waits for what the kernel says of links, addresses and routes, for at most so long. Then it says
// which link lacks what. The exit code of the task.
int wait_until_online(std::span<const LinkConfig> configs, const sys::Fd& state, Duration limit,
                      Arena& arena);

}  // namespace copal::net
