#include "init/control.h"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "init/runner.h"

namespace copal {
bool Answer::add(std::string_view text) {
  if (text.size() > buffer_.size() - size_) return false;
  std::copy(text.begin(), text.end(), buffer_.begin() + static_cast<ptrdiff_t>(size_));
  size_ += text.size();
  return true;
}

void Control::open(const sys::Log& log, uint32_t group) {
  const auto listen = [&](const char* path, uint32_t to) {
    auto made = sys::listen_at(path, SOCK_SEQPACKET, to);
    if (!made.ok()) log.fail(sys::Level::error, path, made.error());
    return std::move(*made);
  };
  control_ = listen("/run/init/control", 0);
  status_ = listen("/run/init/status", group);
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
  const std::string_view packet = control_.receive(n);
  if (packet.empty()) return;
  const Request request = parse_request(packet);
  if (request.verb == Verb::status) return control_.answer(n, tell(request.from));
  if (control_.rights(n) != Control::Rights::obey) return control_.answer(n, "error not allowed");
  const char* const problem = obey(request);
  control_.answer(n, problem ? Line("error ", problem).text() : "ok");
}

// False: there was no room for the whole row.
bool Runner::tell_of(Index i) {
  const Spec& spec = services_.specs[i];
  const Life& life = supervisor_.life(i);
  bool fits =
      answer_.add(Line(spec.name, spec.kind == Kind::task ? "\ttask\t" : "\tservice\t",
                       kStateNames[static_cast<size_t>(life.state)], "\t", life.starts, "\t",
                       processes_[i].pid, "\t", life.since.count(), "\t", life.started.count(),
                       "\t", life.was_up ? life.up_since.count() : 0, "\t",
                       life.exit.by_signal ? "signal " : "code ", life.exit.code, "\t")
                      .text());
  for (const Index need : services_.graph[i].needs) {
    fits = fits && answer_.add(services_.specs[need].name) && answer_.add(" ");
  }
  return fits && answer_.add("\n");
}

std::string_view Runner::tell(size_t from) {
  constexpr size_t kLastLine = 16;
  constexpr size_t kLongestRow = kMaxServices * (kMaxName + 3) + 512;
  static_assert(kLongestRow + kLastLine <= Answer::kSize);
  answer_.cut(0);
  for (size_t i = from; i < services_.specs.size(); ++i) {
    const size_t before = answer_.size();
    if (tell_of(static_cast<Index>(i)) && answer_.size() + kLastLine <= Answer::kSize) continue;
    answer_.cut(before);
    answer_.add(Line("next ", i, "\n").text());
    return answer_.text();
  }
  answer_.add("end\n");
  return answer_.text();
}

// Null: it is done, or has begun.
const char* Runner::obey(const Request& request) {
  if (request.verb == Verb::unknown) return "unknown request";
  if (request.verb >= Verb::poweroff) {
    const auto n = static_cast<uint8_t>(request.verb) - static_cast<uint8_t>(Verb::poweroff);
    begin_shutdown(static_cast<Ending>(n), "asked by copalctl");
    return nullptr;
  }
  const auto named = [&](const Spec& spec) { return spec.name == request.name; };
  const auto spec = std::find_if(services_.specs.begin(), services_.specs.end(), named);
  if (spec == services_.specs.end()) return "there is no such service";
  if (spec->bad) return "its file has an error";
  if (shutdown_.phase() != Shutdown::Phase::running) return "the machine is shutting down";
  if (spec->when != When::boot) return "it runs at shutdown only";
  const auto i = static_cast<Index>(spec - services_.specs.begin());
  if (request.verb == Verb::start) supervisor_.start(i, now_);
  if (request.verb == Verb::restart) supervisor_.restart(i, now_);
  if (request.verb == Verb::stop) {
    if (spec->last) return "it stops last, and not before";
    supervisor_.stop(i, now_);
  }
  if (request.verb == Verb::reload) {
    if (spec->reload_signal == 0) return "its file has no `reload`";
    if (supervisor_.state(i) != State::up) return "it is not up";
    send_to_main(i, spec->reload_signal);
  }
  return nullptr;
}

}  // namespace copal
