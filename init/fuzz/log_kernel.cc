// A record of /dev/kmsg.
#include "fuzz.h"
#include "log/record.h"

namespace copal {

void fuzz(std::string_view input) {
  const auto message = log::parse_kernel(input);
  if (!message) return;
  hold(message->level < log::kLevels.size());
  hold(message->sequence >= 0 && message->time >= 0);
  hold(message->text.size() < input.size());
  hold(message->text.find('\n') == std::string_view::npos);
}

}  // namespace copal
