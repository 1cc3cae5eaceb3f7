// What a client of the log asks for.
#include "fuzz.h"
#include "log/record.h"

namespace copal {

void fuzz(std::string_view input) {
  const auto request = log::parse_request(input);
  if (!request) return;
  hold(request->lines >= 0);
  hold(request->name.find_first_of(" \n") == std::string_view::npos);
  hold(request->name.size() <= input.size());
}

}  // namespace copal
