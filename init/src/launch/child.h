// From a fork to a running program. Everything is prepared before, in a Plan, so that the child
// only makes system calls: between clone and exec there is no memory to allocate, no file of names
// to read, and nothing that can wait.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>

#include "core/config.h"
#include "core/text.h"
#include "sys/fd.h"

namespace copal::launch {

struct Plan {
  const char* const* argv = nullptr;
  const char* const* env = nullptr;
  const Spec* spec = nullptr;
  std::span<const sock_filter> filter;  // empty: none
  int output = -1;                      // becomes stdout and stderr, if not the console
  std::span<const int> keep;            // descriptors that stay open in the program
  std::span<char> watched;              // of env: where the child writes its number, after `=`
};

// Where the child was when it failed; or `begun`: it has descriptors of its own, and PID 1 may
// close those that it was given.
enum class Stage : uint8_t {
  begun,
  session,
  console,
  output,
  ready,
  limits,
  keep,
  namespaces,
  write,
  mounts,
  bind,
  tmpfs,
  hide,
  dev,
  proc,
  net,
  groups,
  user,
  caps,
  new_privs,
  landlock,
  seccomp,
  dir,
  exec
};

struct News {
  Stage stage;
  int32_t error;
  const char* detail;  // which path or program; the same address in the parent; may be null
};

// "exec /usr/bin/x: No such file or directory"
Line describe(const News& failure);

// Whether the child, instead of a copy of each of PID 1's thousands of descriptors, is to share
// PID 1's own table until it has begun.
inline bool shares_files(const Plan& plan) {
  return plan.keep.empty();
}

// In the child. Writes to `report` that it has begun, and then replaces itself by the program, or
// writes what failed and ends. `ready` becomes descriptor 3 if it is open.
[[noreturn]] void run(const Plan& plan, const sys::Fd& report, const sys::Fd& ready);

}  // namespace copal::launch
