// The last word about how long a shutdown takes: whatever services and processes do.
#include "init/shutdown.h"

#include "helpers.h"

namespace copal {
namespace {

using std::chrono::seconds;
using Phase = Shutdown::Phase;

TEST(Shutdown, IsOverAtOnceWhenNothingIsLeft) {
  Shutdown shutdown;
  EXPECT_FALSE(shutdown.advance(seconds(1), true, true, false));
  EXPECT_EQ(shutdown.deadline(), kNever);
  ASSERT_TRUE(shutdown.begin(Ending::reboot, seconds(1), seconds(10), seconds(0)));
  EXPECT_FALSE(shutdown.advance(seconds(1), false, false, true));
  EXPECT_EQ(shutdown.phase(), Phase::stopping);
  while (shutdown.advance(seconds(2), true, true, false)) {
  }
  EXPECT_EQ(shutdown.phase(), Phase::over);
  EXPECT_EQ(shutdown.ending(), Ending::reboot);
}

// Nothing ever stops, nothing ever dies: 30 seconds and the longest limit, 5 and the
// longest of the tasks, 3 for the log, then 5, then 2.
TEST(Shutdown, HasAHardBound) {
  Shutdown shutdown;
  ASSERT_TRUE(shutdown.begin(Ending::poweroff, seconds(100), seconds(10), seconds(20)));
  const auto until = [&](Time when, Phase phase) {
    EXPECT_EQ(shutdown.deadline(), when);
    EXPECT_FALSE(shutdown.advance(when - Duration(1), false, false, true));
    EXPECT_TRUE(shutdown.advance(when, false, false, true));
    EXPECT_EQ(shutdown.phase(), phase);
  };
  until(seconds(140), Phase::tasks);
  until(seconds(165), Phase::log);
  until(seconds(168), Phase::terminating);
  until(seconds(173), Phase::killing);
  until(seconds(175), Phase::over);
  EXPECT_FALSE(shutdown.advance(seconds(999), false, false, true));
}

TEST(Shutdown, IsAskedForOnce) {
  Shutdown shutdown;
  EXPECT_TRUE(shutdown.begin(Ending::poweroff, seconds(1), seconds(1), seconds(0)));
  EXPECT_FALSE(shutdown.begin(Ending::reboot, seconds(9), seconds(99), seconds(0)));
  EXPECT_EQ(shutdown.ending(), Ending::poweroff);
  EXPECT_EQ(shutdown.deadline(), seconds(32));
}

}  // namespace
}  // namespace copal
