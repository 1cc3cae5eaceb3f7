// Service files: the keys that say what a service may do, see and use.
#include <algorithm>
#include <sched.h>

#include "core/parser.h"

namespace copal {
namespace {

// In the kernel's order (linux/capability.h).
constexpr std::array<std::string_view, kCapabilities> kCapabilityNames = {"chown",
                                                                          "dac_override",
                                                                          "dac_read_search",
                                                                          "fowner",
                                                                          "fsetid",
                                                                          "kill",
                                                                          "setgid",
                                                                          "setuid",
                                                                          "setpcap",
                                                                          "linux_immutable",
                                                                          "net_bind_service",
                                                                          "net_broadcast",
                                                                          "net_admin",
                                                                          "net_raw",
                                                                          "ipc_lock",
                                                                          "ipc_owner",
                                                                          "sys_module",
                                                                          "sys_rawio",
                                                                          "sys_chroot",
                                                                          "sys_ptrace",
                                                                          "sys_pacct",
                                                                          "sys_admin",
                                                                          "sys_boot",
                                                                          "sys_nice",
                                                                          "sys_resource",
                                                                          "sys_time",
                                                                          "sys_tty_config",
                                                                          "mknod",
                                                                          "lease",
                                                                          "audit_write",
                                                                          "audit_control",
                                                                          "setfcap",
                                                                          "mac_override",
                                                                          "mac_admin",
                                                                          "syslog",
                                                                          "wake_alarm",
                                                                          "block_suspend",
                                                                          "audit_read",
                                                                          "perfmon",
                                                                          "bpf",
                                                                          "checkpoint_restore"};

constexpr uint64_t kSysAdmin = uint64_t{1} << 21;
constexpr uint64_t kTmpfsDefault = uint64_t{64} << 20;

}  // namespace

std::string_view capability_name(size_t number) {
  return number < kCapabilities ? kCapabilityNames[number] : std::string_view();
}

// ---- What it may do

void Parser::set_caps(Words words) {
  for (const Word& word : words) {
    size_t number = 0;
    if (word.text == "all") {
      spec_.confinement.caps = kAllCaps;
    } else if (lines_.choose(word, kCapabilityNames, number)) {
      spec_.confinement.caps |= uint64_t{1} << number;
    }
  }
}

void Parser::set_flag(Words words, bool& value) {
  static constexpr std::array<std::string_view, 2> kNames = {"no", "yes"};
  lines_.choose(words[0], kNames, value);
}

void Parser::set_new_privs(Words words) {
  set_flag(words, spec_.confinement.new_privs);
}
void Parser::set_landlock(Words words) {
  set_flag(words, spec_.confinement.landlock);
}
void Parser::set_delegate(Words words) {
  set_flag(words, spec_.delegate);
}
void Parser::set_console(Words words) {
  set_flag(words, spec_.console);
}

void Parser::set_seccomp(Words words) {
  if (!valid_name(words[0].text)) return error(words[0], Line("expected the name of a profile"));
  spec_.confinement.seccomp = words[0].text == "none" ? std::string_view() : words[0].text;
}

void Parser::set_namespaces(Words words) {
  static constexpr std::array<std::string_view, 4> kNames = {"pid", "ipc", "uts", "cgroup"};
  static constexpr std::array<uint64_t, 4> kFlags = {CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWUTS,
                                                     CLONE_NEWCGROUP};
  for (const Word& word : words) {
    size_t number = 0;
    if (lines_.choose(word, kNames, number)) spec_.confinement.namespaces |= kFlags[number];
  }
}

void Parser::set_net(Words words) {
  static constexpr std::array<std::string_view, 2> kNames = {"machine", "none"};
  bool none = false;
  if (lines_.choose(words[0], kNames, none) && none) spec_.confinement.namespaces |= CLONE_NEWNET;
}

// ---- What it sees

void Parser::set_mounts(Words words) {
  static constexpr std::array<std::string_view, 2> kNames = {"machine", "own"};
  lines_.choose(words[0], kNames, spec_.confinement.own_mounts);
}

// From / on, and nothing in it that could mean another place than the one that is read, or be
// written in two ways.
bool Parser::check_path(const Word& word, std::string_view path) {
  bool good = path.starts_with('/') && (path.size() == 1 || !path.ends_with('/'));
  for (size_t at = 0; good && at < path.size(); ++at) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    good = part != "." && part != ".." && !(part.empty() && at > 0);
    at = end;
  }
  if (!good) error(word, Line("a path is whole, from /, without . and .. in it or / at its end"));
  return good;
}

const char* Parser::copy_path(const Word& word, std::string_view path) {
  if (!check_path(word, path)) return nullptr;
  const char* const copy = arena_.copy(path).data();
  if (!copy) no_room();
  return copy;
}

bool Parser::within_bounds(Words words, size_t before) {
  if (before + words.size() <= kMaxPaths) return true;
  error(words[0], Line("more than ", kMaxPaths, " paths"));
  return false;
}

void Parser::add_paths(Words words, std::span<const char*>& list) {
  if (!within_bounds(words, list.size())) return;
  const std::span<const char*> all = longer(list, words.size());
  if (all.empty()) return;
  for (size_t i = 0; i < words.size(); ++i) {
    all[list.size() + i] = copy_path(words[i], words[i].text);
  }
  list = all;
}

void Parser::set_write(Words words) {
  add_paths(words, spec_.confinement.write);
}
void Parser::set_hide(Words words) {
  add_paths(words, spec_.confinement.hide);
}

void Parser::set_bind(Words words) {
  if (!within_bounds(words, spec_.confinement.bind.size())) return;
  const std::span<Bind> all = longer(spec_.confinement.bind, words.size());
  if (all.empty()) return;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string_view text = words[i].text;
    Bind& bind = all[spec_.confinement.bind.size() + i];
    bind.write = text.ends_with(":write");
    if (bind.write) text.remove_suffix(std::string_view(":write").size());
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon != text.rfind(':')) {
      error(words[i], Line("expected /FROM:/TO, and :write behind it if it may be written"));
      continue;
    }
    bind.from = copy_path(words[i], text.substr(0, colon));
    bind.to = copy_path(words[i], text.substr(colon + 1));
  }
  spec_.confinement.bind = all;
}

void Parser::set_tmpfs(Words words) {
  const std::span<Tmpfs> all = longer(spec_.confinement.tmpfs, words.size());
  if (all.empty()) return;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view text = words[i].text;
    const size_t colon = std::min(text.find(':'), text.size());
    Tmpfs& tmpfs = all[spec_.confinement.tmpfs.size() + i];
    tmpfs.path = copy_path(words[i], text.substr(0, colon));
    tmpfs.bytes = kTmpfsDefault;
    if (colon == text.size()) continue;
    const auto column = words[i].column + static_cast<uint32_t>(colon) + 1;
    lines_.read_size(Word{text.substr(colon + 1), column}, tmpfs.bytes);
  }
  spec_.confinement.tmpfs = all;
}

void Parser::set_dev(Words words) {
  static constexpr std::array<std::string_view, 3> kNames = {"min", "none", "all"};
  const auto known = [](std::string_view word) {
    return std::find(kNames.begin(), kNames.end(), word);
  };
  if (words.size() == 1 && known(words[0].text) != kNames.end()) {
    spec_.confinement.devices = static_cast<Devices>(known(words[0].text) - kNames.begin());
    return;
  }
  const std::span<const char*> nodes = longer(spec_.confinement.nodes, words.size());
  if (nodes.empty()) return;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view name = words[i].text;
    if (known(name) != kNames.end()) return error(words[i], Line("`", name, "` stands alone"));
    if (name.starts_with('/')) return error(words[i], Line("a device has its name below /dev"));
    if (!check_path(words[i], Line("/", name).text())) return;
    nodes[i] = arena_.copy(name).data();
    if (!nodes[i]) return no_room();
  }
  spec_.confinement.nodes = nodes;
}

void Parser::set_proc(Words words) {
  static constexpr std::array<std::string_view, 2> kNames = {"all", "own"};
  lines_.choose(words[0], kNames, spec_.confinement.own_proc);
}

// ---- What it may use

void Parser::set_unlimited_size(const Word& word, uint64_t& value) {
  if (word.text == "unlimited") {
    value = kUnlimited;
  } else {
    lines_.read_size(word, value);
  }
}

void Parser::set_memory(Words words) {
  lines_.read_size(words[0], spec_.limits.memory);
}
void Parser::set_memory_high(Words words) {
  lines_.read_size(words[0], spec_.limits.memory_high);
}
void Parser::set_memlock(Words words) {
  set_unlimited_size(words[0], spec_.limits.memlock);
}
void Parser::set_core(Words words) {
  set_unlimited_size(words[0], spec_.limits.core);
}
void Parser::set_cpu_weight(Words words) {
  lines_.read_number(words[0], 1, 10000, spec_.limits.cpu_weight);
}
void Parser::set_io_weight(Words words) {
  lines_.read_number(words[0], 1, 10000, spec_.limits.io_weight);
}
void Parser::set_nofile(Words words) {
  lines_.read_number(words[0], 16, 1 << 20, spec_.limits.nofile);
}
void Parser::set_nice(Words words) {
  lines_.read_number(words[0], -20, 19, spec_.limits.nice);
}
void Parser::set_oom(Words words) {
  lines_.read_number(words[0], -1000, 1000, spec_.limits.oom);
}

void Parser::set_cpu_max(Words words) {
  const std::string_view text = words[0].text;
  if (!text.ends_with('%')) return error(words[0], Line("expected percent, as in 150%"));
  lines_.read_number(Word{text.substr(0, text.size() - 1), words[0].column}, 1, 100'000,
                     spec_.limits.cpu_max);
}

void Parser::set_cpuset(Words words) {
  constexpr long kMost = 8191;  // the largest NR_CPUS
  const std::string_view list = words[0].text;
  long next = 0;  // the least that may follow
  for (size_t at = 0; at <= list.size(); ++at) {
    const std::string_view range = list.substr(at, list.find(',', at) - at);
    const size_t dash = std::min(range.find('-'), range.size());
    const auto first = parse_number(range.substr(0, dash), next, kMost);
    const auto last = dash == range.size() ? first : parse_number(range.substr(dash + 1), 0, kMost);
    if (!first || !last || *last < *first) {
      return error(words[0], Line("expected a list of processors in their order, as in 0-3,8"));
    }
    next = *last + 1;
    at += range.size();
  }
  spec_.limits.cpuset = list;
}

void Parser::set_pids(Words words) {
  if (words[0].text == "unlimited") {
    spec_.limits.pids = kUnlimited;
  } else {
    lines_.read_number(words[0], 1, 4'194'304, spec_.limits.pids);
  }
}

void Parser::set_log(Words words) {
  const std::string_view text = words[0].text;
  if (!text.ends_with("/s")) return error(words[0], Line("expected lines per second, as in 100/s"));
  lines_.read_number(Word{text.substr(0, text.size() - 2), words[0].column}, 1, 1'000'000,
                     spec_.log_rate);
}

// ---- What does not go together

void Parser::finish_confinement() {
  const Confinement& confinement = spec_.confinement;
  const bool admin = (confinement.caps & kSysAdmin) != 0;
  if (!confinement.own_mounts) {
    for (const Key key : {Key::write, Key::bind, Key::tmpfs, Key::hide, Key::dev, Key::proc}) {
      if (!seen(key)) continue;
      key_error(key,
                Line("`", kServiceKeys[static_cast<size_t>(key)].name,
                     "` has no sense with `mounts = machine`, which shows everything as it is"));
    }
  }
  // Behind Landlock no file system can be mounted.
  if (confinement.landlock && (admin || !confinement.own_mounts)) {
    key_error(admin ? Key::caps : Key::mounts,
              Line("Landlock forbids what ", admin ? "`caps = sys_admin`" : "`mounts = machine`",
                   " is for: write `landlock = no`"));
  }
  const Limits& limits = spec_.limits;
  if (limits.memory != 0 && limits.memory_high > limits.memory) {
    key_error(Key::memory_high, Line("`memory` is less, so that this is never reached"));
  }
  // The kernel's rule, without which a filter could fool a setuid program.
  if (confinement.new_privs && !confinement.seccomp.empty() && !admin) {
    key_error(Key::new_privs,
              Line("`new-privs = yes` needs `seccomp = none`, or the capability sys_admin"));
  }
}

}  // namespace copal
