// Disk files, and what stands for one on the kernel's command line.
#include <algorithm>
#include <vector>

#include "disk/spec.h"

namespace copal {
namespace {

void hold(bool truth) {
  if (!truth) __builtin_trap();
}

class Count final : public Reporter {
 public:
  void problem(const Place& /*place*/, std::string_view /*message*/) override { ++problems; }
  int problems = 0;
};

void check(std::string_view text, Arena& arena) {
  Count count;
  const Disk disk = parse_disk("data", "data", text, arena, count);
  hold(disk.bad == (count.problems != 0));
  if (disk.bad) return;
  hold(disk.mount == "/var/persist" || disk.mount.starts_with("/var/persist/"));
  hold(disk.mount.find("..") == std::string_view::npos ||
       disk.mount.find("/..") == std::string_view::npos);
  hold(disk.least <= disk.most && disk.label.size() <= 16);
  hold(disk.format == Format::no || (disk.find != Find::label && disk.find != Find::uuid));
}

}  // namespace
}  // namespace copal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::byte> block(size_t{1} << 20);
  copal::Arena arena(block);
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  copal::check(input, arena);
  copal::check(copal::boot_disk(input, arena), arena);
  return 0;
}
