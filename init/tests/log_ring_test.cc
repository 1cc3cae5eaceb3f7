// The rings against a model that forgets nothing.
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "log/ring.h"

namespace copal::log {
namespace {

struct Model {
  explicit Model(size_t count, size_t bytes) : slots(count), memory(bytes), rings(name(), memory) {}

  std::span<Ring> name() {
    for (size_t i = 0; i < slots.size(); ++i) {
      names.push_back("s" + std::to_string(i));
    }
    for (size_t i = 0; i < slots.size(); ++i) slots[i].name = names[i];
    return slots;
  }
  void add(size_t ring, const std::string& text) {
    rings.add(ring, kInfo, {}, text);
    all.push_back({ring, text});
  }

  std::vector<Ring> slots;
  std::vector<std::string> names;
  std::vector<std::byte> memory;
  Rings rings;
  std::vector<std::pair<size_t, std::string>> all;
};

long left_out(const Record& record) {
  return record.text.starts_with("(") ? std::stol(std::string(record.text.substr(1))) : -1;
}

TEST(LogRing, EverythingThatFitsIsThereInOrder) {
  Model model(3, 3 << 14);
  for (int n = 0; n < 100; ++n) model.add(static_cast<size_t>(n % 3), std::to_string(n));
  Reader reader;
  reader.start(model.rings, {}, UINT64_MAX);
  for (uint64_t n = 0; n < 100; ++n) {
    const auto record = reader.next(model.rings);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->sequence, n + 1);
    EXPECT_EQ(record->number, n / 3 + 1);
    EXPECT_EQ(record->text, std::to_string(n));
    EXPECT_EQ(record->service, model.names[n % 3]);
  }
  EXPECT_FALSE(reader.next(model.rings));
  model.add(1, "late");
  EXPECT_EQ(reader.next(model.rings)->text, "late");
}

TEST(LogRing, TheNewestOfAllOrOfOne) {
  Model model(2, 1 << 16);
  for (int n = 0; n < 50; ++n) model.add(n % 5 == 0, std::to_string(n));
  const auto read = [&](std::optional<size_t> only, uint64_t newest) {
    Reader reader;
    reader.start(model.rings, only, newest);
    std::string texts;
    while (const auto record = reader.next(model.rings)) texts += std::string(record->text) + " ";
    return texts;
  };
  EXPECT_EQ(read({}, 3), "47 48 49 ");
  EXPECT_EQ(read(1, 2), "40 45 ");
  EXPECT_EQ(read({}, 0), "");
  EXPECT_EQ(read(1, UINT64_MAX), "0 5 10 15 20 25 30 35 40 45 ");
  EXPECT_EQ(model.rings.find("s1"), 1u);
  EXPECT_FALSE(model.rings.find("s2"));
}

TEST(LogRing, AFloodDoesNotTouchOthers) {
  Model model(2, 1 << 14);
  model.add(0, "rare");
  for (int n = 0; n < 10000; ++n) model.add(1, "flood");
  Reader reader;
  reader.start(model.rings, 0, UINT64_MAX);
  EXPECT_EQ(reader.next(model.rings)->text, "rare");
}

// Whatever is added and read: records come in order, unchanged, and with those that were told to be
// left out they are all.
TEST(LogRing, NothingIsLostUntold) {
  std::mt19937 random(1);
  for (int round = 0; round < 30; ++round) {
    Model model(1 + random() % 5, (1 + random() % 4) << 15);
    Reader everything;
    everything.start(model.rings, {}, UINT64_MAX);
    const size_t one = random() % model.slots.size();
    Reader single;
    single.start(model.rings, one, UINT64_MAX);
    uint64_t next = 0;
    uint64_t next_of_one = 0;
    const auto read = [&](Reader& reader, uint64_t& seen, bool of_one) {
      while (random() % 50 != 0) {
        const auto record = reader.next(model.rings);
        if (!record) return;
        if (record->service == "log") {
          ASSERT_GT(left_out(*record), 0);
          seen += static_cast<uint64_t>(left_out(*record));
          continue;
        }
        const auto& [ring, text] = model.all[record->sequence - 1];
        ASSERT_EQ(++seen, of_one ? record->number : record->sequence);
        ASSERT_EQ(record->text, text);
        ASSERT_EQ(record->service, model.names[ring]);
      }
    };
    for (int turn = 0; turn < 300; ++turn) {
      for (uint64_t n = random() % 40; n > 0; --n) {
        model.add(random() % model.slots.size(),
                  std::string(random() % (turn % 7 == 0 ? kMaxText : 80), 'a' + random() % 26));
      }
      read(everything, next, false);
      read(single, next_of_one, true);
    }
  }
}

TEST(LogRing, BoundedAndAligned) {
  Model model(1, 1 << 15);
  for (size_t size = 0; size <= kMaxText; ++size) {
    model.add(0, std::string(size, 'x'));
    EXPECT_LE(model.slots[0].end - model.slots[0].begin, model.memory.size());
    EXPECT_EQ(model.slots[0].end % 8, 0u);
  }
}

}  // namespace
}  // namespace copal::log
