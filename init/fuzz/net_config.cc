// Files of /etc/network, two of which may contradict each other. What is not reported can be
// planned.
#include <memory>

#include "fuzz.h"
#include "net/plan.h"

namespace copal {
namespace {

class Counter final : public Reporter {
 public:
  void problem(const Place& place, std::string_view message) override {
    ++count;
    hold(!message.empty());
    hold(place.line == 0 || (place.column >= 1 && place.column <= place.text.size() + 1));
  }
  size_t count = 0;
};

}  // namespace

void fuzz(std::string_view input) {
  const size_t half = std::min(input.find('\0'), input.size());
  Counter reporter;
  std::array configs = {
      net::parse_link("a", input.substr(0, half), reporter),
      net::parse_link("b", input.substr(std::min(half + 1, input.size())), reporter)};
  hold((configs[0].bad || configs[1].bad) == (reporter.count != 0));
  net::check_together(configs, reporter);
  const auto view = std::make_unique<net::View>();
  for (uint32_t i = 0; i < 3; ++i) {
    net::Link link;
    link.index = i + 1;
    std::memcpy(link.name_buffer.data(), "eth0", 4);
    link.name_buffer[3] = static_cast<char>('0' + i);
    link.device = link.ethernet = true;
    view->links.add(link);
  }
  // Nothing that is planned for ever.
  net::Planner planner(configs);
  net::Operations operations;
  for (int round = 0; round < 3; ++round) planner.plan(*view, operations);
  hold(operations.empty());
}

}  // namespace copal
