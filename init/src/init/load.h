// Reads a folder of service files. The same code runs in PID 1 and, when an image is built, as
// `init --check`.
#pragma once

#include <linux/filter.h>

#include "core/config.h"
#include "core/graph.h"
#include "sys/kernel.h"

namespace copal {

// The service that is always there, and that all others start after: it takes what they print.
inline constexpr Index kLogService = 0;

// A filter of system calls, as the image build made it: etc/seccomp/<name>.
struct Profile {
  std::string_view name;
  std::span<const sock_filter> filter;
};

struct Services {
  std::span<Spec> specs;
  Graph graph;
  std::span<Profile> profiles;
  uint32_t status_group = 0;  // `status` in /etc/group: who may ask how all is

  // Empty: the service has none.
  [[nodiscard]] std::span<const sock_filter> filter(const Spec& spec) const;
};

// What service files refer to.
struct Image {
  sys::Fd root;
  Accounts accounts;
};
// An image that cannot be opened has no accounts.
Image open_image(const char* root, Arena& arena);

// Bad files are reported, and are services that have failed. An error means that there are no
// services at all. Without an image, names of users and profiles are taken on trust.
Status load_services(const sys::Fd& dir, std::string_view path, const Image* image, Arena& arena,
                     Reporter& reporter, Services& services);

}  // namespace copal
