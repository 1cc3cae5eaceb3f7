// Asks PID 1 (see init/control.h): what copalctl and the status page share.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "core/arena.h"
#include "core/result.h"
#include "core/time.h"
#include "sys/fd.h"

namespace copal::ctl {

// Enough for all rows, of which each may name all services. Only what is used is real.
inline constexpr size_t kRoomForRows = size_t{128} << 20;

// What PID 1 tells of one service. Times are since boot; `ready` is zero if it never was.
struct Row {
  std::string_view name;
  std::string_view kind;
  std::string_view state;
  long starts = 0;
  long pid = 0;
  Time since{};
  Time started{};
  Time ready{};
  std::string_view exit;
  std::string_view needs;
};

class Client {
 public:
  Status connect(const char* path);
  // The answer is good until the next request.
  Result<std::string_view> ask(std::string_view request);
  // All services, in the arena.
  Result<std::span<Row>> services(Arena& arena);

 private:
  sys::Fd socket_;
  std::array<char, 65536> answer_{};  // Answer::kSize
};

}  // namespace copal::ctl
