// Clouds: how each is known, what it is asked, and how its answers are to be read. All of it is one
// table (provider.cc), after the providers' own documentation.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace copal::metadata {

enum class Reading : uint8_t {
  text,       // as it is
  base64,     // RFC 4648
  json,       // the strings at `member`, one to a line
  user_keys,  // keys of SSH with a user before each: "anna:ssh-ed25519 …"
  setting,    // what follows `member` and a colon in a line: "local-hostname: amber"
};

struct Question {
  const char* path = nullptr;  // behind the provider's base; null: it has no such thing
  Reading reading = Reading::text;
  std::string_view member;  // "/ssh_public_keys/*/key"
};

// A file of /sys/class/dmi/id, and what is in it.
struct Mark {
  std::string_view file;
  std::string_view text;
};

struct Provider {
  std::string_view name;  // as copal.metadata= has it
  std::array<Mark, 2> marks;
  const char* base;
  const char* header;         // without which it refuses
  bool token = false;         // EC2's version 2: a header that is asked for first
  bool low_port = false;      // it answers root only, and knows him by a port below 1024
  bool may_be_empty = false;  // no document is 200 and nothing, where others say 404
  Question document;
  Question hostname;
  Question keys;
  Question address;
};

std::span<const Provider> providers();
const Provider* find_provider(std::string_view name);
// By the firmware. `dmi` reads one of its files. None: this is no cloud that is known.
const Provider* recognise(const std::function<std::string(std::string_view)>& dmi);

// Nothing: the text cannot be read that way.
std::optional<std::string> read_answer(const Question& question, std::string_view text);

}  // namespace copal::metadata
