// A disk file: /etc/disks/<name> of the image and /run/config/disks/<name> of the machine, which
// wins. `key = words` as in a service file; the keys are in spec.cc. The image build checks them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <sys/mount.h>

#include "core/arena.h"
#include "core/config.h"
#include "sys/fd.h"

namespace copal {

enum class Type : uint8_t { any, ext4, xfs };
enum class Format : uint8_t { no, if_empty, each_boot };
enum class Find : uint8_t { label, uuid, partlabel, partuuid, size, path };

struct Disk {
  std::string_view name;
  bool bad = false;
  Find find = Find::label;
  std::string_view wanted;  // as written: all that messages need
  uint64_t least = 0;       // for size, in bytes
  uint64_t most = 0;
  std::string_view mount = "/var/persist";
  Type type = Type::any;
  std::string_view label;  // of a file system that is made
  Format format = Format::no;
  bool check = true;
  bool grow = true;
  bool optional = false;
  bool repair = false;  // this boot only, by the kernel's command line
  bool erase = false;
  Duration wait = std::chrono::seconds(10);
  unsigned long flags = MS_NOSUID | MS_NODEV;
};

Disk parse_disk(std::string_view name, std::string_view file, std::string_view text, Arena& arena,
                Reporter& reporter);

// The file that `copal.disk=` and `copal.disk-format=` on the kernel's command line stand for;
// empty if there is none.
std::string_view boot_disk(std::string_view command_line, Arena& arena);

// All below `root`, and the kernel's command line's, which is called `persist`. Sorted by where
// they are mounted, so that a folder comes before what is in it. `copal.disk-repair=` and
// `copal.disk-erase=` name one of them.
std::span<Disk> load_disks(const sys::Fd& root, std::string_view command_line, Arena& arena,
                           Reporter& reporter);

}  // namespace copal
