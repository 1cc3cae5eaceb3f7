#include "init/control.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "init/runner.h"

namespace copal {
namespace {

sys::Fd listen_at(const sys::Log& log, const char* path, uint32_t group, mode_t mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));
  sys::Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  (void)unlink(path);
  if (!fd.open() ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      chmod(path, mode) < 0 || (group != 0 && chown(path, 0, group) < 0) ||
      listen(fd.get(), kMaxClients) < 0) {
    log.fail(sys::Level::error, path, sys::last_error("listen"));
    fd.reset();
  }
  return fd;
}

}  // namespace

bool Answer::add(const Line& line) {
  const std::string_view text = line.text();
  if (text.size() > buffer_.size() - size_) return false;
  std::copy(text.begin(), text.end(), buffer_.begin() + static_cast<ptrdiff_t>(size_));
  size_ += text.size();
  return true;
}

void Control::open(const sys::Log& log, uint32_t group) {
  control_ = listen_at(log, "/run/init/control", 0, 0600);
  status_ = listen_at(log, "/run/init/status", group, group == 0 ? 0600 : 0660);
}

size_t Control::accept(bool obeys) {
  sys::Fd fd(accept4(listener(obeys).get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  for (size_t n = 0; fd.open() && n < clients_.size(); ++n) {
    if (clients_[n].fd.open()) continue;
    clients_[n].fd = std::move(fd);
    clients_[n].rights = obeys ? Rights::obey : Rights::tell;
    return n;
  }
  return kMaxClients;
}

std::string_view Control::receive(size_t n) {
  const ssize_t size = recv(clients_[n].fd.get(), request_.data(), request_.size(), 0);
  if (size <= 0) {
    if (size == 0 || errno != EAGAIN) clients_[n].fd.reset();
    return {};
  }
  return {request_.data(), static_cast<size_t>(size)};
}

void Control::answer(size_t n, std::string_view text) {
  const ssize_t sent = send(clients_[n].fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(text.size())) clients_[n].fd.reset();
}

// ---- What PID 1 answers

void Runner::on_listener(bool obeys) {
  const size_t n = control_.accept(obeys);
  if (n == kMaxClients) return;
  (void)watch(control_.client(n), Source::client, static_cast<Index>(n), EPOLLIN);
}

void Runner::on_client(size_t n) {
  if (!control_.client(n).open()) return;
  std::string_view request = control_.receive(n);
  if (request.empty()) return;
  const std::string_view verb = take_word(request);
  const std::string_view name = take_word(request);
  if (verb == "status") {
    const auto from = parse_number(name, 0, kMaxServices);
    return control_.answer(n, tell(static_cast<size_t>(from.value_or(0))));
  }
  if (control_.rights(n) != Control::Rights::obey) return control_.answer(n, "error not allowed");
  const char* const problem = obey(verb, name);
  control_.answer(n, problem ? Line("error ", problem).text() : "ok");
}

std::string_view Runner::tell(size_t from) {
  answer_.clear();
  for (size_t i = from; i < services_.specs.size(); ++i) {
    const Spec& spec = services_.specs[i];
    const Life& life = supervisor_.life(static_cast<Index>(i));
    Line line(spec.name, spec.kind == Kind::task ? "\ttask\t" : "\tservice\t",
              kStateNames[static_cast<size_t>(life.state)], "\t", life.starts, "\t",
              processes_[i].pid, "\t", life.since.count(), "\t", life.started.count(), "\t",
              life.was_up ? life.up_since.count() : 0, "\t",
              life.exit.by_signal ? "signal " : "code ", life.exit.code, "\t");
    for (const Index need : services_.graph[static_cast<Index>(i)].needs) {
      line.add(services_.specs[need].name).add(" ");
    }
    line.add("\n");
    // There is always room for the last line.
    if (answer_.text().size() + line.text().size() + 16 <= Answer::kSize && answer_.add(line)) {
      continue;
    }
    answer_.add(Line("next ", i, "\n"));
    return answer_.text();
  }
  answer_.add(Line("end\n"));
  return answer_.text();
}

// Null: it is done, or has begun.
const char* Runner::obey(std::string_view verb, std::string_view name) {
  constexpr std::array<std::string_view, 3> kEndings = {"poweroff", "reboot", "kexec"};
  const auto ending = std::find(kEndings.begin(), kEndings.end(), verb);
  if (ending != kEndings.end()) {
    begin_shutdown(static_cast<Ending>(ending - kEndings.begin()), "asked by copalctl");
    return nullptr;
  }
  const auto named = [&](const Spec& spec) { return spec.name == name; };
  const auto spec = std::find_if(services_.specs.begin(), services_.specs.end(), named);
  if (spec == services_.specs.end()) return "there is no such service";
  if (spec->bad) return "its file has an error";
  if (shutdown_.phase() != Shutdown::Phase::running) return "the machine is shutting down";
  if (spec->when != When::boot) return "it runs at shutdown only";
  const auto i = static_cast<Index>(spec - services_.specs.begin());
  if (verb == "start") {
    supervisor_.start(i, now_);
  } else if (verb == "stop") {
    if (spec->last) return "it stops last, and not before";
    supervisor_.stop(i, now_);
  } else if (verb == "restart") {
    supervisor_.restart(i, now_);
  } else if (verb == "reload") {
    if (spec->reload_signal == 0) return "its file has no `reload`";
    if (supervisor_.state(i) != State::up) return "it is not up";
    send_signal(i, spec->reload_signal);
  } else {
    return "unknown request";
  }
  return nullptr;
}

}  // namespace copal
