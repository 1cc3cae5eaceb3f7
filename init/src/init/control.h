// The sockets by which a person or a program asks PID 1: /run/init/control for root, to whom it
// obeys, and /run/init/status, which only tells. A request is one packet of text, and so is its
// answer, so that there is no half of anything to remember:
//
//   status FROM         lines of services from that number on; the last is `next NUMBER` or `end`
//   start|stop|restart|reload NAME, poweroff, reboot, kexec         `ok` or `error TEXT`
//
// A line of status is, separated by tabs: name, kind, state, starts, pid, milliseconds since boot
// of the state, of this run and of its being ready, how the last run ended, what it needs.
#pragma once

#include <array>
#include <string_view>

#include "core/text.h"
#include "sys/fd.h"
#include "sys/log.h"

namespace copal {

inline constexpr size_t kMaxClients = 8;

// Text that is sent, in a buffer of fixed size, in which every row of a status has room.
class Answer {
 public:
  static constexpr size_t kSize = 65536;
  // False: it does not fit, and nothing was added.
  bool add(std::string_view text);
  [[nodiscard]] size_t size() const { return size_; }
  void cut(size_t size) { size_ = size; }
  [[nodiscard]] std::string_view text() const { return {buffer_.data(), size_}; }

 private:
  std::array<char, kSize> buffer_;
  size_t size_ = 0;
};

class Control {
 public:
  enum class Rights : uint8_t { none, tell, obey };

  // `group` may read the status.
  void open(const sys::Log& log, uint32_t group);

  [[nodiscard]] const sys::Fd& listener(bool obeys) const { return obeys ? control_ : status_; }
  // A new client's place, whose descriptor is to be watched; kMaxClients: there is none.
  size_t accept(bool obeys);
  [[nodiscard]] sys::Fd& client(size_t n) { return clients_[n].fd; }
  [[nodiscard]] Rights rights(size_t n) const { return clients_[n].rights; }
  // The next request of a client; nothing: it is gone, or has not asked.
  std::string_view receive(size_t n);
  // Who does not take its answer at once is cut off.
  void answer(size_t n, std::string_view text);

 private:
  struct Client {
    sys::Fd fd;
    Rights rights = Rights::none;
  };

  sys::Fd control_;
  sys::Fd status_;
  std::array<Client, kMaxClients> clients_;
  std::array<char, 128> request_{};
};

}  // namespace copal
