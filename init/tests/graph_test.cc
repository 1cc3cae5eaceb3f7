#include "core/graph.h"

#include "core/policy.h"
#include "helpers.h"

namespace copal {
namespace {

const std::string kRun = "run = /x\nuser = root\n";

std::vector<std::string> names(const Loaded& loaded, std::span<const Index> list) {
  std::vector<std::string> result;
  for (const Index i : list) result.emplace_back(loaded.specs[i].name);
  return result;
}

using Names = std::vector<std::string>;

TEST(Graph, ResolvesNames) {
  Loaded loaded({{"a", kRun},
                 {"b", kRun + "needs = a\nafter = missing\n"},
                 {"c", kRun + "needs = a b\n"},
                 {"d", kRun + "after = a\n"}});
  EXPECT_TRUE(loaded.problems.list.empty());
  EXPECT_EQ(names(loaded, loaded.graph[loaded["c"]].needs), (Names{"a", "b"}));
  EXPECT_EQ(names(loaded, loaded.graph[loaded["b"]].after), Names{});
  EXPECT_EQ(names(loaded, loaded.graph[loaded["a"]].waiters), (Names{"b", "c", "d"}));
  EXPECT_EQ(names(loaded, loaded.graph[loaded["c"]].waiters), Names{});
}

TEST(Graph, ReportsUnknownNeeds) {
  Loaded loaded({{"consul", kRun}, {"nomad", kRun + "needs = consl\n"}, {"x", kRun}});
  ASSERT_EQ(loaded.problems.list.size(), 1U);
  EXPECT_EQ(loaded.problems.list[0], "3:9: there is no service 'consl': did you mean 'consul'?");
  EXPECT_TRUE(loaded.specs[loaded["nomad"]].bad);
  EXPECT_FALSE(loaded.specs[loaded["x"]].bad);
}

TEST(Graph, ReportsACycleOnce) {
  Loaded loaded({{"a", kRun + "needs = b\n"},
                 {"b", kRun + "needs = c\n"},
                 {"c", kRun + "after = a\n"},
                 {"behind", kRun + "needs = a\n"},
                 {"before", kRun},
                 {"x", kRun + "needs = before\n"}});
  ASSERT_EQ(loaded.problems.list.size(), 1U);
  EXPECT_EQ(loaded.problems.list[0], "3:9: a cycle: a waits for b waits for c waits for a");
  for (const char* member : {"a", "b", "c"}) EXPECT_TRUE(loaded.specs[loaded[member]].bad);
  // It can never run, but through no fault of its own: it fails when what it needs does.
  EXPECT_FALSE(loaded.specs[loaded["behind"]].bad);
  EXPECT_FALSE(loaded.specs[loaded["x"]].bad);
}

TEST(Graph, ReportsEveryCycle) {
  Loaded loaded({{"a", kRun + "needs = b\n"},
                 {"b", kRun + "needs = a\n"},
                 {"c", kRun + "needs = d a\n"},
                 {"d", kRun + "after = c\n"}});
  EXPECT_EQ(loaded.problems.list.size(), 2U);
}

// Against the plain definition: whoever can reach itself is in a cycle.
TEST(Graph, FindsCyclesInRandomGraphs) {
  Random random(7);
  for (int round = 0; round < 500; ++round) {
    const size_t size = 1 + random.next() % 9;
    std::map<std::string, std::string> files;
    std::vector<std::vector<bool>> reach(size, std::vector<bool>(size));
    for (size_t i = 0; i < size; ++i) {
      std::string& text = files[std::string(1, static_cast<char>('a' + i))] = kRun;
      for (size_t j = 0; j < size; ++j) {
        if (i == j || random.next() % 6 != 0) continue;
        reach[i][j] = true;
        text += (random.next() % 2 ? "needs = " : "after = ");
        text += static_cast<char>('a' + j);
        text += '\n';
      }
    }
    for (size_t k = 0; k < size; ++k) {
      for (size_t i = 0; i < size; ++i) {
        for (size_t j = 0; j < size; ++j) {
          if (reach[i][k] && reach[k][j]) reach[i][j] = true;
        }
      }
    }
    const Loaded loaded(files);
    bool any = false;
    for (size_t i = 0; i < size; ++i) {
      any = any || reach[i][i];
      EXPECT_TRUE(reach[i][i] || !loaded.specs[i].bad);
    }
    EXPECT_EQ(any, !loaded.problems.list.empty());
    // What is left has no cycle: it can be taken apart.
    size_t left = 0;
    std::vector<bool> gone(size);
    for (size_t i = 0; i < size; ++i) {
      gone[i] = loaded.specs[i].bad;
      left += gone[i] ? 0 : 1;
    }
    for (bool moved = true; moved;) {
      moved = false;
      for (size_t i = 0; i < size; ++i) {
        if (gone[i]) continue;
        bool waits = false;
        for (const Index j : loaded.graph[static_cast<Index>(i)].needs) waits = waits || !gone[j];
        for (const Index j : loaded.graph[static_cast<Index>(i)].after) waits = waits || !gone[j];
        if (waits) continue;
        gone[i] = moved = true;
        --left;
      }
    }
    EXPECT_EQ(left, 0U);
  }
}

TEST(Graph, RefusesNeedsAcrossBootAndShutdown) {
  const Loaded loaded(
      {{"a", kRun}, {"t", "task = /x\nuser = root\nwhen = shutdown\nneeds = a\nafter = a\n"}});
  EXPECT_EQ(loaded.problems.list,
            (std::vector<std::string>{"4:9: one of the two runs at boot, the other at shutdown"}));
}

TEST(Graph, MeasuresTheLongestWay) {
  const std::string task = "task = /x\nuser = root\nwhen = shutdown\n";
  Loaded loaded({{"a", kRun + "stop = TERM 9s\n"},
                 {"b", kRun + "stop = TERM 9s\nneeds = a\n"},
                 {"c", kRun + "stop = TERM 1s\nneeds = a\n"},
                 {"d", kRun + "stop = TERM 9s\nneeds = c\nafter = b\n"},
                 {"x", kRun + "stop = TERM 15s\n"},
                 {"t", task + "limit = 20s\nstop = TERM 2s\n"}});
  EXPECT_EQ(loaded.graph.longest(When::boot), 3 * (std::chrono::seconds(9) + kDeath));
  EXPECT_EQ(loaded.graph.longest(When::shutdown), std::chrono::seconds(22) + kDeath);
}

TEST(Graph, RunsOutOfMemoryCleanly) {
  Loaded loaded({{"a", kRun}, {"b", kRun + "needs = a\n"}});
  bool built = false;
  for (size_t size = 0; size < 400; ++size) {
    Memory small(size);
    Graph graph;
    built = graph.build(loaded.specs, small.arena(), loaded.problems);
  }
  EXPECT_TRUE(built);
}

}  // namespace
}  // namespace copal
