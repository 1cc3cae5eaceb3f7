#include "net/netlink.h"

#include <linux/if.h>

#include <algorithm>
#include <cerrno>
#include <net/if_arp.h>
#include <sys/socket.h>

namespace copal::net {
namespace {

using Bytes = std::span<const std::byte>;

template <typename T>
std::optional<T> read(Bytes bytes) {
  T value;
  if (bytes.size() < sizeof value) return {};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

size_t align(size_t size) {
  return (size + 3) & ~size_t{3};
}

Bytes from(Bytes bytes, size_t offset) {
  return bytes.subspan(std::min(offset, bytes.size()));
}

// The attributes, one after the other.
class Attributes {
 public:
  explicit Attributes(Bytes bytes) : rest_(bytes) {}

  bool next() {
    const auto header = read<nlattr>(rest_);
    if (!header || header->nla_len < sizeof *header || header->nla_len > rest_.size()) return false;
    type_ = header->nla_type & NLA_TYPE_MASK;
    data_ = rest_.first(header->nla_len).subspan(sizeof *header);
    rest_ = from(rest_, align(header->nla_len));
    return true;
  }
  [[nodiscard]] int type() const { return type_; }
  [[nodiscard]] Bytes data() const { return data_; }
  [[nodiscard]] uint32_t number() const { return read<uint32_t>(data_).value_or(0); }

 private:
  Bytes rest_;
  Bytes data_;
  int type_ = 0;
};

void read_link(Bytes body, View& view) {
  const auto header = read<ifinfomsg>(body);
  if (!header) return;
  Link link;
  link.index = static_cast<uint32_t>(header->ifi_index);
  link.up = (header->ifi_flags & IFF_UP) != 0;
  link.carrier = (header->ifi_flags & IFF_LOWER_UP) != 0;
  // What has a kind was made by somebody, and is no device.
  link.device = true;
  Attributes attributes(from(body, align(sizeof *header)));
  while (attributes.next()) {
    const Bytes data = attributes.data();
    switch (attributes.type()) {
      case IFLA_IFNAME:
        std::memcpy(link.name_buffer.data(), data.data(), std::min(data.size(), kMaxLinkName));
        break;
      case IFLA_ADDRESS: link.mac = read<Mac>(data).value_or(Mac()); break;
      case IFLA_MTU: link.mtu = attributes.number(); break;
      case IFLA_MASTER: link.master = attributes.number(); break;
      case IFLA_LINKINFO:
        for (Attributes info(data); info.next();) {
          if (info.type() == IFLA_INFO_KIND) link.device = false;
        }
        break;
    }
  }
  link.ethernet = link.device && header->ifi_type == ARPHRD_ETHER;
  view.links.add(link);
}

void read_address(Bytes body, View& view) {
  constexpr uint32_t kNotYet = IFA_F_TENTATIVE | IFA_F_DADFAILED;
  const auto header = read<ifaddrmsg>(body);
  if (!header || (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)) return;
  LinkAddress address;
  address.index = header->ifa_index;
  address.address.family = header->ifa_family;
  address.address.prefix = header->ifa_prefixlen;
  uint32_t flags = header->ifa_flags;
  bool local = false;
  Attributes attributes(from(body, align(sizeof *header)));
  while (attributes.next()) {
    const Bytes data = attributes.data();
    const int type = attributes.type();
    if (type == IFA_FLAGS) flags = attributes.number();
    // On a point-to-point link, IFA_ADDRESS is the other end's.
    if (type != IFA_LOCAL && (type != IFA_ADDRESS || local)) continue;
    local = type == IFA_LOCAL;
    std::memcpy(address.address.bytes.data(), data.data(),
                std::min(data.size(), address.address.size()));
  }
  address.usable = header->ifa_scope < RT_SCOPE_LINK && (flags & kNotYet) == 0;
  view.addresses.add(address);
}

void read_route(Bytes body, View& view) {
  const auto header = read<rtmsg>(body);
  if (!header || header->rtm_dst_len != 0 || header->rtm_type != RTN_UNICAST) return;
  if (header->rtm_table != RT_TABLE_MAIN) return;
  DefaultRoute route;
  route.family = header->rtm_family;
  Attributes attributes(from(body, align(sizeof *header)));
  while (attributes.next()) {
    if (attributes.type() == RTA_OIF) route.index = attributes.number();
  }
  view.routes.add(route);
}

Answer read_error(const nlmsghdr& header, Bytes body) {
  Answer answer;
  answer.done = true;
  answer.error = -read<int>(body).value_or(-EBADMSG);
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return answer;
  const size_t capped = (header.nlmsg_flags & NLM_F_CAPPED) != 0 ? sizeof(nlmsgerr) : body.size();
  Attributes attributes(from(body, capped));
  while (attributes.next()) {
    if (attributes.type() != NLMSGERR_ATTR_MSG) continue;
    const auto* const text = reinterpret_cast<const char*>(attributes.data().data());
    answer.message = {text, strnlen(text, attributes.data().size())};
  }
  return answer;
}

}  // namespace

const Link* View::find(std::string_view name) const {
  const auto same = [&](const Link& link) { return link.name() == name; };
  const auto found = std::find_if(links.begin(), links.end(), same);
  return found == links.end() ? nullptr : &*found;
}

Answer read_messages(Bytes datagram, View* view) {
  while (const auto header = read<nlmsghdr>(datagram)) {
    if (header->nlmsg_len < sizeof *header || header->nlmsg_len > datagram.size()) break;
    const Bytes body = datagram.first(header->nlmsg_len).subspan(sizeof *header);
    datagram = from(datagram, align(header->nlmsg_len));
    switch (header->nlmsg_type) {
      case NLMSG_DONE: return {true, -read<int>(body).value_or(0), {}};
      case NLMSG_ERROR: return read_error(*header, body);
      case RTM_NEWLINK:
        if (view) read_link(body, *view);
        break;
      case RTM_NEWADDR:
        if (view) read_address(body, *view);
        break;
      case RTM_NEWROUTE:
        if (view) read_route(body, *view);
        break;
    }
  }
  return {};
}

void Message::append(const void* data, size_t size) {
  if (size == 0 || size > buffer_.size() - size_) return;
  std::memcpy(buffer_.data() + size_, data, size);
  size_ = std::min(align(size_ + size), buffer_.size());
}

void Message::add(uint16_t type, const void* data, size_t size) {
  if (sizeof(nlattr) + size > buffer_.size() - size_) return;
  const nlattr header{static_cast<uint16_t>(sizeof header + size), type};
  append(&header, sizeof header);
  append(data, size);
}

size_t Message::begin(uint16_t type) {
  const size_t at = size_;
  add(type, nullptr, 0);
  return at;
}

void Message::end(size_t nest) {
  const auto length = static_cast<uint16_t>(size_ - nest);
  std::memcpy(buffer_.data() + nest, &length, sizeof length);
}

Bytes Message::finish(uint32_t sequence) {
  auto* const header = reinterpret_cast<nlmsghdr*>(buffer_.data());
  header->nlmsg_len = static_cast<uint32_t>(size_);
  header->nlmsg_seq = sequence;
  return Bytes(buffer_).first(size_);
}

Status Netlink::open(unsigned groups) {
  fd_.reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  const int yes = 1;
  // An error then comes with a reason in words, and without the request.
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK}) {
    (void)setsockopt(fd_.get(), SOL_NETLINK, option, &yes, sizeof yes);
  }
  if (bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    return sys::last_error("netlink");
  }
  return {};
}

Status Netlink::ask(Message& message, View* view) {
  const Bytes request = message.finish(++sequence_);
  if (send(fd_.get(), request.data(), request.size(), 0) < 0) return sys::last_error("send");
  // The kernel fills at most 32 KiB.
  alignas(nlmsghdr) std::array<std::byte, 32768> buffer;
  while (true) {
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    const ssize_t n = recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                               reinterpret_cast<sockaddr*>(&sender), &length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sys::last_error("receive");
    if (sender.nl_pid != 0) continue;  // 0 is the kernel
    const Answer answer = read_messages(Bytes(buffer).first(static_cast<size_t>(n)), view);
    if (!answer.done) continue;
    reason_ = answer.message.empty() ? Line() : Line(answer.message);
    if (answer.error != 0) return Error{answer.error, "netlink"};
    return {};
  }
}

Status Netlink::change(Message& message) {
  return ask(message, nullptr);
}

Status Netlink::dump(uint16_t type, View& view) {
  Message message(type, NLM_F_DUMP, rtgenmsg{AF_UNSPEC});
  return ask(message, &view);
}

void Netlink::drain() {
  std::array<std::byte, 256> buffer;
  // ENOBUFS says that something was lost. That something changed is known all the same.
  while (recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) >= 0 || errno == ENOBUFS) {
  }
}

}  // namespace copal::net
