#include "ctl/client.h"

#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include "core/config.h"
#include "core/text.h"
#include "sys/kernel.h"

namespace copal::ctl {
namespace {

std::string_view take_field(std::string_view& line) {
  const size_t end = std::min(line.find('\t'), line.size());
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

long take_number(std::string_view& line) {
  return parse_number(take_field(line), 0, 1L << 62).value_or(0);
}

Row parse_row(std::string_view line) {
  Row row;
  row.name = take_field(line);
  row.kind = take_field(line);
  row.state = take_field(line);
  row.starts = take_number(line);
  row.pid = take_number(line);
  row.since = Time(take_number(line));
  row.started = Time(take_number(line));
  row.ready = Time(take_number(line));
  row.exit = take_field(line);
  row.needs = line;
  return row;
}

}  // namespace

Status Client::connect(const char* path) {
  auto made = sys::connect_to(path, SOCK_SEQPACKET);
  if (!made.ok()) return made.error();
  socket_ = std::move(*made);
  return {};
}

Result<std::string_view> Client::ask(std::string_view request) {
  if (send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return sys::last_error("send");
  }
  const ssize_t size = recv(socket_.get(), answer_.data(), answer_.size(), 0);
  if (size < 0) return sys::last_error("receive");
  if (size == 0) return Error{ECONNRESET, "receive"};
  return std::string_view(answer_.data(), static_cast<size_t>(size));
}

Result<std::span<Row>> Client::services(Arena& arena) {
  const std::span<Row> rows = arena.make<Row>(kMaxServices);
  if (rows.empty()) return Error{ENOMEM, "services"};
  size_t count = 0;
  std::string_view from = "0";
  while (true) {
    auto answer = ask(Line("status ", from).text());
    if (!answer.ok()) return answer.error();
    std::string_view rest = arena.copy(*answer);
    if (!rest.data()) return Error{ENOMEM, "services"};
    while (!rest.empty()) {
      std::string_view line = take_line(rest);
      if (line == "end") return rows.first(count);
      if (line.starts_with("next ")) {
        from = line.substr(5);
      } else if (count < rows.size()) {
        rows[count++] = parse_row(line);
      }
    }
  }
}

}  // namespace copal::ctl
