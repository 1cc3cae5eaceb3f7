// Licences: expressions of SPDX, and which of them a configuration takes.
#include "licence.h"

#include <gtest/gtest.h>
#include <set>

#include "support.h"

namespace copal::test {
namespace {

std::string problem(const std::string& text, const std::set<std::string>& accepted = {}) {
  return licence_problem(text, [&](const std::string& id) { return accepted.contains(id); });
}

TEST(Licence, IsAnExpressionOfSpdx) {
  for (const auto* text : {"MIT", "NONE", "MIT AND Zlib", "MIT OR GPL-2.0-only", "(MIT)",
                           "((MIT OR Zlib))AND(ISC)", "GPL-2.0-only WITH Linux-syscall-note",
                           "MIT AND (BSD-2-Clause OR GPL-3.0-or-later WITH GCC-exception-3.1)"})
    EXPECT_EQ(problem(text), "") << text;
}

TEST(Licence, IsExplainedWhenItIsNone) {
  EXPECT_TRUE(says(problem("MIIT"), "'MIIT' is no SPDX licence that is known here"));
  EXPECT_TRUE(says(problem("MIIT"), "Did you mean MIT?"));
  EXPECT_EQ(problem("MIT and Zlib"), "'and' is no operator of SPDX; write AND, OR or WITH");
  EXPECT_TRUE(says(problem("MIT Zlib"), "'Zlib' is no operator of SPDX"));
  EXPECT_TRUE(says(problem("MIT)"), "')' is no operator of SPDX"));
  for (const auto* text : {"", "MIT AND", "MIT OR (", "("})
    EXPECT_EQ(problem(text), "the licence ends too early; write an SPDX expression") << text;
  EXPECT_EQ(problem("(MIT AND Zlib"), "a ( that is not closed in the licence");
  EXPECT_TRUE(says(problem("AND MIT"), "'AND' is no SPDX licence"));
  EXPECT_EQ(problem("MIT WITH"), "WITH needs an SPDX exception");
  EXPECT_EQ(problem("GPL-2.0-only WITH Linux-syscall-not"),
            "WITH needs an SPDX exception. Did you mean Linux-syscall-note?");
  EXPECT_TRUE(says(problem("MIT WITH Zlib"), "WITH needs an SPDX exception"));
}

// Ids of before are short for two of today.
TEST(Licence, SuggestsHowAnIdGoesOn) {
  EXPECT_TRUE(says(problem("GPL-2.0"), "Did you mean GPL-2.0-only or GPL-2.0-or-later?"));
  EXPECT_TRUE(says(problem("LGPL-2.1"), "Did you mean LGPL-2.1-only or LGPL-2.1-or-later?"));
}

TEST(Licence, IsTakenWhenTheConfigurationSaysSo) {
  EXPECT_EQ(problem("BUSL-1.1"),
            "BUSL-1.1 is not an open-source licence. A configuration that takes it all the same "
            "says CONFIG_ACCEPT_LICENCE_BUSL_1_1=y");
  EXPECT_EQ(problem("BUSL-1.1", {"BUSL-1.1"}), "");
  EXPECT_TRUE(says(problem("LicenseRef-Acme"), "CONFIG_ACCEPT_LICENCE_LICENSEREF_ACME=y"));
  EXPECT_EQ(problem("LicenseRef-Acme", {"LicenseRef-Acme"}), "");
  EXPECT_EQ(licence_symbol("LicenseRef-x.y"), "LICENSEREF_X_Y");
}

// One good side of an OR is enough, an AND needs both; OR binds less than AND.
TEST(Licence, NeedsOneSideOfAnOrAndBothOfAnAnd) {
  for (const auto* text : {"MIT OR BUSL-1.1", "BUSL-1.1 OR MIT", "BUSL-1.1 OR SSPL-1.0 OR MIT",
                           "MIT OR BUSL-1.1 AND SSPL-1.0", "(BUSL-1.1 OR MIT) AND Zlib"})
    EXPECT_EQ(problem(text), "") << text;
  for (const auto* text : {"MIT AND BUSL-1.1", "BUSL-1.1 AND MIT", "MIT AND BUSL-1.1 OR SSPL-1.0",
                           "(MIT OR Zlib) AND BUSL-1.1", "MIT AND (BUSL-1.1 AND Zlib)"})
    EXPECT_TRUE(says(problem(text), "BUSL-1.1 is not an open-source licence")) << text;
  EXPECT_EQ(problem("BUSL-1.1 AND SSPL-1.0 OR Elastic-2.0", {"Elastic-2.0"}), "");
  EXPECT_TRUE(says(problem("BUSL-1.1 AND SSPL-1.0", {"BUSL-1.1"}), "SSPL-1.0 is not"));
}

}  // namespace
}  // namespace copal::test
