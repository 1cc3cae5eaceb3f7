#include "metadata/fetch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <curl/curl.h>
#include <fcntl.h>
#include <grp.h>
#include <memory>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "metadata/file.h"
#include "metadata/gzip.h"
#include "metadata/tree.h"
#include "sys/kernel.h"

namespace copal::metadata {
namespace {

constexpr const char* kAuthorities = "/etc/ssl/certs/ca-certificates.crt";
constexpr long kConnectSeconds = 10;
constexpr long kTotalSeconds = 30;
constexpr int kMaxRedirects = 3;

struct Reply {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::string redirect;  // where to, as a whole URL
  std::string body;
  std::string error;
};

size_t take_body(char* data, size_t, size_t size, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (size > kMaxDocument - body.size()) return 0;  // ends the transfer: CURLE_WRITE_ERROR
  body.append(data, size);
  return size;
}

// For curl, which closes what it gets: the socket that was made for it.
curl_socket_t take_socket(void* from, curlsocktype, curl_sockaddr*) {
  return fcntl(static_cast<const sys::Fd*>(from)->get(), F_DUPFD_CLOEXEC, 0);
}

struct Request {
  std::string url;
  const char* method = "GET";
  std::vector<std::string> headers{};
  const sys::Fd* socket = nullptr;  // to ask from, if it is open
};

Reply transfer(const Request& request) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) list = curl_slist_append(list, header.c_str());
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, curl_slist_free_all);
  std::array<char, CURL_ERROR_SIZE> error{};
  Reply reply;
  const auto set = [&](CURLoption option, auto value) {
    if (reply.code == CURLE_OK) reply.code = curl_easy_setopt(curl.get(), option, value);
  };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_CUSTOMREQUEST, request.method);
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_CAINFO, kAuthorities);
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_TIMEOUT, kTotalSeconds);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "copal-metadata");
  set(CURLOPT_WRITEFUNCTION, take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&reply.body));
  set(CURLOPT_ERRORBUFFER, error.data());
  if (request.socket && request.socket->open()) {
    set(CURLOPT_OPENSOCKETFUNCTION, take_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<const void*>(request.socket));
  }
  if (reply.code == CURLE_OK) reply.code = curl_easy_perform(curl.get());
  reply.error = error[0] != '\0' ? error.data() : curl_easy_strerror(reply.code);
  reply.error.resize(reply.error.find_last_not_of('\n') + 1);  // Mbed TLS ends its reasons with one
  char* redirect = nullptr;
  (void)curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply.status);
  (void)curl_easy_getinfo(curl.get(), CURLINFO_REDIRECT_URL, &redirect);
  if (redirect) reply.redirect = redirect;
  return reply;
}

// A machine whose battery is empty takes every certificate for one of the future.
std::string clock_says() {
  const time_t now = time(nullptr);
  tm parts{};
  std::array<char, 32> text{};
  (void)gmtime_r(&now, &parts);
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts);
  return std::string(" (the clock here says ") + text.data() + ")";
}

Answer judge(Reply reply) {
  if (reply.code == CURLE_WRITE_ERROR) return {Outcome::refused, "is larger than 1 MiB", {}};
  if (reply.code == CURLE_URL_MALFORMAT || reply.code == CURLE_UNSUPPORTED_PROTOCOL) {
    return {Outcome::refused, std::move(reply.error), {}};
  }
  const bool tls =
      reply.code == CURLE_PEER_FAILED_VERIFICATION || reply.code == CURLE_SSL_CONNECT_ERROR;
  if (tls) reply.error += clock_says();
  if (reply.code != CURLE_OK) return {Outcome::later, std::move(reply.error), {}};
  if (reply.status == 200) return {Outcome::document, std::move(reply.body), {}};
  return {judge_status(reply.status), "HTTP status " + std::to_string(reply.status), {}};
}

Answer fetch_url(std::string url) {
  for (int i = 0; i <= kMaxRedirects; ++i) {
    Reply reply = transfer({.url = url});
    if (reply.code != CURLE_OK || reply.redirect.empty()) return judge(std::move(reply));
    if (!may_redirect(url, reply.redirect)) {
      return {Outcome::refused,
              "is redirected from https to " + reply.redirect.substr(0, reply.redirect.find(':')),
              {}};
    }
    url = std::move(reply.redirect);
  }
  return {Outcome::refused, "is redirected more than 3 times", {}};
}

// As nobody, since it is as good a place for a mistake as a parser has.
Answer unpack_document(Answer answer) {
  if (answer.outcome != Outcome::document || form_of(answer.text) != Form::packed) return answer;
  auto text = gunzip(answer.text, kMaxDocument);
  if (!text) return {Outcome::later, std::string(kDamaged), {}};
  answer.text = std::move(*text);
  return answer;
}

// ---- Clouds

// One question. Nobody is believed who sends a provider's question elsewhere.
Answer put(const Provider& provider, const Question& question,
           const std::vector<std::string>& headers, const sys::Fd* socket) {
  const std::string path(question.path);
  Reply reply = transfer({.url = provider.base + path, .headers = headers, .socket = socket});
  if (reply.code == CURLE_OK && (reply.status == 404 || reply.status == 204)) {
    return {Outcome::nothing, {}, {}};
  }
  Answer answer = judge(std::move(reply));
  if (answer.outcome != Outcome::document) {
    answer.text.insert(0, path.substr(0, path.find('?')) + ": ");
    return answer;
  }
  auto text = read_answer(question, answer.text);
  if (!text) return {Outcome::later, path + ": cannot be read", {}};
  answer.text = std::move(*text);
  return answer;
}

// The header that EC2's version 2 wants. Not a document: why there is none.
Answer ask_for_token(const Provider& provider) {
  Answer token = judge(transfer({.url = std::string(provider.base) + "api/token",
                                 .method = "PUT",
                                 .headers = {"X-aws-ec2-metadata-token-ttl-seconds: 300"}}));
  if (token.outcome != Outcome::document) return {token.outcome, "token: " + token.text, {}};
  if (!valid_token(token.text)) return {Outcome::refused, "token: is none", {}};
  return {Outcome::document, "X-aws-ec2-metadata-token: " + token.text, {}};
}

Answer fetch_provider(const Provider& provider, const sys::Fd& socket) {
  std::vector<std::string> headers;
  if (provider.header) headers.emplace_back(provider.header);
  if (provider.token) {
    Answer token = ask_for_token(provider);
    if (token.outcome != Outcome::document) return token;
    headers.push_back(std::move(token.text));
  }
  Answer answer = unpack_document(put(provider, provider.document, headers, &socket));
  const bool empty = answer.outcome == Outcome::document && form_of(answer.text) == Form::nothing;
  if (empty && provider.may_be_empty) answer = {Outcome::nothing, {}, {}};
  if (answer.outcome != Outcome::document && answer.outcome != Outcome::nothing) return answer;
  const std::array<std::pair<const Question*, std::string*>, 3> more = {
      {{&provider.hostname, &answer.identity.hostname},
       {&provider.keys, &answer.identity.keys},
       {&provider.address, &answer.identity.address}}};
  for (const auto& [question, to] : more) {
    if (!question->path) continue;
    Answer part = put(provider, *question, headers, nullptr);
    if (part.outcome == Outcome::later) return part;
    if (part.outcome == Outcome::document) *to = std::move(part.text);
  }
  return answer;
}

// A socket that only root can have. Closed: there is none, and the provider will say no.
sys::Fd low_port_socket() {
  constexpr int kOn = 1;
  sys::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  (void)setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  for (uint16_t port = 1023; port >= 512; --port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return socket;
    }
  }
  return {};
}

// Only a process can give up being root; what it has to say comes through a pipe.
[[noreturn]] void ask(int to, const Provider* provider, std::string_view url) {
  constexpr unsigned kNobody = 65534;
  const sys::Fd socket = provider && provider->low_port ? low_port_socket() : sys::Fd();
  if (geteuid() == 0 && (setgroups(0, nullptr) < 0 || setresgid(kNobody, kNobody, kNobody) < 0 ||
                         setresuid(kNobody, kNobody, kNobody) < 0)) {
    say(failure("become", "nobody"));
    _exit(1);
  }
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  (void)curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::string text = pack(provider ? fetch_provider(*provider, socket)
                                         : unpack_document(fetch_url(std::string(url))));
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = write(to, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) _exit(1);
    done += n > 0 ? static_cast<size_t>(n) : 0;
  }
  _exit(0);
}

}  // namespace

Answer fetch_apart(const Provider* provider, std::string_view url) {
  auto pipe = sys::make_pipe();
  if (!pipe.ok()) return {Outcome::later, failure("make", "a pipe"), {}};
  const pid_t child = fork();
  if (child < 0) return {Outcome::later, failure("make", "a process"), {}};
  if (child == 0) ask(pipe->out.get(), provider, url);
  pipe->out.reset();
  // The document, and what is beside it.
  const std::string bytes = read_some(pipe->in, 5 * kMaxDocument).value_or("");
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  Answer answer = status == 0 ? unpack(bytes) : Answer();
  if (answer.outcome == Outcome::later && answer.text.empty()) {
    answer.text = "the process that asks died, status " + std::to_string(status);
  }
  return answer;
}

}  // namespace copal::metadata
