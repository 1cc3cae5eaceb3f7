// The files of /etc/network and /run/config/network.
#pragma once

#include "core/arena.h"
#include "net/config.h"

namespace copal::net {

// In the order of their names. A file of /run/config/network stands for the one of the same name in
// the image. `etc` is another folder than /etc/network only where an image is checked.
std::span<LinkConfig> load_configs(const char* etc, Arena& arena, Reporter& reporter);

// Prints what is wrong.
class Printer final : public Reporter {
 public:
  void problem(const Place& place, std::string_view message) override;
  [[nodiscard]] bool quiet() const { return quiet_; }

 private:
  bool quiet_ = true;
};

}  // namespace copal::net
