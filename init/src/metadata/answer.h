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

// What a cloud says of the machine besides its document. Empty: nothing.
struct Identity {
  std::string hostname;
  std::string keys;     // of SSH, one to a line
  std::string address;  // the public one, IPv4
};

struct Answer {
  Outcome outcome = Outcome::later;
  std::string text;
  Identity identity;
};

// For a pipe from who asked to who writes.
std::string pack(const Answer& answer);
Answer unpack(std::string_view bytes);  // what cannot have been packed is Outcome::later

// What a status other than 200 means for another try. A redirect is not meant here.
Outcome judge_status(long status);

// True if `from` may redirect to `to`: never from https to http.
bool may_redirect(std::string_view from, std::string_view to);

// A token, as it is sent back in a header: printable and of bounded length.
bool valid_token(std::string_view token);

}  // namespace copal::metadata
