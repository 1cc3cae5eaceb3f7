#include "core/policy.h"

#include "helpers.h"

namespace copal {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Backoff, DoublesUpToTheLongest) {
  Random random(1);
  Backoff backoff;
  for (const int meant : {100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000}) {
    const auto delay = backoff.next(milliseconds(100), seconds(5), seconds(1), random);
    EXPECT_GE(delay, milliseconds(meant - meant / 10));
    EXPECT_LE(delay, milliseconds(meant + meant / 10));
  }
}

TEST(Backoff, ForgivesAfterALongRun) {
  Random random(1);
  Backoff backoff;
  for (int i = 0; i < 10; ++i) (void)backoff.next(milliseconds(100), seconds(30), {}, random);
  EXPECT_LE(backoff.next(milliseconds(100), seconds(30), Backoff::kForgive, random),
            milliseconds(110));
}

TEST(Backoff, JitterSpreads) {
  Random random(1);
  Duration least = seconds(99);
  Duration most{};
  for (int i = 0; i < 1000; ++i) {
    Backoff backoff;
    const auto delay = backoff.next(seconds(10), seconds(10), {}, random);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_LT(least, milliseconds(9200));
  EXPECT_GT(most, milliseconds(10800));
}

TEST(Backoff, NeverOverflows) {
  Random random(1);
  Backoff backoff;
  for (int i = 0; i < 10000; ++i) {
    const auto delay = backoff.next(milliseconds(1), std::chrono::hours(24), {}, random);
    EXPECT_GE(delay, Duration{});
    EXPECT_LE(delay, std::chrono::hours(27));
  }
  EXPECT_EQ(Backoff().next(Duration{}, Duration{}, {}, random), Duration{});
}

TEST(Window, GivesUpAtTheCount) {
  std::vector<Time> ends(3);
  Window window{ends};
  EXPECT_FALSE(window.note(seconds(0), minutes(1)));
  EXPECT_FALSE(window.note(seconds(10), minutes(1)));
  EXPECT_TRUE(window.note(seconds(20), minutes(1)));
}

TEST(Window, Slides) {
  std::vector<Time> ends(3);
  Window window{ends};
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(window.note(seconds(31 * i), minutes(1)));
  EXPECT_TRUE(window.note(seconds(31 * 99 + 6), minutes(1)));
}

TEST(Window, OfOne) {
  std::vector<Time> ends(1);
  Window window{ends};
  EXPECT_TRUE(window.note(seconds(5), seconds(1)));
}

TEST(Window, None) {
  EXPECT_FALSE(Window().note(seconds(5), seconds(1)));
}

}  // namespace
}  // namespace copal
