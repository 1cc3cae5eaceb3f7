// Documents that come with the machine: in its firmware, or on a disk or CD.
#pragma once

#include <optional>
#include <string>

#include "metadata/answer.h"
#include "metadata/choice.h"

namespace copal::metadata {

struct Document {
  std::string origin;  // for messages: "fw_cfg", "/dev/sr0 (cidata)"
  std::string text;
  Identity identity{};
};

// The document of that source; of Source::automatic, the first of fw_cfg, SMBIOS and the disks that
// has one. Nothing: there is none, or, if `problem` says so, one that cannot be used.
std::optional<Document> find_local(Source source, std::string& problem);

}  // namespace copal::metadata
