#include "disk/spec.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/mount.h>
#include <utility>

#include "init/machine.h"
#include "sys/config_files.h"

namespace copal {
namespace {

constexpr size_t kMaxDisks = 64;
constexpr std::string_view kBootName = "persist";  // of the kernel's command line's
constexpr std::array<std::string_view, 3> kTypes = {"any", "ext4", "xfs"};

enum Key : size_t { find, mount, type, format, label, check, grow, options, wait, optional };

constexpr std::array kDiskKeys = {
    KeyRow{"find", 2, 2, false,
           "label NAME | uuid UUID | partlabel NAME | partuuid UUID | size LEAST..MOST | path "
           "/dev/NAME"},
    KeyRow{"mount", 1, 1, false, "/var/persist[/FOLDER]"},
    KeyRow{"type", 1, 1, false, "any | ext4 | xfs"},
    KeyRow{"format", 1, 1, false, "no | if-empty"},
    KeyRow{"label", 1, 1, false, "NAME, that a file system made here gets"},
    KeyRow{"check", 1, 1, false, "yes | no"},
    KeyRow{"grow", 1, 1, false, "yes | no"},
    KeyRow{"options", 1, 5, false, "noexec | noatime | lazytime | suid | dev..."},
    KeyRow{"wait", 1, 1, false, "TIME"},
    KeyRow{"optional", 1, 1, false, "yes | no"},
};

constexpr std::array<std::string_view, 2> kNoYes = {"no", "yes"};

void set_size(Lines& lines, const Word& range, Disk& disk) {
  const size_t dots = range.text.find("..");
  if (dots == std::string_view::npos) {
    return lines.error(range, Line("expected LEAST..MOST, as in 10G..2T"));
  }
  const Word least{range.text.substr(0, dots), range.column};
  const Word most{range.text.substr(dots + 2), range.column + static_cast<uint32_t>(dots) + 2};
  if (lines.read_size(least, disk.least) && lines.read_size(most, disk.most) &&
      disk.least > disk.most) {
    lines.error(range, Line("the least is more than the most"));
  }
}

void set_find(Lines& lines, Words words, Disk& disk) {
  constexpr std::array<std::string_view, 6> kNames = {"label",    "uuid", "partlabel",
                                                      "partuuid", "size", "path"};
  if (!lines.choose(words[0], kNames, disk.find)) return;
  disk.wanted = words[1].text;
  if (disk.find == Find::size) set_size(lines, words[1], disk);
  if (disk.find == Find::path && !disk.wanted.starts_with("/dev/")) {
    lines.error(words[1], Line("a device is below /dev"));
  }
}

// Only there: all else of a machine is as the image says.
bool is_place(std::string_view path) {
  return path == "/var/persist" || (path.starts_with("/var/persist/") && path.back() != '/' &&
                                    path.find("//") == path.npos && path.find("/.") == path.npos);
}

void set_options(Lines& lines, Words words, Disk& disk) {
  constexpr std::array<std::string_view, 5> kNames = {"noexec", "noatime", "lazytime", "suid",
                                                      "dev"};
  constexpr std::array<unsigned long, 5> kFlags = {MS_NOEXEC, MS_NOATIME, MS_LAZYTIME, MS_NOSUID,
                                                   MS_NODEV};
  size_t i = 0;
  for (const Word& word : words) {
    if (!lines.choose(word, kNames, i)) continue;
    // The last two are words for what is not allowed by default.
    disk.flags = i < 3 ? disk.flags | kFlags[i] : disk.flags & ~kFlags[i];
  }
}

void set(Lines& lines, Arena& arena, Disk& disk) {
  const Words words = lines.words();
  const Word& word = words[0];
  switch (static_cast<Key>(lines.key())) {
    case find: return set_find(lines, words, disk);
    case mount:
      disk.mount = arena.copy(word.text);
      if (!is_place(word.text)) lines.error(word, Line("expected /var/persist or a folder in it"));
      return;
    case type: return (void)lines.choose(word, kTypes, disk.type);
    case format:
      return (void)lines.choose(word, std::array<std::string_view, 2>{"no", "if-empty"},
                                disk.format);
    case label:
      disk.label = arena.copy(word.text);
      if (word.text.size() > 16) lines.error(word, Line("a label has at most 16 bytes"));
      return;
    case check: return (void)lines.choose(word, kNoYes, disk.check);
    case grow: return (void)lines.choose(word, kNoYes, disk.grow);
    case options: return set_options(lines, words, disk);
    case wait: return (void)lines.read(word, disk.wait);
    case optional: return (void)lines.choose(word, kNoYes, disk.optional);
  }
}

}  // namespace

Disk parse_disk(std::string_view name, std::string_view file, std::string_view text, Arena& arena,
                Reporter& reporter) {
  Disk disk;
  disk.name = name;
  Lines lines(kDiskKeys, file, text, reporter);
  while (lines.next()) set(lines, arena, disk);
  // What is missing may be what could not be read.
  if (!lines.bad() && !lines.seen(Key::find))
    lines.file_error(Line("write `find = `: which disk?"));
  if (disk.format && (disk.find == Find::label || disk.find == Find::uuid) && !lines.bad()) {
    lines.file_error(
        Line("an empty disk has no label and no UUID: to format one, find it by size, "
             "path, partlabel or partuuid, and give it a `label`"));
  }
  if (disk.format && disk.type == Type::xfs) lines.file_error(Line("only ext4 can be made here"));
  disk.bad = lines.bad();
  return disk;
}

std::string_view boot_disk(std::string_view command_line, Arena& arena) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kForms = {
      {{"LABEL=", "label "},
       {"UUID=", "uuid "},
       {"PARTLABEL=", "partlabel "},
       {"PARTUUID=", "partuuid "},
       {"size:", "size "},
       {"/dev/", "path /dev/"}}};
  const std::string_view disk = kernel_argument(command_line, "copal.disk");
  const std::string_view format = kernel_argument(command_line, "copal.disk-format");
  if (disk.empty() && format.empty()) return {};
  Line text("find = ");
  std::string_view rest = disk;
  for (const auto& [mark, word] : kForms) {
    if (!disk.starts_with(mark)) continue;
    text.add(word);
    rest.remove_prefix(mark.size());
  }
  if (!rest.empty()) text.add(rest);
  if (!format.empty()) text.add("\nformat = ").add(format);
  return arena.copy(text.text());
}

std::span<Disk> load_disks(const sys::Fd& root, std::string_view command_line, Arena& arena,
                           Reporter& reporter) {
  const std::span<sys::ConfigFile> files =
      sys::load_config_files(root, "disks", kMaxDisks, arena, reporter);
  const std::string_view boot = boot_disk(command_line, arena);
  const std::span<Disk> disks = arena.make<Disk>(files.size() + 1);
  size_t count = 0;
  for (const sys::ConfigFile& file : files) {
    if (file.name == kBootName && !boot.empty()) continue;
    disks[count++] = parse_disk(file.name, file.path, file.text, arena, reporter);
  }
  if (!boot.empty()) disks[count++] = parse_disk(kBootName, "copal.disk", boot, arena, reporter);
  const std::span<Disk> there = disks.first(count);
  std::sort(there.begin(), there.end(),
            [](const Disk& a, const Disk& b) { return a.mount < b.mount; });
  for (size_t i = 1; i < there.size(); ++i) {
    if (there[i].mount != there[i - 1].mount) continue;
    there[i].bad = there[i - 1].bad = true;
    report(reporter, there[i].name, Line("is mounted where ", there[i - 1].name, " is").text());
  }
  return there;
}

}  // namespace copal
