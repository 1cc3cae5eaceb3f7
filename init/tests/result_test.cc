#include "core/result.h"

#include "helpers.h"

namespace copal {
namespace {

TEST(Result, IsAValueOrAnError) {
  Result<std::string> good(std::string("value"));
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, "value");
  EXPECT_EQ(good->size(), 5U);
  const Result<std::string> bad(Error{7, "step"});
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, 7);
  EXPECT_STREQ(bad.error().what, "step");
}

TEST(Status, IsGoodUntilItIsNot) {
  EXPECT_TRUE(Status().ok());
  const Status bad(Error{7, "step"});
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, 7);
}

}  // namespace
}  // namespace copal
