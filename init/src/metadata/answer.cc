#include "metadata/answer.h"

#include <algorithm>

namespace copal::metadata {

std::string pack(const Answer& answer) {
  std::string bytes(1, static_cast<char>(answer.outcome));
  for (const std::string* part :
       {&answer.identity.hostname, &answer.identity.keys, &answer.identity.address}) {
    bytes.append(part->substr(0, part->find('\0'))).push_back('\0');
  }
  return bytes + answer.text;
}

Answer unpack(std::string_view bytes) {
  Answer answer;
  if (bytes.empty()) return answer;
  const auto outcome = static_cast<Outcome>(bytes[0]);
  if (outcome > Outcome::refused) return answer;
  bytes.remove_prefix(1);
  for (std::string* part :
       {&answer.identity.hostname, &answer.identity.keys, &answer.identity.address}) {
    const size_t end = bytes.find('\0');
    if (end == std::string_view::npos) return {};
    *part = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
  }
  answer.outcome = outcome;
  answer.text = bytes;
  return answer;
}

Outcome judge_status(long status) {
  const bool busy = status == 408 || status == 425 || status == 429 || status >= 500;
  return busy ? Outcome::later : Outcome::refused;
}

bool may_redirect(std::string_view from, std::string_view to) {
  return to.starts_with("https://") || (from.starts_with("http://") && to.starts_with("http://"));
}

bool valid_token(std::string_view token) {
  constexpr size_t kLongest = 1024;
  return !token.empty() && token.size() <= kLongest &&
         std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace copal::metadata
