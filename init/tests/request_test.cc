#include "core/request.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

TEST(Request, EachVerb) {
  for (size_t n = 0; n < kVerbNames.size(); ++n) {
    const Request request = parse_request(kVerbNames[n]);
    EXPECT_EQ(request.verb, static_cast<Verb>(n));
    EXPECT_EQ(request.name, "");
  }
}

TEST(Request, NameAndNumber) {
  EXPECT_EQ(parse_request("stop web\n").name, "web");
  EXPECT_EQ(parse_request("status 12").from, 12);
  EXPECT_EQ(parse_request("status 99999999").from, 0);
  EXPECT_EQ(parse_request("status -1").from, 0);
}

TEST(Request, Nonsense) {
  EXPECT_EQ(parse_request("").verb, Verb::unknown);
  EXPECT_EQ(parse_request("stopp web").verb, Verb::unknown);
  EXPECT_EQ(parse_request(std::string_view("\0\xff", 2)).verb, Verb::unknown);
}

}  // namespace
}  // namespace copal
