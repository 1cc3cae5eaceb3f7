// What the unit tests share: memory, a Reporter that remembers, service files in a line.
#pragma once

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "core/arena.h"
#include "core/config.h"
#include "core/graph.h"

namespace copal {

class Memory {
 public:
  explicit Memory(size_t size = size_t{1} << 20) : block_(size), arena_(block_) {}
  Arena& arena() { return arena_; }

 private:
  std::vector<std::byte> block_;
  Arena arena_;
};

class Problems final : public Reporter {
 public:
  void problem(const Place& place, std::string_view message) override {
    std::string text;
    if (place.line != 0) {
      text = std::to_string(place.line) + ":" + std::to_string(place.column) + ": ";
    }
    list.push_back(text + std::string(message));
  }
  std::vector<std::string> list;
};

// Services by name, as load_services() would make them.
class Loaded {
 public:
  explicit Loaded(std::map<std::string, std::string> files) : files_(std::move(files)) {
    specs = memory.arena().make<Spec>(files_.size());
    size_t i = 0;
    for (const auto& [name, text] : files_) {
      specs[i++] = parse_spec(name, name, text, nullptr, memory.arena(), problems);
    }
    EXPECT_TRUE(graph.build(specs, memory.arena(), problems));
  }
  Index operator[](std::string_view name) const {
    for (size_t i = 0; i < specs.size(); ++i) {
      if (specs[i].name == name) return static_cast<Index>(i);
    }
    ADD_FAILURE() << "no " << name;
    return 0;
  }

  Memory memory;
  Problems problems;
  std::span<Spec> specs;
  Graph graph;

 private:
  std::map<std::string, std::string> files_;
};

}  // namespace copal
