// Where records go: clients of the log's socket, and a collector. None is ever waited for: each
// reads the rings at its own pace, and is told what it missed.
#pragma once

#include "core/time.h"
#include "log/input.h"
#include "sys/fd.h"

namespace copal::log {

// A descriptor, and the message that it has yet to take.
struct Stream {
  sys::Fd fd;
  Reader reader;
  std::array<char, kMaxMessage> buffer;
  size_t size = 0;
  size_t sent = 0;
  bool busy = false;  // there is more to send

  // 0, or errno: EAGAIN if it takes no more now.
  int send();
};

class Client {
 public:
  [[nodiscard]] int fd() const { return stream_.fd.get(); }
  [[nodiscard]] short events() const;
  void open(sys::Fd fd);
  void turn(const Rings& rings, short events);

 private:
  void ask(const Rings& rings);
  void refuse(std::string_view why);
  void answer(const Rings& rings);

  Stream stream_;
  bool asked_ = false;
  bool follow_ = false;
};

class Collector {
 public:
  Collector(const Rings& rings, std::string_view name)
      : name_(name), address_(parse_address(name)) {
    stream_.reader.start(rings, {}, UINT64_MAX);
  }

  [[nodiscard]] int fd() const { return stream_.fd.get(); }
  [[nodiscard]] short events() const;
  // When to take a turn although nothing happens.
  [[nodiscard]] Time deadline() const;
  void turn(Input& input, Time now, short events);
  // It is there, and has not got everything yet.
  [[nodiscard]] bool owed() const { return stream_.fd.open() && !connecting_ && stream_.busy; }

 private:
  void connect(Input& input, Time now);
  void fail(Input& input, Time now, int error);
  int transmit(const Rings& rings, Time now);

  std::string_view name_;
  std::optional<Address> address_;
  Stream stream_;
  std::array<char, 65> host_{};
  bool connecting_ = false;
  Time connected_{};
  Time next_{};
  Duration delay_{};
  int told_ = -1;
};

}  // namespace copal::log
