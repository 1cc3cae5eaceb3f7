// Text: what is split can be joined, what is escaped comes back, and a slip of the pen finds its
// name.
#include "text.h"

#include <gtest/gtest.h>

namespace copal::test {
namespace {

using Views = std::vector<std::string_view>;

TEST(Text, SplitsAndKeepsEmptyParts) {
  EXPECT_EQ(split("a\t\tb", '\t'), (Views{"a", "", "b"}));
  EXPECT_EQ(split("", '\t'), (Views{""}));
  EXPECT_EQ(lines("a\n\nb\n"), (Views{"a", "", "b"}));
  EXPECT_EQ(lines(""), Views{});
  EXPECT_EQ(words("  a \t b "), (Views{"a", "b"}));
  EXPECT_EQ(words("  "), Views{});
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
}

TEST(Text, EscapesWhatWouldBreakALine) {
  const std::string odd = "a b\tc\nd\\e\x7f\x01 ü";
  const auto text = escape(odd);
  EXPECT_EQ(text.find_first_of(" \t\n"), std::string::npos);
  EXPECT_EQ(unescape(text), odd);
  EXPECT_EQ(escape("/usr/bin/ü"), "/usr/bin/ü");
  for (const auto* wrong : {"\\", "\\x1", "\\xzz", "\\n"})
    EXPECT_EQ(unescape(wrong), std::nullopt) << wrong;
}

TEST(Text, ReadsWholeNumbersOnly) {
  EXPECT_EQ(number("42"), 42U);
  EXPECT_EQ(number("755", 8), 0755U);
  for (const auto* wrong : {"", "4x", " 4", "-1", "99999999999999999999"})
    EXPECT_EQ(number(wrong), std::nullopt) << wrong;
  EXPECT_EQ(octal(0644), "0644");
  EXPECT_EQ(octal(01777), "1777");
  EXPECT_EQ(octal(0), "0000");
}

TEST(Text, FindsTheNearestName) {
  const std::vector<std::string> known = {"zlib", "dropbear", "host-zstd"};
  EXPECT_EQ(nearest("zlb", known), "zlib");
  EXPECT_EQ(nearest("dropbaer", known), "dropbear");
  EXPECT_EQ(nearest("systemd", known), std::nullopt);
}

}  // namespace
}  // namespace copal::test
