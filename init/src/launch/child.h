// From a fork to a running program. Everything is prepared before, in a Plan, so that the child
// only makes system calls: between clone and exec there is no memory to allocate, no file of names
// to read, and nothing that can wait.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/config.h"
#include "core/result.h"
#include "core/text.h"
#include "sys/fd.h"

namespace copal::launch {

struct Plan {
  const char* const* argv = nullptr;
  const char* const* env = nullptr;
  Account account;
  int32_t oom = 0;
  uint32_t nofile = 0;
  bool console = false;
  int output = -1;            // becomes stdout and stderr, if not the console
  std::span<const int> keep;  // descriptors that stay open in the program
};

// Where the child was when it failed.
enum class Stage : uint8_t { session, console, output, oom, nofile, keep, group, user, dir, exec };

struct Failure {
  Stage stage;
  int32_t error;
};

// "exec: No such file or directory"
Line describe(const Failure& failure);

// In the child. Replaces it by the program, or writes a Failure to `report` and ends.
[[noreturn]] void run(const Plan& plan, const sys::Fd& report);

}  // namespace copal::launch
