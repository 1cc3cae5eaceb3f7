// Service files: what is good by itself, and can never work together. It is said when an image is
// built, and PID 1, which only sees files that passed, does not carry it.
#include <algorithm>
#include <sched.h>

#include "core/parser.h"

namespace copal {
// The service has something of its own where the machine has `path`: what says so.
std::optional<Key> Parser::covered_by(std::string_view path) const {
  const Confinement& seen = spec_.confinement;
  const auto covers = [&](const char* top) { return is_below(path, top); };
  // The machine's own comes last, over all else.
  if (!seen.own_mounts || std::any_of(seen.write.begin(), seen.write.end(), covers)) return {};
  if (std::any_of(seen.hide.begin(), seen.hide.end(), covers)) return Key::hide;
  for (const Tmpfs& tmpfs : seen.tmpfs) {
    if (covers(tmpfs.path)) return Key::tmpfs;
  }
  for (const Bind& bind : seen.bind) {
    if (covers(bind.to)) return Key::bind;
  }
  return covers("/tmp") ? std::optional(Key::mounts) : std::nullopt;
}

void Parser::check_mount_point(Key key, std::string_view path) {
  const Confinement& seen = spec_.confinement;
  const auto same = [&](const char* other) { return other == path; };
  auto times = std::count_if(seen.hide.begin(), seen.hide.end(), same);
  for (const Tmpfs& tmpfs : seen.tmpfs) times += same(tmpfs.path) ? 1 : 0;
  for (const Bind& bind : seen.bind) times += same(bind.to) ? 1 : 0;
  if (times > 1) key_error(key, Line("something else is put at ", path, ", too"));
  if (path == "/") key_error(key, Line("there is no service without its files"));
  if (path != "/tmp" && is_below(path, "/tmp")) {
    key_error(key, Line("/tmp is its own and fresh: ", path, " is not there"));
  }
}

void Parser::check_sense() {
  const Confinement& seen = spec_.confinement;
  for (const char* path : seen.hide) check_mount_point(Key::hide, path);
  for (const Tmpfs& tmpfs : seen.tmpfs) check_mount_point(Key::tmpfs, tmpfs.path);
  for (const Bind& bind : seen.bind) check_mount_point(Key::bind, bind.to);
  const auto key = covered_by("/run/init");
  if (key && spec_.ready == Ready::notify) {
    key_error(*key, Line("it does not see /run/init, where `ready = notify` is heard"));
  }
  if (spec_.ready == Ready::path && covered_by(spec_.path)) {
    key_error(Key::ready, Line(spec_.path, " is its own: nobody else sees what is there"));
  }
  const bool asked = spec_.ready == Ready::tcp || spec_.ready == Ready::http;
  if (asked && (spec_.confinement.namespaces & CLONE_NEWNET) != 0) {
    key_error(Key::ready, Line("with `net = none` nobody reaches it"));
  }
}

}  // namespace copal
