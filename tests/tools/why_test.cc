// Why something is built again: each kind of change is named, and followed down to where it began.
#include <deque>
#include <gtest/gtest.h>

#include "entry.h"
#include "reasons.h"
#include "support.h"

namespace copal::test {
namespace {

class Why : public ::testing::Test {
 protected:
  static std::string text_of(const std::string& name, const std::string& rest) {
    return "copal-inputs 2\nname " + name + "\nversion 1\n" + rest;
  }
  static std::string entry_of(const std::string& name, const std::string& rest) {
    return name + "-1-" + key_of(text_of(name, rest));
  }
  // What was built, and what is now; each gives the name of the entry.
  std::string built(const std::string& name, const std::string& rest) {
    scratch.write("built/" + name, text_of(name, rest));
    return entry_of(name, rest);
  }
  std::string now(const std::string& name, const std::string& rest) {
    plan.emplace_back().recipe.name = name;
    Keyed keyed;
    keyed.package = &plan.back();
    keyed.entry = entry_of(name, rest);
    keyed.inputs = text_of(name, rest);
    packages.push_back(keyed);
    return keyed.entry;
  }
  std::string why(const std::string& name) {
    const auto report = reasons(packages, scratch / "built", name);
    return report ? *report : "error: " + report.error().what;
  }

  Scratch scratch;
  std::deque<Package> plan;
  std::vector<Keyed> packages;
};

TEST_F(Why, NeverBuilt) {
  now("a", "");
  EXPECT_EQ(why("a"), "a: never built here\n");
}

TEST_F(Why, NothingChanged) {
  now("a", "field build make\n");
  built("a", "field build make\n");
  EXPECT_EQ(why("a"), "a: nothing changed: up to date\n");
}

TEST_F(Why, NamesEachKindOfChange) {
  built("a",
        "field build make\nfield configure --a --b --c\nfield make V=1\nfield tags -a -b -c\n"
        "environment CONFIG_A x y\nenvironment CONFIG_B \n"
        "file build/files/p/one 644 11\nfile build/files/p/two 644 22\nfolder build/files/p\n"
        "link build/files/l one\npatch build/recipe/a-1.patch 11\npatch build/recipe/a-2.patch 22\n"
        "script build/recipe/make.sh 33\nengine sandbox 44\nsource aa x.tar\n");
  now("a",
      "field build meson\nfield configure --a --d --c\nfield srcdir x\nfield tags -c -a -b\n"
      "environment CONFIG_A x z\nenvironment CONFIG_B y\n"
      "file build/files/p/one 755 11\nfile build/files/p/two 644 22\n"
      "link build/files/l two\npatch build/recipe/a-2.patch 23\npatch build/recipe/a-3.patch 1\n"
      "script build/recipe/make.sh 34\nengine sandbox 45\nsource bb x.tar\n");
  EXPECT_EQ(why("a"),
            "a\n"
            "  engine sandbox changed\n"
            "  CONFIG_A: x y → x z\n"
            "  CONFIG_B:  → y\n"
            "  build: make → meson\n"
            "  configure: --a --b --c → --a --d --c (gone: --b; new: --d)\n"
            "  make: V=1 → (nothing)\n"
            "  srcdir: (nothing) → x\n"
            "  tags: -a -b -c → -c -a -b (in another order)\n"
            "  file p/one changed\n"
            "  folder p was removed\n"
            "  link l changed\n"
            "  patch a-1.patch was removed\n"
            "  patch a-2.patch changed\n"
            "  patch a-3.patch was added\n"
            "  script make.sh changed\n"
            "  source x.tar has another sha256 (aa → bb)\n");
}

TEST_F(Why, NamesTheEngine) {
  scratch.write("built/a", "copal-inputs 1\nname a\nversion 1\n");
  now("a", "");
  EXPECT_EQ(why("a"), "a\n  the engine changed\n");
}

TEST_F(Why, FollowsDependenciesToTheRoot) {
  const auto old_c = built("c", "field build make\n");
  const auto new_c = now("c", "field build meson\n");
  const auto old_b = built("c-lib", "host " + old_c + "\n");
  const auto new_b = now("c-lib", "host " + new_c + "\n");
  built("a", "sysroot " + old_b + "\nhost " + old_c + "\n");
  now("a", "sysroot " + new_b + "\nhost " + new_c + "\n");
  EXPECT_EQ(why("a"),
            "a\n"
            "  dependency c changed\n"
            "    build: make → meson\n"
            "  dependency c-lib changed\n"
            "    dependency c changed (see above)\n");
}

TEST_F(Why, FollowsWhatIsSeenWhole) {
  const auto old_b = built("b", "field build make\n");
  const auto new_b = now("b", "field build meson\n");
  built("image", "entry b " + old_b + "\n");
  now("image", "entry b " + new_b + "\n");
  EXPECT_EQ(why("image"), "image\n  dependency b changed\n    build: make → meson\n");
}

TEST_F(Why, NamesNewAndLostDependencies) {
  const auto b = now("b", "");
  const auto c = now("c", "");
  built("a", "host " + b + "\nhost gone-1-" + std::string(kKeySize, '0') + "\n");
  now("a", "host " + c + "\n");
  EXPECT_EQ(why("a"),
            "a\n  dependency b was removed\n  dependency c was added\n  dependency gone-1 was "
            "removed\n");
}

TEST_F(Why, SaysWhenADependencyWasAlreadyBuiltAgain) {
  const auto old_b = entry_of("b", "field build make\n");
  const auto new_b = now("b", "field build meson\n");
  built("b", "field build meson\n");
  built("a", "host " + old_b + "\n");
  now("a", "host " + new_b + "\n");
  EXPECT_EQ(why("a"), "a\n  dependency b changed\n    it has been built again since: " + old_b +
                          " → " + new_b + "\n");
}

}  // namespace
}  // namespace copal::test
