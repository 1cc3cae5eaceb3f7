// PID 1's loop, the part that finds out when a service is ready, and whether it still is well.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/notify.h"
#include "init/runner.h"

namespace copal {

using sys::Level;

constexpr int kMessagesPerTurn = 16;
constexpr Duration kProbeInterval = std::chrono::milliseconds(100);

void Runner::is_ready(Index i) {
  Process& process = processes_[i];
  unwatch(process.ready);
  unwatch(process.probe);
  process.next_probe = kNever;
  supervisor_.event(i, Event::ready, now_);
}

// The child tells that it has begun; then the pipe is closed by execve, or it tells what failed.
void Runner::on_status(Index i) {
  const Spec& spec = services_.specs[i];
  Process& process = processes_[i];
  if (!process.status.open()) return;
  launch::News news{};
  ssize_t size = read(process.status.get(), &news, sizeof news);
  if (size == sizeof news && news.stage == launch::Stage::begun) {
    process.status_out.reset();
    process.ready_out.reset();
    size = read(process.status.get(), &news, sizeof news);
  }
  if (size < 0) return;  // there is more to come
  unwatch(process.status);
  if (size == sizeof news) {
    log_.say(Level::error, spec.name, ": ", launch::describe(news).text());
    return;
  }
  log_.say(Level::info, spec.name, ": exec ", now_);
  if (spec.kind == Kind::task) return;
  if (spec.ready == Ready::exec) return is_ready(i);
  if (spec.ready >= Ready::tcp) process.next_probe = now_;
}

// ---- By a message, or a newline

// The socket is there before the program is, and stays: a program may be told of it only once.
Status Runner::open_notify(Index i) {
  const Spec& spec = services_.specs[i];
  Process& process = processes_[i];
  if (process.notify.open()) {
    on_notify(i);  // of the last run, and therefore nothing to it
    return {};
  }
  Line path("/run/init/", spec.name, ".notify");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // A name is at most kMaxName long, so this fits with room to spare.
  static_assert(sizeof "/run/init/.notify" + kMaxName <= sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.text().size());
  sys::Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.open()) return sys::last_error("socket");
  const int on = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) {
    return sys::last_error("SO_PASSCRED");
  }
  (void)unlink(path.c_str());
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return sys::last_error("bind");
  }
  if (chmod(path.c_str(), 0600) < 0) return sys::last_error("chmod");
  if (spec.account.user != 0 && chown(path.c_str(), spec.account.user, spec.account.group) < 0) {
    return sys::last_error("chown");
  }
  const Status watched = watch(fd, Source::notify, i, EPOLLIN);
  if (watched.ok()) process.notify = std::move(fd);
  return watched;
}

// Into the log, as if the service had printed a line, and cleaned and limited as that is. Where
// there is no room it is lost: PID 1 waits for nobody.
void Runner::say_for(Index i, std::string_view what, std::string_view text) {
  const sys::Fd& output = processes_[i].output.out;
  if (!output.open()) return;
  const auto part = [](std::string_view s) { return iovec{const_cast<char*>(s.data()), s.size()}; };
  // It may have printed a line without an end.
  const std::array parts = {part("\n"), part(what), part(text), part("\n")};
  (void)!pwritev2(output.get(), parts.data(), parts.size(), -1, RWF_NOWAIT);
}

// Whether a process is the service's: its main process, or, if what that started ends with it, of
// its cgroup. What outlived an earlier run says nothing about this one.
bool Runner::is_of(Index i, pid_t pid) const {
  if (pid == processes_[i].pid) return true;
  if (!cgroups_.open() || services_.specs[i].kill == Kill::main) return false;
  std::array<char, 512> buffer;
  auto text = sys::read_file(Line("/proc/", pid, "/cgroup").c_str(), buffer);
  const Line own("0::/services/", services_.specs[i].name);
  if (!text.ok() || !text->starts_with(own.text())) return false;
  const std::string_view rest = text->substr(own.text().size());
  return rest.starts_with('\n') || rest.starts_with('/');
}

// Descriptors that come along are closed: that is what a sender of BARRIER=1 waits for.
void Runner::on_notify(Index i) {
  for (int n = 0; n < kMessagesPerTurn; ++n) {
    std::array<char, 4096> buffer;
    pid_t sender = 0;
    const ssize_t size = sys::receive(processes_[i].notify, buffer, sender);
    if (size < 0) return;
    if (!is_of(i, sender)) {
      say_for(i, "READY=1 and the like count only from the service itself, not from process ",
              Line(sender).text());
      continue;
    }
    const Notice notice = parse_notice({buffer.data(), static_cast<size_t>(size)});
    if (!notice.status.empty()) say_for(i, "status: ", notice.status);
    if (notice.more != Duration{}) shutdown_.extend(supervisor_.extend(i, notice.more, now_));
    if (notice.alive) supervisor_.feed(i, now_);
    // Between runs, the table takes it for what it is: nothing.
    if (notice.ready) is_ready(i);
  }
}

// As s6 has it: a line means that it is ready; the end without one means nothing.
void Runner::on_ready(Index i) {
  std::array<char, 64> buffer;
  Process& process = processes_[i];
  if (!process.ready.open()) return;
  const ssize_t size = read(process.ready.get(), buffer.data(), buffer.size());
  if (size <= 0) return unwatch(process.ready);
  if (std::memchr(buffer.data(), '\n', static_cast<size_t>(size))) is_ready(i);
}

// ---- By asking

void Runner::start_probes() {
  for (size_t n = 0; n < processes_.size(); ++n) {
    Process& process = processes_[n];
    if (process.next_probe > now_) continue;
    unwatch(process.probe);
    const auto i = static_cast<Index>(n);
    const bool starting = supervisor_.state(i) == State::starting;
    process.next_probe = starting ? now_ + kProbeInterval : kNever;
    if (starting) start_probe(i);
  }
}

void Runner::start_probe(Index i) {
  const Spec& spec = services_.specs[i];
  Process& process = processes_[i];
  if (spec.ready == Ready::path) {
    struct stat info {};
    if (stat(spec.path.data(), &info) == 0) is_ready(i);
    return;
  }
  const SocketAddress& to = spec.address;
  process.probe.reset(socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!process.probe.open()) return;
  if (connect(process.probe.get(), &to.any, to.size()) < 0 && errno != EINPROGRESS) {
    return process.probe.reset();
  }
  (void)watch(process.probe, Source::probe, i, EPOLLOUT);
}

void Runner::on_probe(Index i) {
  const Spec& spec = services_.specs[i];
  Process& process = processes_[i];
  if (!process.probe.open()) return;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(process.probe.get(), SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0) {
    return unwatch(process.probe);
  }
  if (spec.ready == Ready::tcp) return is_ready(i);

  // What is answered comes in one piece, or the next try finds it so.
  std::array<char, 64> answer;
  const ssize_t got = recv(process.probe.get(), answer.data(), answer.size(), 0);
  if (got < 0 && errno == EAGAIN) {
    const Line request("GET ", spec.path, " HTTP/1.0\r\nHost: localhost\r\n\r\n");
    const std::string_view text = request.text();
    const bool sent = send(process.probe.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                      static_cast<ssize_t>(text.size());
    // Asked; now it is the answer that is waited for, as long as the service has to get ready.
    if (!sent || !rewatch(process.probe, Source::probe, i, EPOLLIN).ok()) {
      return unwatch(process.probe);
    }
    process.next_probe = now_ + 10 * kProbeInterval;
    return;
  }
  const auto code =
      parse_http_status({answer.data(), static_cast<size_t>(std::max<ssize_t>(got, 0))});
  unwatch(process.probe);
  if (code && *code >= 200 && *code < 300) is_ready(i);
}

}  // namespace copal
