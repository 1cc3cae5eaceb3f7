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
  ASSERT_TRUE(shutdown.begin(Ending::reboot, seconds(1), {seconds(10), seconds(0), seconds(0)}));
  EXPECT_FALSE(shutdown.advance(seconds(1), false, false, true));
  EXPECT_EQ(shutdown.phase(), Phase::stopping);
  while (shutdown.advance(seconds(2), true, true, false)) {
  }
  EXPECT_EQ(shutdown.phase(), Phase::over);
  EXPECT_EQ(shutdown.ending(), Ending::reboot);
}

// Nothing ever stops, nothing ever dies: what the files allow, and five seconds, for services and
// then for tasks; what they allow for the rest; then 3 for the log, then 2.
TEST(Shutdown, HasAHardBound) {
  Shutdown shutdown;
  ASSERT_TRUE(
      shutdown.begin(Ending::poweroff, seconds(100), {seconds(10), seconds(20), seconds(30)}));
  const auto until = [&](Time when, Phase phase) {
    EXPECT_EQ(shutdown.deadline(), when);
    EXPECT_FALSE(shutdown.advance(when - Duration(1), false, false, true));
    EXPECT_TRUE(shutdown.advance(when, false, false, true));
    EXPECT_EQ(shutdown.phase(), phase);
  };
  until(seconds(115), Phase::tasks);
  until(seconds(140), Phase::terminating);
  until(seconds(170), Phase::log);
  until(seconds(173), Phase::killing);
  until(seconds(175), Phase::over);
  EXPECT_FALSE(shutdown.advance(seconds(999), false, false, true));
}

TEST(Shutdown, GivesServicesThatAskTenMinutesMoreInAll) {
  Shutdown shutdown;
  shutdown.extend(seconds(60));  // before it begins, nothing ends
  ASSERT_TRUE(shutdown.begin(Ending::poweroff, seconds(100), {seconds(10), {}, {}}));
  shutdown.extend(seconds(60));
  EXPECT_EQ(shutdown.deadline(), seconds(175));
  shutdown.extend(seconds(600));
  EXPECT_EQ(shutdown.deadline(), seconds(715));
}

TEST(Shutdown, IsAskedForOnce) {
  Shutdown shutdown;
  EXPECT_TRUE(shutdown.begin(Ending::poweroff, seconds(1), {seconds(1), {}, {}}));
  EXPECT_FALSE(shutdown.begin(Ending::reboot, seconds(9), {seconds(99), {}, {}}));
  EXPECT_EQ(shutdown.ending(), Ending::poweroff);
  EXPECT_EQ(shutdown.deadline(), seconds(7));
}

}  // namespace
}  // namespace copal
