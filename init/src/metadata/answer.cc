#include "metadata/answer.h"

#include <algorithm>

namespace copal::metadata {

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
