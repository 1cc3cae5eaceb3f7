#include "core/notify.h"

#include "helpers.h"

namespace copal {
namespace {

TEST(Notification, IsReadyByAWholeLine) {
  for (const char* good :
       {"READY=1", "READY=1\n", "STATUS=up\nREADY=1", "\n\nREADY=1\nREADY=1\n"}) {
    EXPECT_TRUE(parse_notice(good).ready) << good;
  }
  for (const char* bad : {"", "\n", "READY=0", "READY=1 ", "STATUS=READY=1", "READY=", "READY"}) {
    EXPECT_FALSE(parse_notice(bad).ready) << bad;
  }
  EXPECT_FALSE(parse_notice(std::string_view("READY=1\0", 8)).ready);
}

TEST(Notification, SaysMore) {
  const Notice notice =
      parse_notice("WATCHDOG=1\nSTATUS=all is well\nEXTEND_TIMEOUT_USEC=2500000\n");
  EXPECT_FALSE(notice.ready);
  EXPECT_TRUE(notice.alive);
  EXPECT_EQ(notice.status, "all is well");
  EXPECT_EQ(notice.more, std::chrono::milliseconds(2500));
  EXPECT_EQ(parse_notice("EXTEND_TIMEOUT_USEC=-1").more, Duration{});
  EXPECT_EQ(parse_notice("EXTEND_TIMEOUT_USEC=99999999999999999999").more, Duration{});
}

TEST(HttpStatus, IsTheNumberOfTheFirstLine) {
  EXPECT_EQ(parse_http_status("HTTP/1.1 200 OK\r\n"), 200);
  EXPECT_EQ(parse_http_status("HTTP/1.0 503\r\nX: y"), 503);
  for (const char* bad :
       {"", "HTTP/1.1 200", "HTTP/2 200 OK\n", "HTTP/1.1 99 x\n", "HTTP/1.1\n", "SSH-2.0\n"}) {
    EXPECT_FALSE(parse_http_status(bad)) << bad;
  }
}

}  // namespace
}  // namespace copal
