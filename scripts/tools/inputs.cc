// The inputs of entries that are to be built; see inputs.h.
#include "inputs.h"

#include <filesystem>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "entry.h"
#include "file.h"
#include "sha256.h"
#include "text.h"
#include "tree.h"

namespace copal {
namespace {

Status make_folders(const std::string& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) return Error{"cannot make the folder " + path + ": " + code.message()};
  return Ok{};
}

std::string bytes_path(const std::string& folder, const Content& content) {
  return folder + "/.bytes/" + content.detail;
}

bool has_bytes(const Content& content) {
  return content.role != "folder" && content.role != "link";
}

Status place(const std::string& folder, const Content& content, const std::string& path,
             std::int64_t mtime) {
  if (content.role == "folder") {
    if (auto made = make_folders(path); !made) return made;
    if (::chmod(path.c_str(), 0755) != 0) return os_error("set the mode of", path);
    return Ok{};
  }
  if (content.role == "link") {
    if (::symlink(content.detail.c_str(), path.c_str()) != 0)
      return os_error("make the link", path);
    return set_time(path, mtime);
  }
  const auto bytes = read_file(bytes_path(folder, content));
  if (!bytes) return bytes.error();
  if (sha256(*bytes) != content.detail)
    return Error{bytes_path(folder, content) + " is damaged; remove it, and run make again"};
  if (auto written = write_file(path, *bytes); !written) return written;
  if (::chmod(path.c_str(), content.executable ? 0755 : 0644) != 0)
    return os_error("set the mode of", path);
  return set_time(path, mtime);
}

}  // namespace

Status keep_inputs(const std::string& folder, const Keyed& keyed) {
  if (auto made = make_folders(folder + "/.bytes"); !made) return made;
  for (const auto& content : keyed.contents) {
    const auto path = bytes_path(folder, content);
    if (!has_bytes(content) || exists(path)) continue;
    const auto bytes = bytes_of(content);
    if (!bytes) return bytes.error();
    if (sha256(*bytes) != content.detail)
      return Error{content.from + " was changed this very moment; run make again"};
    if (auto written = write_file(path, *bytes); !written) return written;
  }
  // Last: an inputs file that is there is complete.
  return write_if_changed(folder + "/" + keyed.entry, keyed.inputs);
}

Status stage(const std::string& folder, const std::string& entry, const std::string& work,
             std::int64_t mtime) {
  const auto inputs = read_file(folder + "/" + entry);
  if (!inputs) return inputs.error();
  if (!entry.ends_with("-" + key_of(*inputs)))
    return Error{folder + "/" + entry + " was changed by hand or damaged; run make again"};
  if (auto made = make_folders(work); !made) return made;
  if (auto kept = write_file(work + "/inputs", *inputs); !kept) return kept;
  std::set<std::string> folders;
  for (const auto line : lines(*inputs)) {
    if (!is_content(line)) continue;
    const auto content = parse_content(line);
    if (!content) return content.error();
    const auto path = work + "/" + content->to;
    if (auto made = make_folders(path.substr(0, path.rfind('/'))); !made) return made;
    if (auto placed = place(folder, *content, path, mtime); !placed) return placed;
    // What has a folder of its own, and each one above it that was made for it.
    if (content->role == "folder") folders.insert(path);
    for (auto end = path.rfind('/'); end > work.size(); end = path.rfind('/', end - 1))
      folders.insert(path.substr(0, end));
  }
  // A folder's time is that of the last change in it.
  for (const auto& path : folders) {
    if (auto set = set_time(path, mtime); !set) return set;
  }
  return Ok{};
}

}  // namespace copal
