// The state of all services for a monitoring system, on an address of the machine's choice: JSON at
// /status.json, Prometheus's text format at /metrics. It asks PID 1 on the socket that only tells.
// One client at a time, each with two seconds: nothing here can be kept busy for long.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "applet/applet.h"
#include "core/address.h"
#include "core/machine.h"
#include "core/text.h"
#include "ctl/client.h"
#include "sys/kernel.h"

namespace copal {
namespace {

class Page {
 public:
  explicit Page(std::span<char> buffer) : buffer_(buffer) {}
  void add(const Line& line) {
    const std::string_view text = line.text();
    const size_t n = std::min(text.size(), buffer_.size() - size_);
    std::copy_n(text.begin(), n, buffer_.begin() + static_cast<ptrdiff_t>(size_));
    size_ += n;
  }
  [[nodiscard]] std::string_view text() const { return {buffer_.data(), size_}; }

 private:
  std::span<char> buffer_;
  size_t size_ = 0;
};

void write_json(std::span<const ctl::Row> rows, Page& page) {
  page.add(Line("{\"uptime_ms\":", sys::now().count(), ",\"services\":["));
  for (const ctl::Row& row : rows) {
    page.add(Line(&row == rows.data() ? "" : ",", "\n{\"name\":\"", row.name, "\",\"kind\":\"",
                  row.kind, "\",\"state\":\"", row.state, "\",\"starts\":", row.starts,
                  ",\"pid\":", row.pid, ",\"since_ms\":", row.since.count(),
                  ",\"started_ms\":", row.started.count(), ",\"ready_ms\":", row.ready.count(),
                  ",\"last_end\":\"", row.exit, "\"}"));
  }
  page.add(Line("\n]}\n"));
}

void write_metrics(std::span<const ctl::Row> rows, Page& page) {
  page.add(Line("# TYPE copal_uptime_seconds gauge\ncopal_uptime_seconds ",
                sys::now().count() / 1000, "\n# TYPE copal_service_starts_total counter\n"));
  for (const ctl::Row& row : rows) {
    page.add(Line("copal_service_starts_total{service=\"", row.name, "\"} ", row.starts, "\n"));
  }
  page.add(Line("# TYPE copal_service_state gauge\n"));
  for (const ctl::Row& row : rows) {
    for (const std::string_view state : kStateNames) {
      page.add(Line("copal_service_state{service=\"", row.name, "\",state=\"", state, "\"} ",
                    state == row.state ? 1 : 0, "\n"));
    }
  }
}

void send_all(const sys::Fd& client, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<size_t>(sent));
  }
}

void refuse(const sys::Fd& client, std::string_view status) {
  send_all(client, Line("HTTP/1.0 ", status, "\r\nContent-Length: 0\r\n\r\n").text());
}

void serve(const sys::Fd& client, std::span<std::byte> memory) {
  constexpr timeval kLimit{2, 0};
  (void)setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &kLimit, sizeof kLimit);
  (void)setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &kLimit, sizeof kLimit);
  std::array<char, 1024> request;
  const ssize_t size = recv(client.get(), request.data(), request.size(), 0);
  std::string_view text(request.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
  const std::string_view method = take_word(text);
  const std::string_view path = take_word(text);
  if (method != "GET") return refuse(client, "405 Method Not Allowed");
  const bool json = path == "/status.json";
  if (!json && path != "/metrics") return refuse(client, "404 Not Found");

  Arena arena(memory);
  ctl::Client init;
  if (!init.connect("/run/init/status").ok()) return refuse(client, "503 Service Unavailable");
  auto rows = init.services(arena);
  if (!rows.ok()) return refuse(client, "503 Service Unavailable");
  Page page(arena.make<char>(size_t{2} << 20));
  json ? write_json(*rows, page) : write_metrics(*rows, page);
  send_all(client, Line("HTTP/1.0 200 OK\r\nContent-Type: ",
                        json ? "application/json" : "text/plain; version=0.0.4",
                        "\r\nContent-Length: ", page.text().size(), "\r\n\r\n")
                       .text());
  send_all(client, page.text());
}

}  // namespace

int run_status(std::span<char*> arguments) {
  const auto address = parse_socket_address(arguments.size() == 1 ? arguments[0] : "");
  if (!address) return 2;
  const sys::Fd listener(socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  (void)setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener.get(), &address->any, address->size()) < 0 || listen(listener.get(), 8) < 0) {
    const Line message("status: ", arguments[0], ": ", std::strerror(errno), "\n");
    (void)!write(2, message.text().data(), message.text().size());
    return 1;
  }
  auto memory = sys::reserve(ctl::kRoomForRows + (size_t{4} << 20));
  if (!memory.ok()) return 1;
  while (true) {
    const sys::Fd client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.open()) continue;
    serve(client, *memory);
  }
}

}  // namespace copal
