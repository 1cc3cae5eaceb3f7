// The kernel's command line, which a boot loader or whoever stands at the machine may write.
#include "fuzz.h"
#include "init/machine.h"

namespace copal {

void fuzz(std::string_view input) {
  for (const std::string_view key : {"copal.hostname", "copal.metadata", "panic", ""}) {
    const std::string_view value = kernel_argument(input, key);
    if (value.empty()) continue;
    // A part of the input, a whole word, and the key is right before it.
    hold(value.data() >= input.data() &&
         value.data() + value.size() <= input.data() + input.size());
    hold(value.find_first_of(" \n") == std::string_view::npos);
    const auto at = static_cast<size_t>(value.data() - input.data());
    hold(at > key.size() && input[at - 1] == '=' && input.substr(0, at - 1).ends_with(key));
  }
}

}  // namespace copal
