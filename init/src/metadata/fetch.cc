#include "metadata/fetch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <curl/curl.h>
#include <grp.h>
#include <memory>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "metadata/file.h"
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

Reply request(const std::string& url, const char* method, const std::string& header) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      header.empty() ? nullptr : curl_slist_append(nullptr, header.c_str()), curl_slist_free_all);
  std::array<char, CURL_ERROR_SIZE> error{};
  Reply reply;
  const auto set = [&](CURLoption option, auto value) {
    if (reply.code == CURLE_OK) reply.code = curl_easy_setopt(curl.get(), option, value);
  };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_CUSTOMREQUEST, method);
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
  if (reply.code == CURLE_OK) reply.code = curl_easy_perform(curl.get());
  reply.error = error[0] != '\0' ? error.data() : curl_easy_strerror(reply.code);
  reply.error.resize(reply.error.find_last_not_of('\n') + 1);  // Mbed TLS ends its reasons with one
  char* redirect = nullptr;
  (void)curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply.status);
  (void)curl_easy_getinfo(curl.get(), CURLINFO_REDIRECT_URL, &redirect);
  if (redirect) reply.redirect = redirect;
  return reply;
}

Answer judge(Reply reply) {
  if (reply.code == CURLE_WRITE_ERROR) return {Outcome::refused, "is larger than 1 MiB"};
  if (reply.code == CURLE_URL_MALFORMAT || reply.code == CURLE_UNSUPPORTED_PROTOCOL) {
    return {Outcome::refused, std::move(reply.error)};
  }
  if (reply.code != CURLE_OK) return {Outcome::later, std::move(reply.error)};
  if (reply.status == 200) return {Outcome::document, std::move(reply.body)};
  return {judge_status(reply.status), "HTTP status " + std::to_string(reply.status)};
}

// Only a process can give up being root; what it has to say comes through a pipe.
[[noreturn]] void ask(int to, std::string_view from) {
  constexpr unsigned kNobody = 65534;
  if (geteuid() == 0 && (setgroups(0, nullptr) < 0 || setresgid(kNobody, kNobody, kNobody) < 0 ||
                         setresuid(kNobody, kNobody, kNobody) < 0)) {
    say(failure("become", "nobody"));
    _exit(1);
  }
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  (void)curl_global_init(CURL_GLOBAL_DEFAULT);
  const Answer answer = from == "imds" ? fetch_imds() : fetch_url(std::string(from));
  const std::string text = std::string(1, static_cast<char>(answer.outcome)) + answer.text;
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = write(to, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) _exit(1);
    done += n > 0 ? static_cast<size_t>(n) : 0;
  }
  _exit(0);
}

}  // namespace

Answer fetch_url(std::string url) {
  for (int i = 0; i <= kMaxRedirects; ++i) {
    Reply reply = request(url, "GET", {});
    if (reply.code != CURLE_OK || reply.redirect.empty()) return judge(std::move(reply));
    if (!may_redirect(url, reply.redirect)) {
      return {Outcome::refused,
              "is redirected from https to " + reply.redirect.substr(0, reply.redirect.find(':'))};
    }
    url = std::move(reply.redirect);
  }
  return {Outcome::refused, "is redirected more than 3 times"};
}

Answer fetch_imds() {
  const std::string base = "http://169.254.169.254/latest/";
  Reply token = request(base + "api/token", "PUT", "X-aws-ec2-metadata-token-ttl-seconds: 300");
  Answer got = judge(std::move(token));
  if (got.outcome != Outcome::document) return {got.outcome, "token: " + got.text};
  if (!valid_token(got.text)) return {Outcome::refused, "token: is none"};
  Reply reply = request(base + "user-data", "GET", "X-aws-ec2-metadata-token: " + got.text);
  if (reply.code == CURLE_OK && reply.status == 404) return {Outcome::nothing, {}};
  return judge(std::move(reply));
}

Answer fetch_apart(std::string_view url_or_imds) {
  auto pipe = sys::make_pipe();
  if (!pipe.ok()) return {Outcome::later, failure("make", "a pipe")};
  const pid_t child = fork();
  if (child < 0) return {Outcome::later, failure("make", "a process")};
  if (child == 0) ask(pipe->out.get(), url_or_imds);
  pipe->out.reset();
  std::string text = read_some(pipe->in, kMaxDocument + 2).value_or("");
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0 || text.empty() || text[0] > static_cast<char>(Outcome::refused)) {
    return {Outcome::later, "the process that asks died, status " + std::to_string(status)};
  }
  const auto outcome = static_cast<Outcome>(text[0]);
  text.erase(0, 1);
  return {outcome, std::move(text)};
}

}  // namespace copal::metadata
