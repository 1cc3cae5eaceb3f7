#include "disk/device.h"

#include <linux/fs.h>
#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/dir.h"
#include "sys/kernel.h"
#include "sys/print.h"

namespace copal {
namespace {

constexpr const char* kBlocks = "/sys/class/block/";

uint64_t attribute(std::string_view name, const char* file) {
  std::array<char, 64> buffer;
  auto text = sys::read_file(Line(kBlocks, name, "/", file).c_str(), buffer);
  std::string_view rest = text.ok() ? *text : std::string_view();
  return static_cast<uint64_t>(parse_number(take_word(rest), 0, 1L << 54).value_or(0));
}

Line path_of(std::string_view name) {
  Line path("/dev/");
  // The kernel writes ! for a / in the name of a device.
  for (const char& c : name) path.add(c == '!' ? std::string_view("/") : std::string_view(&c, 1));
  return path;
}

// A disk of the machine; not a partition, a RAID, a CD or what is in a file.
bool is_whole_disk(const char* name) {
  return access(Line(kBlocks, name, "/device").c_str(), F_OK) == 0 &&
         access(Line(kBlocks, name, "/partition").c_str(), F_OK) < 0 && attribute(name, "ro") == 0;
}

// From the table on its disk, if the kernel has read the same there.
std::optional<Partition> partition_of(std::string_view name) {
  std::array<char, 512> target;
  const ssize_t n = readlink(Line(kBlocks, name).c_str(), target.data(), target.size());
  const auto number = static_cast<uint32_t>(attribute(name, "partition"));
  if (n <= 0 || number == 0) return {};
  std::string_view disk(target.data(), static_cast<size_t>(n));
  disk = disk.substr(0, disk.rfind('/'));
  DeviceFile file(path_of(disk.substr(disk.rfind('/') + 1)).c_str());
  const auto partition = find_partition(file, file.sector(), number);
  if (!partition) return {};
  const uint64_t start = attribute(name, "start") * 512;
  return partition->start.value_or(start) == start ? partition : std::nullopt;
}

bool same_uuid(std::string_view wanted, const std::array<char, 37>& uuid) {
  const std::string_view there(uuid.data());
  return wanted.size() == there.size() &&
         strncasecmp(wanted.data(), there.data(), there.size()) == 0;
}

bool matches(const Disk& disk, const char* name, Device& device) {
  switch (disk.find) {
    case Find::label:
      return device.volume.file_system() && disk.wanted == device.volume.label.data();
    case Find::uuid:
      return device.volume.file_system() && same_uuid(disk.wanted, device.volume.uuid);
    case Find::path: return disk.wanted == device.path.text();
    case Find::size:
      return device.size >= disk.least && device.size <= disk.most && is_whole_disk(name);
    case Find::partlabel:
    case Find::partuuid: break;
  }
  const auto partition = partition_of(name);
  if (!partition) return false;
  return disk.find == Find::partuuid ? same_uuid(disk.wanted, partition->uuid)
                                     : disk.wanted == partition->label.data();
}

// Calls use(name, device) for all that hold something and are no part of a RAID or the like.
template <typename Use>
void each_device(const Use& use) {
  sys::Dir blocks(sys::Fd(), kBlocks);
  while (const char* name = blocks.next()) {
    const bool held = sys::Dir(sys::Fd(), Line(kBlocks, name, "/holders").c_str()).next();
    Device device{Line(name), path_of(name), attribute(name, "size") * 512, {}};
    if (held || device.size == 0) continue;
    DeviceFile file(device.path.c_str());
    device.volume = examine(file, file.sector());
    use(name, device);
  }
}

}  // namespace

DeviceFile::DeviceFile(const char* path) {
  auto file = sys::open(path, O_RDONLY | O_NONBLOCK);
  int sector = 0;
  if (!file.ok() || ioctl(file->get(), BLKSSZGET, &sector) < 0) return;
  file_ = std::move(*file);
  sector_ = static_cast<uint32_t>(sector);
  size_ = static_cast<uint64_t>(std::max<off_t>(0, lseek(file_.get(), 0, SEEK_END)));
}

bool DeviceFile::read(uint64_t at, std::span<std::byte> to) {
  while (!to.empty()) {
    const ssize_t n = pread(file_.get(), to.data(), to.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += static_cast<uint64_t>(n);
    to = to.subspan(static_cast<size_t>(n));
  }
  return true;
}

Search search(const Disk& disk) {
  Search result;
  each_device([&](const char* name, Device& device) {
    if (!matches(disk, name, device)) return;
    if (result.count++ == 0)
      result.found = device;
    else
      result.another = device.path;
  });
  return result;
}

void print_devices(std::string_view subject) {
  each_device([&](const char*, Device& device) {
    sys::print(Line(subject, ": there is ", device.path.text(), " (", device.size >> 20,
                    " MiB: ", describe(device.volume).text(), ")\n"));
  });
}

DeviceEvents::DeviceEvents()
    : socket_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT)) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1;  // the kernel's own, before any udev
  if (bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    socket_.reset();
  }
}

bool DeviceEvents::wait(Time deadline) const {
  while (true) {
    const Time left = deadline - sys::now();
    if (left <= Time{}) return false;
    pollfd wait{socket_.get(), POLLIN, 0};
    (void)poll(&wait, 1, static_cast<int>(left.count()));
    bool changed = false;
    std::array<char, 8192> message;
    sockaddr_nl from{};
    while (true) {
      socklen_t size = sizeof from;
      const ssize_t n = recvfrom(socket_.get(), message.data(), message.size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 0 && errno != ENOBUFS) break;
      // Where some were lost, one of them may have been it.
      const std::string_view text(message.data(), n > 0 ? static_cast<size_t>(n) : 0);
      changed = changed || n < 0 ||
                (from.nl_pid == 0 && text.find("SUBSYSTEM=block") != std::string_view::npos);
    }
    if (changed) return true;
  }
}

}  // namespace copal
