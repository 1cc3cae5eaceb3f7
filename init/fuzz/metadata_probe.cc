// Bytes of firmware and disks: SMBIOS, base64, gzip, superblocks. The first byte says which.
#include "fuzz.h"
#include "metadata/gzip.h"
#include "metadata/probe.h"

namespace copal {
namespace {

bool within(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace

void fuzz(std::string_view input) {
  if (input.empty()) return;
  const char kind = input[0];
  input.remove_prefix(1);
  if (kind == 's') {
    const auto found = metadata::smbios_string(input, "copal.metadata=");
    hold(!found || (within(*found, input) && found->find('\0') == std::string_view::npos));
  } else if (kind == 'b') {
    const auto bytes = metadata::decode_base64(input);
    hold(!bytes || bytes->size() <= input.size() * 3 / 4);
  } else if (kind == 'g') {
    const auto text = metadata::gunzip(input, 100'000);
    hold(!text || text->size() <= 100'000);
  } else if (kind == 'f') {
    (void)metadata::fat_root(input);
    const auto label = metadata::fat_label(input);
    hold(label.empty() || (within(label, input) && label.size() <= 11));
  } else {
    // Superblocks lie so far apart that the input is laid over one of them.
    std::string head(metadata::kVolumeHead, '\0');
    const size_t at = kind == 'i' ? 32768 : kind == 'e' ? 1024 : 0;
    head.replace(at, input.size(), input);
    const auto volume = metadata::read_volume(head);
    hold(!volume || (within(volume->label, head) && volume->label.size() <= 32));
    hold(!volume || volume->label.find('\0') == std::string_view::npos);
  }
}

}  // namespace copal
