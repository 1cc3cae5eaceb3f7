// What a server's answer means.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace copal::metadata {

enum class Outcome : uint8_t {
  document,  // text is the document
  nothing,   // the server says that this machine was given none
  later,     // no answer, or none that counts: text says why
  refused,   // an answer that will hardly change: text says why
};

struct Answer {
  Outcome outcome = Outcome::later;
  std::string text;
};

// What a status other than 200 means for another try. A redirect is not meant here.
Outcome judge_status(long status);

// True if `from` may redirect to `to`: never from https to http.
bool may_redirect(std::string_view from, std::string_view to);

// A token, as it is sent back in a header: printable and of bounded length.
bool valid_token(std::string_view token);

}  // namespace copal::metadata
