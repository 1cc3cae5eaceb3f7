// Takes what services print and what the kernel's log has, puts it into the rings, and what is
// important on the console. Who prints too much is cut short, and the log says by how much.
#pragma once

#include <algorithm>
#include <utility>

#include "core/time.h"
#include "log/ring.h"

namespace copal::log {

// So many lines a second, and `burst` at once after a quiet time. Once a line is left out, so are
// the next, until a second's worth is free again and that has been told.
class Limit {
 public:
  Limit(long rate, long burst) : rate_(rate), burst_(burst), allowance_(burst * kLine) {}

  bool admit(Time now);
  // How many were left out, if it is time to tell.
  long settle(Time now);
  [[nodiscard]] bool unsettled() const { return left_out_ > 0; }

 private:
  static constexpr long kLine = 1000;  // allowance is counted in thousandths of a line
  void earn(Time now);

  long rate_;
  long burst_;
  long allowance_;
  long left_out_ = 0;
  Time last_{};
};

struct Source {
  int fd = -1;
  std::span<char> line;  // the beginning of one, as far as it has been read
  size_t size = 0;
  bool cut = false;  // it was longer than that
  Limit limit{1000, 5000};
  // So few that a flood cannot wash the kernel's own messages away.
  Limit console{100, 100};
};

class Input {
 public:
  // One ring for each source, and then those of the kernel, of init and of the log itself.
  static constexpr size_t kOthers = 3;

  Input(Rings& rings, std::span<Source> sources, uint8_t console)
      : rings_(rings), sources_(sources), console_(console) {}

  // Read once. False: there was nothing to read. What has come to its end is -1 then.
  bool take(size_t index);
  bool take_kernel(int& fd);
  // The last line may have no end.
  void flush(size_t index);
  // Tells what was left out. True: there is more to tell, in a second.
  bool settle();
  // A line of the log's own.
  void say(uint8_t level, std::string_view text);
  [[nodiscard]] const Rings& rings() const { return rings_; }

 private:
  void add(size_t source, uint8_t level, Stamp stamp, std::string_view text);
  void keep(size_t source, uint8_t level, Stamp stamp, std::string_view text);
  void write_console(size_t source, uint8_t level, std::string_view text) const;
  [[nodiscard]] size_t kernel() const { return sources_.size() - kOthers; }

  Rings& rings_;
  std::span<Source> sources_;
  uint8_t console_;
  long next_of_kernel_ = 0;
};

}  // namespace copal::log
