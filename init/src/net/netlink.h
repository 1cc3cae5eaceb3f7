// The kernel's links, addresses and routes, read and changed by rtnetlink messages. What is needed
// of the protocol is as short as a library for it.
#pragma once

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "net/config.h"
#include "sys/kernel.h"

namespace copal::net {

struct Link {
  uint32_t index = 0;
  std::array<char, kMaxLinkName + 1> name_buffer{};
  Mac mac{};
  bool ethernet = false;  // and of a device: not a bridge, bond, veth...
  bool device = false;
  bool up = false;
  bool carrier = false;
  uint32_t master = 0;
  uint32_t mtu = 0;

  [[nodiscard]] std::string_view name() const { return name_buffer.data(); }
};

struct LinkAddress {
  uint32_t index = 0;
  Address address;
  bool usable = false;  // for more than this link, and known not to be somebody else's
};

struct DefaultRoute {
  uint32_t index = 0;
  uint8_t family = 0;
};

// What the kernel has. What does not fit is left out.
struct View {
  List<Link, 1024> links;
  List<LinkAddress, 4096> addresses;
  List<DefaultRoute, 256> routes;

  [[nodiscard]] const Link* find(std::string_view name) const;
  void clear() {
    links.clear();
    addresses.clear();
    routes.clear();
  }
};

struct Answer {
  bool done = false;         // the last message of the answer was in there
  int error = 0;             // errno
  std::string_view message;  // what the kernel says of the error
};

// Reads the messages of one datagram, which may be anything at all. What is there is added to
// `view`.
Answer read_messages(std::span<const std::byte> datagram, View* view);

// A message that is put together. What does not fit is left out, and the kernel refuses the rest.
class Message {
 public:
  template <typename Body>
  Message(uint16_t type, uint16_t flags, const Body& body) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST);
    append(&header, sizeof header);
    append(&body, sizeof body);
  }

  void add(uint16_t type, const void* data, size_t size);
  void add(uint16_t type, std::string_view text) { add(type, text.data(), text.size()); }
  void add(uint16_t type, std::span<const uint8_t> bytes) { add(type, bytes.data(), bytes.size()); }
  template <typename T>
  requires std::integral<T>
  void add(uint16_t type, T number) { add(type, &number, sizeof number); }
  // What is added until end() lies in this attribute.
  size_t begin(uint16_t type);
  void end(size_t nest);

  std::span<const std::byte> finish(uint32_t sequence);

 private:
  void append(const void* data, size_t size);

  alignas(nlmsghdr) std::array<std::byte, 512> buffer_{};
  size_t size_ = 0;
};

class Netlink {
 public:
  // `groups` to hear of changes: RTMGRP_...
  Status open(unsigned groups);
  [[nodiscard]] int fd() const { return fd_.get(); }

  // Asks for one change. What the kernel says of an error is in reason().
  Status change(Message& message);
  [[nodiscard]] std::string_view reason() const { return reason_.text(); }
  // Asks for all of `type` (RTM_GET...).
  Status dump(uint16_t type, View& view);
  // Takes in what was heard, however much: only that something changed is of interest.
  void drain();

 private:
  Status ask(Message& message, View* view);

  sys::Fd fd_;
  uint32_t sequence_ = 0;
  Line reason_;
};

}  // namespace copal::net
