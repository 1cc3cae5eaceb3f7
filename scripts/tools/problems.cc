// What is wrong with the files that people write; see problems.h.
#include "problems.h"

#include <algorithm>

#include "text.h"

namespace copal {

void Problems::add(const Place& place, const std::string& what) {
  auto text = place.path + (place.line > 0 ? ":" + std::to_string(place.line) : "") + ": " + what;
  if (std::find(all_.begin(), all_.end(), text) == all_.end()) all_.push_back(std::move(text));
}

Error Problems::error() const {
  static constexpr std::size_t kScreen = 16;
  auto shown = all_;
  if (shown.size() > kScreen) {
    shown.resize(kScreen);
    shown.push_back("and " + std::to_string(all_.size() - kScreen) + " more");
  }
  return {join(shown, "\n")};
}

}  // namespace copal
