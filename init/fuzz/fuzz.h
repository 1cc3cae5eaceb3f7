// What the targets share. Each defines fuzz(), which is given one input; a target holds more than
// "it does not crash" wherever there is more to hold: then it says so with hold().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace copal {

inline void hold(bool truth) {
  if (!truth) __builtin_trap();
}

void fuzz(std::string_view input);

}  // namespace copal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  copal::fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
