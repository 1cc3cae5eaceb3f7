// The service `log`: one process that takes, keeps and passes on what all services and the kernel
// say. It runs as nobody and has no more than the descriptors that PID 1 hands over. PID 1 keeps
// both ends of every pipe, so that this may crash and be restarted, and only the rings are lost.
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "applet/applet.h"
#include "core/arena.h"
#include "log/output.h"
#include "sys/kernel.h"

namespace copal::log {
namespace {

constexpr size_t kClients = 8;
constexpr int kPerTurn = 64;   // records of the kernel
constexpr int kPipeReads = 8;  // that many empty any pipe
constexpr int kSecond = 1000;

// What run_log's arguments say.
struct Setup {
  std::span<Source> sources;
  std::span<Ring> rings;
  size_t count = 0;
  int kernel = -1;
  int listener = -1;
  std::string_view console;    // level
  std::string_view collector;  // address
};

bool read_argument(std::string_view text, Setup& setup) {
  for (auto [key, value] : {std::pair{std::string_view("copal.console="), &setup.console},
                            std::pair{std::string_view("copal.log="), &setup.collector}}) {
    if (!text.starts_with(key)) continue;
    *value = text.substr(key.size());
    return true;
  }
  const size_t colon = std::min(text.find(':'), text.size());
  const auto fd = parse_number(text.substr(0, colon), 0, 1 << 20);
  if (!fd || colon == text.size()) return false;
  std::string_view name = text.substr(colon + 1);
  if (name == "@kernel") return setup.kernel = static_cast<int>(*fd), true;
  if (name == "@clients") return setup.listener = static_cast<int>(*fd), true;
  Source& source = setup.sources[setup.count];
  source.fd = static_cast<int>(*fd);
  if (fcntl(source.fd, F_SETFL, O_NONBLOCK) < 0) return false;
  if (const size_t second = name.find(':'); second != name.npos) {
    const auto rate = parse_number(name.substr(second + 1), 1, 1'000'000);
    if (!rate) return false;
    source.limit = Limit(*rate, *rate * 5);
    name = name.substr(0, second);
  }
  setup.rings[setup.count++].name = name;
  return true;
}

class Server {
 public:
  Server(Setup& setup, std::span<std::byte> memory, std::span<pollfd> polls);
  // Until `stop` can be read.
  void run(const sys::Fd& stop);

  static constexpr size_t kOtherPolls = 4 + kClients;

 private:
  void wait(int longest);
  void turn();
  void accept_client();
  void finish();

  Setup& setup_;
  Rings rings_;
  Input input_;
  Collector collector_;
  std::array<Client, kClients> clients_;
  // The sources' (the last of which have no descriptor), then the kernel's, the listener's, the
  // collector's, the clients' and `term`.
  std::span<pollfd> polls_;
  bool unsettled_ = false;
};

Server::Server(Setup& setup, std::span<std::byte> memory, std::span<pollfd> polls)
    : setup_(setup),
      rings_(setup.rings, memory),
      input_(rings_, setup.sources, parse_level(setup.console).value_or(kWarning)),
      collector_(rings_, setup.collector),
      polls_(polls) {
  if (!setup.console.empty() && !parse_level(setup.console)) {
    input_.say(kWarning, Line("copal.console=", setup.console, ": no such level").text());
  }
  if (!setup.collector.empty() && !parse_address(setup.collector)) {
    input_.say(kWarning, Line("copal.log=", setup.collector,
                              ": write udp://ADDRESS:PORT or tcp://ADDRESS:PORT")
                             .text());
  }
}

void Server::accept_client() {
  sys::Fd fd(accept4(setup_.listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.open()) return;
  for (Client& client : clients_) {
    if (client.fd() < 0) return client.open(std::move(fd));
  }
  constexpr std::string_view kFull = "log: there are 8 clients already\n";
  (void)!send(fd.get(), kFull.data(), kFull.size(), MSG_NOSIGNAL);
}

void Server::wait(int longest) {
  if (unsettled_) longest = std::min(longest, kSecond);
  const Time now = sys::now();
  const Time end = std::min(collector_.deadline(), now + Duration(longest));
  size_t i = 0;
  for (const Source& source : setup_.sources) polls_[i++] = {source.fd, POLLIN, 0};
  polls_[i++] = {setup_.kernel, POLLIN, 0};
  polls_[i++] = {setup_.listener, POLLIN, 0};
  polls_[i++] = {collector_.fd(), collector_.events(), 0};
  for (const Client& client : clients_) polls_[i++] = {client.fd(), client.events(), 0};
  (void)poll(polls_.data(), polls_.size(), static_cast<int>(std::max(end - now, Time()).count()));
}

void Server::turn() {
  size_t i = 0;
  for (; i < setup_.sources.size(); ++i) {
    if (polls_[i].revents != 0) input_.take(i);
  }
  if (polls_[i++].revents != 0) {
    for (int n = 0; n < kPerTurn && input_.take_kernel(setup_.kernel); ++n) {
    }
  }
  unsettled_ = input_.settle();
  const bool knocked = polls_[i++].revents != 0;
  collector_.turn(input_, sys::now(), polls_[i++].revents);
  for (Client& client : clients_) client.turn(rings_, polls_[i++].revents);
  if (knocked) accept_client();
}

// PID 1 sends SIGINT when all others have stopped: what is in the pipes now is all there is.
void Server::finish() {
  for (size_t i = 0; i < setup_.sources.size(); ++i) {
    for (int n = 0; n < kPipeReads && input_.take(i); ++n) {
    }
    input_.flush(i);
  }
  const Time deadline = sys::now() + Duration(kSecond);
  do {
    turn();
    wait(collector_.owed() ? kSecond : 0);
  } while (collector_.owed() && sys::now() < deadline);
}

void Server::run(const sys::Fd& stop) {
  polls_.back() = {stop.get(), POLLIN, 0};
  do {
    wait(INT_MAX);
    turn();
  } while (polls_.back().revents == 0);
  polls_.back().fd = -1;
  finish();
}

}  // namespace
}  // namespace copal::log

namespace copal {

int run_log(std::span<char*> arguments) {
  using namespace log;
  const size_t most = arguments.size() + Input::kOthers;
  const size_t polls = most + Server::kOtherPolls;
  auto small = sys::reserve(most * (sizeof(Source) + sizeof(Ring)) + polls * sizeof(pollfd) + 64);
  // Is not there before it is used.
  auto large = sys::reserve(Rings::kAll + most * kMaxText);
  if (!small.ok() || !large.ok()) return 1;
  Arena arena(*small);
  Setup setup{arena.make<Source>(most), arena.make<Ring>(most)};
  auto* line = reinterpret_cast<char*>(large->data() + Rings::kAll);
  for (Source& source : setup.sources) {
    source.line = {std::exchange(line, line + kMaxText), kMaxText};
  }
  for (const std::string_view argument : arguments) {
    if (!read_argument(argument, setup)) return 2;
  }
  for (const std::string_view name : {"kernel", "init", "log"}) {
    setup.rings[setup.count++].name = name;
  }
  if (setup.count > kMaxRings) return 2;
  setup.sources = setup.sources.first(setup.count);
  setup.rings = setup.rings.first(setup.count);

  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const sys::Fd stop(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  Server server(setup, large->first(Rings::kAll),
                arena.make<pollfd>(setup.count + Server::kOtherPolls));
  server.run(stop);
  return 0;
}

}  // namespace copal
