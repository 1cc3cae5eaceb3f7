#include "core/notify.h"

#include "helpers.h"

namespace copal {
namespace {

TEST(Notification, IsReadyByAWholeLine) {
  for (const char* good :
       {"READY=1", "READY=1\n", "STATUS=up\nREADY=1", "\n\nREADY=1\nREADY=1\n"}) {
    EXPECT_TRUE(parse_notification(good).ready) << good;
  }
  for (const char* bad : {"", "\n", "READY=0", "READY=1 ", "STATUS=READY=1", "READY=", "READY"}) {
    EXPECT_FALSE(parse_notification(bad).ready) << bad;
  }
  EXPECT_FALSE(parse_notification(std::string_view("READY=1\0", 8)).ready);
}

}  // namespace
}  // namespace copal
