#include "log/input.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/kernel.h"

namespace copal::log {
namespace {

constexpr int kConsole = 1;         // stdout is /dev/kmsg
constexpr size_t kOnConsole = 900;  // the kernel's records are somewhat less than 1 KiB

int64_t clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
}

Stamp stamp_now() {
  return {clock(CLOCK_REALTIME), clock(CLOCK_MONOTONIC)};
}

}  // namespace

void Limit::earn(Time now) {
  allowance_ = std::min(allowance_ + (now - last_).count() * rate_, burst_ * kLine);
  last_ = now;
}

bool Limit::admit(Time now) {
  earn(now);
  if (left_out_ > 0 || allowance_ < kLine) return ++left_out_, false;
  allowance_ -= kLine;
  return true;
}

long Limit::settle(Time now) {
  if (left_out_ == 0) return 0;
  earn(now);
  if (allowance_ < rate_ * kLine) return 0;
  allowance_ -= kLine;
  return std::exchange(left_out_, 0);
}

void Input::write_console(size_t source, uint8_t level, std::string_view text) const {
  const Line head("<", kFromLog * 8 + level, ">", rings_[source].name, ": ");
  const auto part = [](std::string_view s) {
    return iovec{const_cast<char*>(s.data()), std::min(s.size(), kOnConsole)};
  };
  const std::array parts = {part(head.text()), part(text), part("\n")};
  (void)!writev(kConsole, parts.data(), parts.size());
}

void Input::keep(size_t source, uint8_t level, Stamp stamp, std::string_view text) {
  rings_.add(source, level, stamp, text);
  // What comes from the kernel's log is on the console.
  const bool there = source == kernel() || source == kernel() + 1;
  if (level > console_ || there || !sources_[source].console.admit(sys::now())) return;
  write_console(source, level, text);
}

void Input::add(size_t source, uint8_t level, Stamp stamp, std::string_view text) {
  if (sources_[source].limit.admit(sys::now())) keep(source, level, stamp, text);
}

void Input::say(uint8_t level, std::string_view text) {
  keep(kernel() + 2, level, stamp_now(), text);
}

bool Input::settle() {
  const Time now = sys::now();
  bool more = false;
  for (size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    const auto text = [](long lines) { return Line("(", lines, " lines left out)"); };
    const long lost = source.limit.settle(now);
    if (lost > 0) keep(i, kWarning, stamp_now(), text(lost).text());
    const long unseen = source.console.settle(now);
    if (unseen > 0) write_console(i, kWarning, text(unseen).text());
    more |= source.limit.unsettled() || source.console.unsettled();
  }
  return more;
}

void Input::flush(size_t index) {
  Source& source = sources_[index];
  if (source.size == 0) return;
  const std::span<char> text = source.line.first(source.size);
  if (source.cut) std::memcpy(text.last(3).data(), "...", 3);
  clean(text);
  std::string_view line(text.data(), text.size());
  const uint8_t level = take_level(line);
  add(index, level, stamp_now(), line);
  source.size = 0;
  source.cut = false;
}

bool Input::take(size_t index) {
  Source& source = sources_[index];
  std::array<char, 16384> buffer;
  const ssize_t n = read(source.fd, buffer.data(), buffer.size());
  if (n == 0) source.fd = -1;
  if (n <= 0) return false;
  std::string_view rest(buffer.data(), static_cast<size_t>(n));
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::span<char> room = source.line.subspan(source.size);
    const size_t fits = std::min(end, room.size());
    std::copy_n(rest.begin(), fits, room.begin());
    source.size += fits;
    source.cut |= fits < end;
    if (end < rest.size()) flush(index);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return true;
}

bool Input::take_kernel(int& fd) {
  std::array<char, 8192> buffer;
  const ssize_t n = read(fd, buffer.data(), buffer.size());
  // EPIPE: what came next has been overwritten, and the read after that gets what there is.
  if (n < 0 && errno == EPIPE) return true;
  if (n <= 0) {
    if (n == 0 || errno != EAGAIN) fd = -1;
    return false;
  }
  const auto message = parse_kernel({buffer.data(), static_cast<size_t>(n)});
  if (!message) return true;
  const Stamp now = stamp_now();
  const Stamp stamp{now.realtime - now.monotonic + message->time, message->time};
  const long lost = message->sequence - std::exchange(next_of_kernel_, message->sequence + 1);
  if (lost > 0 && lost < message->sequence) {
    keep(kernel(), kWarning, stamp, Line("(", lost, " lines left out)").text());
  }
  if (message->facility == kFromLog) return true;
  constexpr std::string_view kInit = "init: ";
  std::string_view text = message->text.substr(0, kMaxText);
  const bool init = message->facility == kFromInit && text.starts_with(kInit);
  if (init) text.remove_prefix(kInit.size());
  clean({const_cast<char*>(text.data()), text.size()});  // in the buffer
  add(kernel() + (init ? 1 : 0), message->level, stamp, text);
  return true;
}

}  // namespace copal::log
