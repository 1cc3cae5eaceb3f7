// The kernel's command line, which a boot loader or whoever stands at the machine may write.
#include "fuzz.h"
#include "init/machine.h"

namespace copal {

void fuzz(std::string_view input) {
  const auto within = [&](std::string_view part) {
    return part.empty() || (part.data() >= input.data() &&
                            part.data() + part.size() <= input.data() + input.size());
  };
  std::string_view rest = input;
  while (!rest.empty()) {
    const size_t before = rest.size();
    const Parameter parameter = take_parameter(rest);
    hold(rest.size() < before && within(parameter.name) && within(parameter.value));
    hold(parameter.name.find('=') == std::string_view::npos);
  }
  for (const std::string_view key : {"copal.hostname", "copal.metadata", "panic", ""}) {
    hold(within(kernel_argument(input, key)));
  }
  std::string_view unknown = input;
  while (true) {
    const std::string_view name = next_unknown_parameter(unknown);
    if (name.empty()) break;
    hold(name.starts_with("copal.") && within(name));
  }
}

}  // namespace copal
