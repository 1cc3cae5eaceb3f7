#include "log/output.h"

#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace copal::log {
namespace {

using std::chrono::milliseconds;

constexpr int kPerTurn = 64;  // records, so that nobody has to wait for long
constexpr Duration kShortest = std::chrono::seconds(1);
constexpr Duration kLongest = std::chrono::seconds(60);
constexpr Duration kPause = milliseconds(10);

}  // namespace

int Stream::send() {
  while (sent < size) {
    const ssize_t n = ::send(fd.get(), buffer.data() + sent, size - sent, MSG_NOSIGNAL);
    if (n < 0) return errno;
    sent += static_cast<size_t>(n);
  }
  size = sent = 0;
  return 0;
}

// ---- Clients

short Client::events() const {
  if (!asked_) return POLLIN;
  return stream_.busy ? POLLOUT : 0;
}

void Client::open(sys::Fd fd) {
  stream_.fd = std::move(fd);
  stream_.size = stream_.sent = 0;
  stream_.busy = asked_ = false;
}

// So short a line fits into any socket's buffer.
void Client::refuse(std::string_view why) {
  const Line line("log: ", why, "\n");
  (void)!::send(fd(), line.text().data(), line.text().size(), MSG_NOSIGNAL);
  stream_.fd.reset();
}

void Client::ask(const Rings& rings) {
  const std::span<char> room = std::span(stream_.buffer).subspan(stream_.size);
  const ssize_t n = read(fd(), room.data(), room.size());
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return stream_.fd.reset();
  stream_.size += static_cast<size_t>(n);
  const std::string_view text(stream_.buffer.data(), stream_.size);
  const size_t end = text.find('\n');
  if (end == text.npos && stream_.size < stream_.buffer.size()) return;
  const auto request = parse_request(text.substr(0, end));
  if (!request) return refuse("ask for [NAME] [lines=N] [follow]");
  const auto ring = rings.find(request->name);
  if (!ring && !request->name.empty()) return refuse("there is no service of this name");
  stream_.reader.start(rings, request->name.empty() ? std::nullopt : ring,
                       static_cast<uint64_t>(request->lines));
  stream_.size = 0;
  asked_ = true;
  follow_ = request->follow;
}

void Client::answer(const Rings& rings) {
  stream_.busy = true;
  for (int n = 0; n < kPerTurn; ++n) {
    const int error = stream_.send();
    if (error == EAGAIN) return;
    if (error != 0) return stream_.fd.reset();
    const auto record = stream_.reader.next(rings);
    if (!record) {
      stream_.busy = false;
      if (!follow_) stream_.fd.reset();
      return;
    }
    stream_.size = format_line(*record, stream_.buffer).size();
  }
}

void Client::turn(const Rings& rings, short events) {
  if (!stream_.fd.open()) return;
  if (!asked_ && (events & (POLLIN | POLLHUP | POLLERR)) != 0) ask(rings);
  if (asked_ && (events & (POLLHUP | POLLERR)) != 0) stream_.fd.reset();
  if (asked_ && stream_.fd.open()) answer(rings);
}

// ---- The collector

short Collector::events() const {
  const bool wait = connecting_ || (stream_.busy && next_ == Time());
  return static_cast<short>(POLLIN | (wait ? POLLOUT : 0));
}

Time Collector::deadline() const {
  if (!address_ || (stream_.fd.open() && next_ == Time())) return kNever;
  return next_;
}

void Collector::fail(Input& input, Time now, int error) {
  stream_.fd.reset();
  stream_.sent = 0;  // what has gone out in part goes out again
  connecting_ = false;
  // Who was there for long gets another chance soon.
  delay_ = connected_ != Time() && now - connected_ > kLongest
               ? kShortest
               : std::clamp(delay_ * 2, kShortest, kLongest);
  connected_ = Time();
  next_ = now + delay_;
  if (error == told_) return;
  told_ = error;
  input.say(kWarning, Line("collector ", name_, ": ", std::strerror(error)).text());
}

void Collector::connect(Input& input, Time now) {
  const int type = address_->tcp ? SOCK_STREAM : SOCK_DGRAM;
  stream_.fd.reset(socket(address_->socket.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!stream_.fd.open()) return fail(input, now, errno);
  // Otherwise it takes the kernel a quarter of an hour to notice that the other side is gone.
  constexpr int kTimeout = 30'000;
  if (address_->tcp) {
    (void)setsockopt(fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kTimeout, sizeof kTimeout);
  }
  (void)gethostname(host_.data(), host_.size() - 1);
  next_ = Time();
  connecting_ = true;
  if (::connect(fd(), &address_->socket.any, address_->socket.size()) < 0 && errno != EINPROGRESS) {
    fail(input, now, errno);
  }
}

int Collector::transmit(const Rings& rings, Time now) {
  stream_.busy = true;
  for (int n = 0; n < kPerTurn; ++n) {
    const int error = stream_.send();
    if (error != 0) return error == EAGAIN ? 0 : error;
    const auto record = stream_.reader.next(rings);
    if (!record) {
      stream_.busy = false;
      return 0;
    }
    stream_.size = format_syslog(*record, host_.data(), address_->tcp, stream_.buffer).size();
  }
  // Nothing tells how fast a collector takes datagrams.
  if (!address_->tcp) next_ = now + kPause;
  return 0;
}

void Collector::turn(Input& input, Time now, short events) {
  if (!address_ || now < next_) return;
  if (!stream_.fd.open()) {
    connect(input, now);
    return;
  }
  int error = 0;
  socklen_t size = sizeof error;
  if ((events & (POLLERR | POLLHUP)) != 0) {
    (void)getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    return fail(input, now, error != 0 ? error : ECONNRESET);
  }
  if (connecting_) {
    if ((events & POLLOUT) == 0) return;
    connecting_ = false;
    connected_ = now;
    told_ = 0;
    input.say(kNotice, Line("collector ", name_, ": connected").text());
  }
  if ((events & POLLIN) != 0) {
    // A collector has nothing to say, unless that it goes.
    std::array<char, 512> nothing;
    if (read(fd(), nothing.data(), nothing.size()) == 0 && address_->tcp) {
      return fail(input, now, ECONNRESET);
    }
  }
  next_ = Time();
  error = transmit(input.rings(), now);
  if (error != 0) fail(input, now, error);
}

}  // namespace copal::log
