// Takes what services print, line by line, and writes it to the kernel's log as "name: line".
// PID 1 keeps both ends of every pipe, so that this may crash and be restarted and nothing is lost
// but time. Who prints too much is cut short, and the log says by how much.
#include "sys/log.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "applet/applet.h"
#include "core/text.h"

namespace copal {
namespace {

constexpr int kKmsg = 1;  // stdout
constexpr long kLinesPerSecond = 100;
constexpr long kBurst = 1000;
constexpr long kLine = 1000;      // allowance is counted in thousandths of a line
constexpr size_t kLongest = 900;  // the kernel's records are somewhat less than 1 KiB

class Channel {
 public:
  Channel() = default;
  Channel(int fd, std::string_view name) : fd_(fd), name_(name), last_(sys::now()) {}

  [[nodiscard]] int fd() const { return fd_; }
  // Reads once. False: there was nothing to read.
  bool take();
  void flush();
  // Tells what was left out, once a second's worth of lines is free again. True: still to be told.
  bool report_dropped();

 private:
  void add(char c);
  void write_line(std::string_view line);
  void earn();

  int fd_ = -1;
  std::string_view name_;
  Time last_{};
  long allowance_ = kBurst * kLine;
  long dropped_ = 0;
  size_t size_ = 0;
  std::array<char, kLongest> line_;
};

void Channel::earn() {
  const Time now = sys::now();
  allowance_ = std::min(allowance_ + (now - last_).count() * kLinesPerSecond, kBurst * kLine);
  last_ = now;
}

void Channel::write_line(std::string_view line) {
  const Line head(sys::kmsg_prefix(sys::Level::info).text(), name_, ": ");
  std::array<char, kLongest + 64> record;
  char* end = std::copy(head.text().begin(), head.text().end(), record.begin());
  end = std::copy(line.begin(), line.end(), end);
  *end++ = '\n';
  (void)!write(kKmsg, record.data(), static_cast<size_t>(end - record.data()));
}

bool Channel::report_dropped() {
  if (dropped_ == 0) return false;
  earn();
  if (allowance_ < kLinesPerSecond * kLine) return true;
  allowance_ -= kLine;
  write_line(Line("(", dropped_, " lines left out)").text());
  dropped_ = 0;
  return false;
}

void Channel::flush() {
  if (size_ == 0) return;
  earn();
  // Once a line is left out, so are the next, until that has been told.
  if (dropped_ == 0 && allowance_ >= kLine) {
    allowance_ -= kLine;
    write_line({line_.data(), size_});
  } else {
    ++dropped_;
  }
  size_ = 0;
}

void Channel::add(char c) {
  if (c == '\n' || size_ == line_.size()) flush();
  // What would move a terminal's cursor is no part of a line.
  if (c != '\n') line_[size_++] = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
}

bool Channel::take() {
  std::array<char, 4096> buffer;
  const ssize_t n = read(fd_, buffer.data(), buffer.size());
  for (ssize_t i = 0; i < n; ++i) add(buffer[static_cast<size_t>(i)]);
  return n > 0;
}

}  // namespace

int run_log(std::span<char*> arguments) {
  const size_t count = arguments.size();
  auto memory = sys::reserve((count + 1) * (sizeof(Channel) + sizeof(pollfd)) + 64);
  if (!memory.ok()) return 1;
  Arena arena(*memory);
  const std::span<Channel> channels = arena.make<Channel>(count);
  const std::span<pollfd> polls = arena.make<pollfd>(count + 1);
  for (size_t i = 0; i < count; ++i) {
    const std::string_view argument = arguments[i];
    const size_t colon = std::min(argument.find(':'), argument.size() - 1);
    const auto fd = parse_number(argument.substr(0, colon), 0, 1 << 20);
    if (!fd || fcntl(static_cast<int>(*fd), F_SETFL, O_NONBLOCK) < 0) return 2;
    channels[i] = Channel(static_cast<int>(*fd), argument.substr(colon + 1));
    polls[i] = {static_cast<int>(*fd), POLLIN, 0};
  }
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const sys::Fd term(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  polls[count] = {term.get(), POLLIN, 0};

  bool dropping = false;
  while (polls[count].revents == 0) {
    (void)poll(polls.data(), polls.size(), dropping ? 1000 : -1);
    dropping = false;
    for (size_t i = 0; i < count; ++i) {
      if (polls[i].revents != 0) channels[i].take();
      dropping = channels[i].report_dropped() || dropping;
    }
  }
  // PID 1 sends SIGTERM when all others have stopped: what is in the pipes now is all there is.
  for (Channel& channel : channels) {
    while (channel.take()) {
    }
    channel.flush();
    channel.report_dropped();
  }
  return 0;
}

}  // namespace copal
