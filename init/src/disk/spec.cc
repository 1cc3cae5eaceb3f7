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
constexpr std::array<std::string_view, 3> kFormats = {"no", "if-empty", "each-boot"};

enum Key : size_t { find, mount, type, format, label, check, grow, options, wait, optional };

constexpr std::array kDiskKeys = {
    KeyRow{"find", 2, 2, false,
           "label NAME | uuid UUID | partlabel NAME | partuuid UUID | size LEAST..MOST | path "
           "/dev/NAME"},
    KeyRow{"mount", 1, 1, false, "/var/persist[/FOLDER]"},
    KeyRow{"type", 1, 1, false, "any | ext4 | xfs"},
    KeyRow{"format", 1, 1, false, "no | if-empty | each-boot"},
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

// As long as a file's name may be, so that it can be one and no message cuts it off.
constexpr size_t kMaxPath = 255;

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() + 1 && path.starts_with(folder) &&
         path[folder.size()] == '/' && path.back() != '/' && path.find("//") == path.npos &&
         path.find("/.") == path.npos && path.size() <= kMaxPath;
}

// Each x of the form is a hexadecimal digit.
bool has_form(std::string_view text, std::string_view form) {
  return std::equal(text.begin(), text.end(), form.begin(), form.end(), [](char c, char f) {
    const bool digit = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
    return f == 'x' ? digit : c == f;
  });
}
bool is_uuid(std::string_view text) {
  return has_form(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

// Ext4's field for it; XFS's is shorter, which counts where `type` says so.
constexpr size_t kMaxLabel = 16;
constexpr size_t kMaxXfsLabel = 12;

void check_label(Lines& lines, const Word& word) {
  if (word.text.empty() || word.text.size() > kMaxLabel) {
    lines.error(word, Line("a label has 1 to ", kMaxLabel, " bytes, not ", word.text.size()));
  }
}

void check_partlabel(Lines& lines, const Word& word) {
  const auto ascii = [](char c) { return c >= ' ' && c <= '~'; };
  if (word.text.empty() || word.text.size() > 36 ||
      !std::all_of(word.text.begin(), word.text.end(), ascii)) {
    lines.error(word, Line("a partition is found by a name of 1 to 36 ASCII characters"));
  }
}

void check_uuid(Lines& lines, const Word& word) {
  if (is_uuid(word.text)) return;
  Line message("expected a UUID, as in 0f2c7a52-3c1e-4e55-9d0c-2f6d1f3b7a11");
  if (has_form(word.text, "xxxxxxxx-xx")) message.add("; that of a partition is a `partuuid`");
  lines.error(word, message);
}

// A GPT's has one in its table; an MBR's is its disk's signature and its number.
void check_partuuid(Lines& lines, const Word& word) {
  const bool mbr = has_form(word.text, "xxxxxxxx-xx") && !word.text.ends_with("-00");
  if (mbr || is_uuid(word.text)) return;
  lines.error(word, Line("expected the UUID of a partition: of a GPT, as in "
                         "0f2c7a52-3c1e-4e55-9d0c-2f6d1f3b7a11, or of an MBR, as in 5f2a9c10-01"));
}

void check_path(Lines& lines, const Word& word) {
  if (!is_below(word.text, "/dev")) {
    lines.error(word, Line("a device is below /dev, as in /dev/vdb"));
  } else if (is_below(word.text, "/dev/disk") || is_below(word.text, "/dev/mapper")) {
    lines.error(word, Line("links are not looked at: find it by label, uuid, partlabel or "
                           "partuuid"));
  }
}

// What no disk can be called would never be found, or be any.
void set_find(Lines& lines, Words words, Disk& disk) {
  constexpr std::array<std::string_view, 6> kNames = {"label",    "uuid", "partlabel",
                                                      "partuuid", "size", "path"};
  if (!lines.choose(words[0], kNames, disk.find)) return;
  const Word& wanted = words[1];
  disk.wanted = wanted.text;
  switch (disk.find) {
    case Find::label: return check_label(lines, wanted);
    case Find::uuid: return check_uuid(lines, wanted);
    case Find::partlabel: return check_partlabel(lines, wanted);
    case Find::partuuid: return check_partuuid(lines, wanted);
    case Find::size: return set_size(lines, wanted, disk);
    case Find::path: return check_path(lines, wanted);
  }
}

// Only there: all else of a machine is as the image says.
bool is_place(std::string_view path) {
  return path == "/var/persist" || is_below(path, "/var/persist");
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
    case format: return (void)lines.choose(word, kFormats, disk.format);
    case label: disk.label = arena.copy(word.text); return check_label(lines, word);
    case check: return (void)lines.choose(word, kNoYes, disk.check);
    case grow: return (void)lines.choose(word, kNoYes, disk.grow);
    case options: return set_options(lines, words, disk);
    case wait: return (void)lines.read(word, disk.wait);
    case optional: return (void)lines.choose(word, kNoYes, disk.optional);
  }
}

// What each key says for itself may be impossible with what others say.
void check_together(Lines& lines, const Disk& disk) {
  if (!lines.seen(Key::find)) return lines.file_error(Line("write `find = `: which disk?"));
  const bool made = disk.format != Format::no;
  if (made && (disk.find == Find::label || disk.find == Find::uuid)) {
    return lines.file_error(
        Line("an empty disk has no label and no UUID: to format one, find it by size, "
             "path, partlabel or partuuid, and give it a `label`"));
  }
  if (!made && lines.seen(Key::label)) {
    lines.file_error(
        Line("`label` is what a file system gets that is made: write `format = "
             "if-empty`, or to find one `find = label ",
             disk.label, "`"));
  }
  if (disk.type != Type::xfs) return;
  if (made) lines.file_error(Line("only ext4 can be made here"));
  if (disk.find == Find::label && disk.wanted.size() > kMaxXfsLabel) {
    lines.file_error(Line("the label of an XFS has at most ", kMaxXfsLabel, " bytes"));
  }
  if ((lines.seen(Key::check) && disk.check) || (lines.seen(Key::grow) && disk.grow)) {
    lines.file_error(Line("an XFS is neither checked nor grown here, but its journal replayed"));
  }
}

// For one boot, the kernel's command line says something of the disk that it names.
void mark(std::span<Disk> disks, std::string_view command_line, std::string_view key,
          bool Disk::*flag, Reporter& reporter) {
  const std::string_view name = kernel_argument(command_line, key);
  if (name.empty()) return;
  for (Disk& disk : disks) {
    if (disk.name != name) continue;
    disk.*flag = true;
    return;
  }
  report(reporter, key, Line("there is no disk file '", name, "'").text());
}

}  // namespace

Disk parse_disk(std::string_view name, std::string_view file, std::string_view text, Arena& arena,
                Reporter& reporter) {
  Disk disk;
  disk.name = name;
  Lines lines(kDiskKeys, file, text, reporter);
  while (lines.next()) set(lines, arena, disk);
  // What is missing, or seems to contradict, may be what could not be read.
  if (!lines.bad()) check_together(lines, disk);
  disk.bad = lines.bad();
  return disk;
}

std::string_view boot_disk(std::string_view command_line, Arena& arena) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kForms = {
      {{"LABEL=", "label \""},
       {"UUID=", "uuid \""},
       {"PARTLABEL=", "partlabel \""},
       {"PARTUUID=", "partuuid \""},
       {"size:", "size \""},
       {"/dev/", "path \"/dev/"}}};
  const std::string_view disk = kernel_argument(command_line, "copal.disk");
  const std::string_view format = kernel_argument(command_line, "copal.disk-format");
  if (disk.empty() && format.empty()) return {};
  Line text("find = ");
  std::string_view rest = disk;
  for (const auto& [mark, word] : kForms) {
    if (!disk.starts_with(mark)) continue;
    text.add(word);
    rest.remove_prefix(mark.size());
    text.add(rest).add("\"");
    rest = {};
  }
  text.add(rest);
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
  mark(there, command_line, "copal.disk-repair", &Disk::repair, reporter);
  mark(there, command_line, "copal.disk-erase", &Disk::erase, reporter);
  for (Disk& disk : there) {
    if (!disk.erase || disk.format != Format::no) continue;
    disk.bad = true;
    report(reporter, "copal.disk-erase",
           Line("the file of '", disk.name, "' says `format = no`").text());
  }
  return there;
}

}  // namespace copal
