// Why something is built again: each kind of change is named, and followed down to where it began.
#include <gtest/gtest.h>

#include "entry.h"
#include "reasons.h"
#include "support.h"

namespace copal::test {
namespace {

class Why : public ::testing::Test {
 protected:
  // Writes inputs/<name> or built/<name> and gives the name of the entry.
  std::string put(const std::string& folder, const std::string& name, const std::string& rest) {
    const auto text = "copal-inputs 1\n" + rest + "name " + name + "\nversion 1\n";
    scratch.write(folder + "/" + name, text);
    return name + "-1-" + key_of(text);
  }
  std::string why(const std::string& name) {
    scratch.folder("built");
    const auto report = reasons(scratch / "inputs", scratch / "built", name);
    return report ? *report : "error: " + report.error().what;
  }
  Scratch scratch;
};

TEST_F(Why, NeverBuilt) {
  put("inputs", "a", "");
  EXPECT_EQ(why("a"), "a: never built here\n");
}

TEST_F(Why, NothingChanged) {
  put("inputs", "a", "build make\n");
  put("built", "a", "build make\n");
  EXPECT_EQ(why("a"), "a: nothing changed: up to date\n");
}

TEST_F(Why, UnknownName) {
  put("inputs", "zlib", "");
  EXPECT_EQ(why("zlb"),
            "error: there is no package 'zlb' in this configuration. Did you mean 'zlib'?");
}

TEST_F(Why, NamesEachKindOfChange) {
  put("built", "a",
      "build make\nconfigure --a --b --c\nfile p/1.patch 11 644\nfile p/2.patch 22 644\n"
      "file s/x.sh 33 644\nldflags -a -b -c\nfile s/old 1 644\nmake V=1\nsource aa x.tar\n");
  put("inputs", "a",
      "build meson\nconfigure --a --d --c\nfile p/2.patch 23 644\nfile p/3.patch 1 644\n"
      "file s/x.sh 33 755\nldflags -c -a -b\nfile s/old 1 644\nsource bb x.tar\ntags go\n");
  EXPECT_EQ(why("a"),
            "a\n"
            "  build: make → meson\n"
            "  configure: --a --b --c → --a --d --c (gone: --b; new: --d)\n"
            "  ldflags: -a -b -c → -c -a -b (in another order)\n"
            "  make: V=1 → (nothing)\n"
            "  tags: (nothing) → go\n"
            "  patch p/1.patch was removed\n"
            "  patch p/2.patch changed\n"
            "  patch p/3.patch was added\n"
            "  file s/x.sh changed\n"
            "  source x.tar has another sha256 (aa → bb)\n");
}

TEST_F(Why, FollowsDependenciesToTheRoot) {
  const auto old_c = put("built", "c", "build make\n");
  const auto new_c = put("inputs", "c", "build meson\n");
  const auto old_b = put("built", "c-lib", "depends " + old_c + "\n");
  const auto new_b = put("inputs", "c-lib", "depends " + new_c + "\n");
  put("built", "a", "depends " + old_b + "\ndepends " + old_c + "\n");
  put("inputs", "a", "depends " + new_b + "\ndepends " + new_c + "\n");
  EXPECT_EQ(why("a"),
            "a\n"
            "  dependency c changed\n"
            "    build: make → meson\n"
            "  dependency c-lib changed\n"
            "    dependency c changed (see above)\n");
}

TEST_F(Why, NamesNewAndLostDependencies) {
  const auto b = put("inputs", "b", "");
  const auto c = put("inputs", "c", "");
  put("built", "a", "depends " + b + "\n");
  put("inputs", "a", "depends " + c + "\n");
  EXPECT_EQ(why("a"), "a\n  dependency b was removed\n  dependency c was added\n");
}

TEST_F(Why, SaysWhenADependencyWasAlreadyBuiltAgain) {
  const auto old_b = put("built", "b", "build make\n");
  const auto new_b = put("inputs", "b", "build meson\n");
  put("built", "b", "build meson\n");
  put("built", "a", "depends " + old_b + "\n");
  put("inputs", "a", "depends " + new_b + "\n");
  EXPECT_EQ(why("a"), "a\n  dependency b changed\n    it has been built again since: " + old_b +
                          " → " + new_b + "\n");
}

}  // namespace
}  // namespace copal::test
