// The machine's block devices, as the kernel lists them and as their bytes say; and what tells that
// one has come.
#pragma once

#include "core/time.h"
#include "disk/spec.h"
#include "disk/volume.h"

namespace copal {

class DeviceFile final : public Source {
 public:
  explicit DeviceFile(const char* path);
  bool read(uint64_t at, std::span<std::byte> to) override;
  [[nodiscard]] uint64_t size() const override { return size_; }
  [[nodiscard]] uint32_t sector() const { return sector_; }

 private:
  sys::Fd file_;
  uint64_t size_ = 0;
  uint32_t sector_ = 0;
};

struct Device {
  Line name;  // "vda1"
  Line path;  // "/dev/vda1"
  uint64_t size = 0;
  Volume volume;
};

// What a disk file asks for, among all that is there.
struct Search {
  int count = 0;
  Device found;
  Line another;  // where there are several
};
Search search(const Disk& disk);
// A line for each: "persist: there is /dev/vda (20480 MiB: GPT)"
void print_devices(std::string_view subject);

// Netlink's broadcasts of the kernel: nothing is polled, and nothing is missed that comes after
// this was made.
class DeviceEvents {
 public:
  DeviceEvents();
  // Until a block device has come or changed. False: the time is over.
  [[nodiscard]] bool wait(Time deadline) const;

 private:
  sys::Fd socket_;
};

}  // namespace copal
