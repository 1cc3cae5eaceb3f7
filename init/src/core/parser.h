// The reader of a service file: what config.cc and confine.cc share.
#pragma once

#include <array>
#include <bit>
#include <optional>

#include "core/config.h"

namespace copal {

enum class Key : uint8_t {
#define KEY(id, name, fewest, most, repeats, usage, example, manual) id,
#include "core/keys.inc"
};

constexpr bool has_escapes(Key key) {
  return key == Key::run || key == Key::task || key == Key::env;
}

inline constexpr std::array kServiceKeys = {
#define KEY(id, name, fewest, most, repeats, usage, example, manual) \
  KeyRow{name, fewest, most, repeats, usage, has_escapes(Key::id)},
#include "core/keys.inc"
};
static_assert(kServiceKeys.size() <= kMaxKeys);

class Parser {
 public:
  Parser(std::string_view file, std::string_view text, const Accounts* accounts, Arena& arena,
         Reporter& reporter, Spec& spec)
      : lines_(kServiceKeys, file, text, reporter),
        accounts_(accounts),
        arena_(arena),
        spec_(spec) {}

  void parse();

 private:
  void finish();
  void finish_task();
  void finish_confinement();
  void check_sense();
  [[nodiscard]] std::optional<Key> covered_by(std::string_view path) const;
  void check_mount_point(Key key, std::string_view path);

#define KEY(id, name, fewest, most, repeats, usage, example, manual) void set_##id(Words words);
#include "core/keys.inc"

  void set_command(Words words, Kind kind);
  void set_references(Words words, std::span<Reference>& list);
  std::optional<uint32_t> account(const Word& word, std::string_view file, const char* kind,
                                  uint32_t* group);
  void set_address(const Word& word);
  void set_path(std::string_view path);
  std::optional<int> signal(const Word& word, std::span<const int> useless);
  const char* copy_word(const Word& word);
  [[nodiscard]] size_t find_variable(std::string_view name) const;
  void add_variable(const char* variable);
  void set_flag(Words words, bool& value);
  // False: it is none, or none at all.
  bool set_time(const Word& word, Duration& value);
  void set_unlimited_size(const Word& word, uint64_t& value);
  bool check_path(const Word& word, std::string_view path);
  const char* copy_path(const Word& word, std::string_view path);
  bool within_bounds(Words words, size_t before);
  void add_paths(Words words, std::span<const char*>& list);
  // `list`, which came from here or is empty, with room for `count` more; or an empty span if there
  // is no memory, which is reported. It lies in room for a power of two, so that one that grows
  // line by line takes up no more than four times its size.
  template <typename T>
  std::span<T> longer(std::span<T> list, size_t count) {
    const size_t size = list.size() + count;
    if (!list.empty() && size <= std::bit_ceil(list.size())) return {list.data(), size};
    const std::span<T> made = arena_.make<T>(std::bit_ceil(size));
    if (made.empty()) return no_room(), made;
    std::copy(list.begin(), list.end(), made.begin());
    return made.first(size);
  }

  [[nodiscard]] bool seen(Key key) const {
    return lines_.seen(static_cast<size_t>(key));
  }
  void error(const Word& word, const Line& message) {
    lines_.error(word, message);
  }
  void key_error(Key key, const Line& message) {
    lines_.key_error(static_cast<size_t>(key), message);
  }
  void file_error(const Line& message) {
    lines_.file_error(message);
  }
  void no_room() {
    file_error(Line("the service files take up too much memory"));
  }

  Lines lines_;
  const Accounts* accounts_;
  Arena& arena_;
  Spec& spec_;
  std::array<const char*, 64> env_{};
  size_t env_count_ = 0;
};

}  // namespace copal
