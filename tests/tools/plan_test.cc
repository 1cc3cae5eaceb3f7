// Plans: what a configuration comes to, in an order that nothing but the packages decides; and what
// is wrong with it.
#include "plan.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tree.h"

namespace copal::test {
namespace {

using Texts = std::vector<std::string>;

class Plans : public ::testing::Test {
 protected:
  static Texts names(const Plan& plan) {
    Texts all;
    for (const auto& package : plan.packages) all.push_back(package.recipe.name);
    return all;
  }
  // Of the packages that are selected.
  std::string wrong(const std::string& packages) {
    tree.config["CONFIG_PACKAGES"] = packages;
    tree.plan();
    return tree.problems();
  }
  Tree tree;
};

TEST_F(Plans, AreWhatIsSelectedAndWhatThatNeeds) {
  tree.recipe("app", "depends = lib\n");
  tree.recipe("lib", "build = own\n");
  tree.recipe("other", "depends = nothing-like-it\n");
  tree.scratch.write("packages/lib/lib.sh", "");
  tree.config["CONFIG_PACKAGES"] = "app";
  const auto plan = tree.plan();
  EXPECT_EQ(tree.problems(), "");
  EXPECT_EQ(names(plan), (Texts{"host-sandbox", "cross-gcc", "host-make", "lib", "app", "image"}));
  EXPECT_EQ(plan.image, "image");
  EXPECT_EQ(plan.sandbox, "host-sandbox");
  EXPECT_EQ(plan.recipe_files.at("other"), "packages/other/other.mk");
  ASSERT_NE(plan.find("app"), nullptr);
  EXPECT_EQ(plan.find("app")->depends, (Texts{"cross-gcc", "host-make", "lib"}));
  EXPECT_EQ(plan.find("image")->entries, Texts{"app"});
  EXPECT_EQ(plan.find("other"), nullptr);
}

TEST_F(Plans, HaveRecipesOfKernelAndInit) {
  tree.scratch.write("kernel/linux.mk", "version = 6\nbuild = make\n");
  tree.scratch.write("init/init.mk", "version = 1\nbuild = make\n");
  tree.scratch.write("kernel/deep/no.mk", "");
  tree.scratch.write("packages/.#app.mk", "");
  tree.scratch.write("packages/app/.#app.mk", "");
  const auto plan = tree.plan();
  EXPECT_EQ(tree.problems(), "");
  EXPECT_EQ(plan.recipe_files.at("linux"), "kernel/linux.mk");
  EXPECT_EQ(plan.recipe_files.at("init"), "init/init.mk");
  EXPECT_EQ(plan.recipe_files.size(), 6U);
}

TEST_F(Plans, HaveWhatGoalsNameAndEverythingForLint) {
  tree.recipe("app", "depends = host-make\n");
  tree.recipe("bad", "depends = gone\n");
  EXPECT_EQ(tree.plan().find("app"), nullptr);
  EXPECT_NE(tree.plan({"app", "app-rebuild"}).find("app"), nullptr);
  EXPECT_EQ(tree.problems(), "");
  tree.plan({}, true);
  EXPECT_TRUE(says(tree.problems(), "packages/bad/bad.mk:1: there is no package 'gone'"));
}

// Host tools are built by the build machine's own compiler.
TEST_F(Plans, NeedTheToolchainForTheTargetOnly) {
  tree.recipe("app", "");
  tree.recipe("tool", "host-tool", "");
  tree.recipe("cross", "cross-tool", "depends = host-tool\n");
  const auto plan = tree.plan({"app", "host-tool", "cross-tool"});
  EXPECT_EQ(tree.problems(), "");
  EXPECT_EQ(plan.find("app")->depends, (Texts{"cross-gcc", "host-make"}));
  EXPECT_EQ(plan.find("host-tool")->depends, Texts{"host-make"});
  EXPECT_EQ(plan.find("cross-tool")->depends, (Texts{"host-make", "host-tool"}));
}

// host-make may itself be built with `make`.
TEST_F(Plans, DoNotNeedThemselves) {
  tree.recipe("make", "host-make", "build = make\n");
  std::filesystem::remove(tree.scratch / "packages/make/host-make.sh");
  const auto plan = tree.plan({"host-make"});
  EXPECT_EQ(tree.problems(), "");
  EXPECT_EQ(plan.find("host-make")->depends, Texts{});
  tree.edit("packages/make/host-make.mk", "version", "depends = host-make\nversion");
  tree.plan({"host-make"});
  EXPECT_EQ(tree.problems(),
            "packages/make/host-make.mk:2: host-make depends on itself; remove it from the line");
}

TEST_F(Plans, ComeInAnOrderThatOnlyThePackagesDecide) {
  tree.recipe("b", "");
  tree.recipe("c", "");
  tree.recipe("a", "depends = c b\n");
  const auto first = names(tree.plan({"a"}));
  EXPECT_EQ(first, (Texts{"host-sandbox", "image", "cross-gcc", "host-make", "b", "c", "a"}));
  tree.recipe("a", "depends = b c c\ndepends += host-make\n");
  EXPECT_EQ(names(tree.plan({"a"})), first);
  // That of the folders, too.
  tree.recipe("zzz", "b", "");
  std::filesystem::remove_all(tree.scratch / "packages/b");
  EXPECT_EQ(names(tree.plan({"a"})), first);
  EXPECT_EQ(tree.plan({"a"}).find("a")->depends, (Texts{"b", "c", "cross-gcc", "host-make"}));
}

TEST_F(Plans, HaveNoCircles) {
  tree.recipe("b", "depends = c\n");
  tree.recipe("c", "depends = a\n");
  tree.recipe("a", "depends = b\n");
  tree.recipe("top", "depends = b\n");
  EXPECT_EQ(
      wrong("top"),
      "packages/a/a.mk:1: packages depend on each other in a circle: a → b → c → a; remove one "
      "of these from the `depends` line of its recipe");
  // What the build system needs is in no line.
  tree.recipe("gcc", "cross-gcc", "build = own\ndepends = lib\n");
  tree.recipe("lib", "");
  EXPECT_EQ(
      wrong("lib"),
      "packages/gcc/cross-gcc.mk:2: packages depend on each other in a circle: cross-gcc → lib → "
      "cross-gcc; remove one of these from the `depends` line of its recipe");
}

TEST_F(Plans, KnowWhatThereIs) {
  tree.recipe("zlib", "");
  tree.recipe("app", "depends = host-make\ndepends += zlb\n");
  EXPECT_EQ(
      wrong("app"),
      "packages/app/app.mk:2: there is no package 'zlb'; a package is packages/<folder>/zlb.mk. "
      "Did you mean zlib?");
  tree.recipe("app", "entries = systemd\n");
  EXPECT_EQ(wrong("app"),
            "packages/app/app.mk:1: there is no package 'systemd'; a package is "
            "packages/<folder>/systemd.mk");
  EXPECT_TRUE(says(wrong("zlbi"), "the configuration: there is no package 'zlbi'"));
  std::filesystem::remove_all(tree.scratch / "packages/sandbox");
  EXPECT_TRUE(says(wrong("zlib"), "scripts/build/needs.mk: there is no package 'host-sandbox'"));
}

TEST_F(Plans, HaveEachNameOnce) {
  tree.recipe("zlib", "");
  tree.recipe("compression", "zlib", "");
  EXPECT_EQ(wrong(""),
            "packages/zlib/zlib.mk: there is a recipe of this name already: "
            "packages/compression/zlib.mk");
}

TEST_F(Plans, GatherTheMistakesOfAllRecipes) {
  tree.recipe("a", "depend = b\n");
  tree.recipe("b", "helper = $(gone)\nmake = $(helper)\n");
  const auto text = wrong("a b");
  EXPECT_TRUE(says(text, "packages/a/a.mk:1: there is no field 'depend'"));
  EXPECT_TRUE(says(text, "packages/b/b.mk:1: there is no variable $(gone)"));
}

// A helper of one recipe is not one of another.
TEST_F(Plans, KeepVariablesOfRecipesApart) {
  tree.recipe("a", "helper = 1\nmake = $(helper)\n");
  tree.recipe("b", "depends = a\nmake = $(helper)\n");
  EXPECT_EQ(wrong("a b"), "packages/b/b.mk:2: there is no variable $(helper)");
}

TEST_F(Plans, HaveEachUserOnce) {
  tree.recipe("a", "users = log:100 web:101\n");
  tree.recipe("b", "# b\nusers = web:102\n");
  tree.recipe("c", "users = other:100\n");
  EXPECT_EQ(wrong("a b"),
            "packages/b/b.mk:2: the user web:102 has a name or number that is taken in "
            "packages/a/a.mk:1");
  EXPECT_EQ(wrong("a c"),
            "packages/c/c.mk:1: the user other:100 has a name or number that is taken in "
            "packages/a/a.mk:1");
  EXPECT_EQ(wrong("b c"), "");
}

TEST_F(Plans, NeedTheirOwnFile) {
  tree.edit("scripts/build/needs.mk", "needs-own         =", "needs-own         ?=");
  EXPECT_TRUE(says(wrong(""), "scripts/build/needs.mk:9: '?=' is not for a recipe"));
  std::filesystem::remove(tree.scratch / "scripts/build/needs.mk");
  EXPECT_TRUE(says(wrong(""), "scripts/build/needs.mk: cannot read"));
}

TEST_F(Plans, KnowWhatPacksSources) {
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  tree.recipe("go", "host-go",
              "source = pypi:a/a.tar go:x/toolchain@v1\nsha256 = " + a + " " + b + "\n");
  tree.recipe("app", "source = go-vendor:app.tar\nsha256 = " + a + "\n");
  EXPECT_EQ(packer_source(tree.plan({"app"})), "");
  const auto plan = tree.plan({"app", "host-go"});
  EXPECT_EQ(packer_source(plan), b + "/toolchain-v1.zip");
  EXPECT_TRUE(is_packed(plan.find("app")->recipe));
  EXPECT_FALSE(is_packed(plan.find("host-go")->recipe));
}

}  // namespace
}  // namespace copal::test
