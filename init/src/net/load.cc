// The files of /etc/network and /run/config/network.
#include "net/config.h"
#include "sys/config_files.h"

namespace copal::net {

std::span<LinkConfig> load_configs(const sys::Fd& root, Arena& arena, Reporter& reporter) {
  const std::span<sys::ConfigFile> files =
      sys::load_config_files(root, "network", kMaxConfigs, arena, reporter);
  const std::span<LinkConfig> configs = arena.make<LinkConfig>(files.size());
  for (size_t i = 0; i < configs.size(); ++i) {
    configs[i] = parse_link(files[i].path, files[i].text, reporter);
  }
  check_together(configs, reporter);
  return configs;
}

}  // namespace copal::net
