// What Make is told: what is missing comes after what it needs, what is there needs nothing, and
// each goal is a package's or a mistake.
#include "makefile.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "tree.h"

namespace copal::test {
namespace {

const std::string some_pin(64, 'a');
const std::string other_pin(64, 'b');

class Makefiles : public ::testing::Test {
 protected:
  Makefiles() {
    tree.config["CONFIG_PACKAGES"] = "app";
    tree.recipe("zlib", "build = own\nsource = pypi:z/z.tar\nsha256 = " + some_pin + "\n");
    tree.recipe("app", "build = own\ndepends = zlib\n");
    tree.scratch.write("packages/zlib/zlib.sh", "");
    tree.scratch.write("packages/app/app.sh", "");
  }
  // With these in another state than `there`.
  Result<std::string> made(const std::map<std::string, Presence>& others,
                           const std::vector<std::string>& goals = {}) {
    const auto plan = tree.plan(packages_in(goals));
    const auto packages = tree.keyed();
    EXPECT_EQ(tree.problems(), "");
    std::vector<Presence> presence;
    for (const auto& package : packages) {
      const auto& name = package.package->recipe.name;
      entry[name] = package.entry;
      presence.push_back(others.contains(name) ? others.at(name) : Presence::there);
    }
    return makefile(plan, packages, presence,
                    {"/store", tree.scratch / "dl", goals, {"all", "clean", "menuconfig"}});
  }
  std::string text(const std::map<std::string, Presence>& others,
                   const std::vector<std::string>& goals = {}) {
    const auto result = made(others, goals);
    return result ? *result : "error: " + result.error().what;
  }

  Tree tree;
  std::map<std::string, std::string> entry;
};

TEST_F(Makefiles, AreShortWhenEverythingIsThere) {
  tree.scratch.write("dl/" + some_pin + "/z.tar", "");
  const auto all = text({});
  EXPECT_EQ(all, "image := " + entry["image"] + "\nsandbox := " + entry["host-sandbox"] +
                     "\nmissing := \nentries := " + entry["host-sandbox"] + " " + entry["zlib"] +
                     " " + entry["app"] + " " + entry["image"] + "\ndownloads := \n");
}

TEST_F(Makefiles, HaveWhatIsMissingAfterWhatItNeeds) {
  const auto all = text({{"zlib", Presence::missing}, {"app", Presence::missing}});
  const auto z = tree.scratch / "dl/" + some_pin + "/z.tar";
  EXPECT_TRUE(says(all, "missing := " + entry["zlib"] + " " + entry["app"] + "\n"));
  EXPECT_TRUE(says(all, "package." + entry["app"] + " := app\n"));
  EXPECT_TRUE(says(all, "/store/" + entry["app"] + ": | /store/" + entry["zlib"] + "\n"));
  EXPECT_TRUE(says(all, "/store/" + entry["zlib"] + ": | " + z + "\n"));
  EXPECT_TRUE(says(all, "downloads := " + z + "\n"));
  // What is there needs nothing.
  const auto app = text({{"app", Presence::missing}});
  EXPECT_EQ(app.find("/store/"), std::string::npos) << app;
}

TEST_F(Makefiles, NeedTheSandboxFirst) {
  const auto all = text({{"host-sandbox", Presence::missing}, {"app", Presence::missing}});
  EXPECT_TRUE(says(all, "/store/" + entry["app"] + ": | /store/" + entry["host-sandbox"] + "\n"));
  EXPECT_EQ(all.find("/store/" + entry["host-sandbox"] + ":"), std::string::npos);
}

TEST_F(Makefiles, BuildWhatIsDamaged) {
  const auto all = text({{"app", Presence::damaged}});
  EXPECT_TRUE(says(all, ".PHONY: /store/" + entry["app"] + "\n"));
  EXPECT_TRUE(says(all, "missing := " + entry["app"] + "\n"));
}

TEST_F(Makefiles, BeginWithTheLongestChain) {
  tree.recipe("app", "build = own\ndepends = b-short z-long\n");
  tree.recipe("z-long", "build = own\ndepends = zlib\n");
  tree.recipe("b-short", "build = own\n");
  for (const auto* name : {"z-long", "b-short"})
    tree.scratch.write("packages/" + std::string(name) + "/" + name + ".sh", "");
  const auto all = text(
      {{"app", Presence::missing}, {"z-long", Presence::missing}, {"b-short", Presence::missing}});
  EXPECT_TRUE(says(all, "/store/" + entry["app"] + ": | /store/" + entry["z-long"] + " /store/" +
                            entry["b-short"] + "\n"));
}

TEST_F(Makefiles, KnowTheGoalsOfPackages) {
  const auto all = text({{"zlib", Presence::missing}},
                        {"all", "/some/path", "zlib", "zlib-rebuild", "zlib-source", "why-app",
                         "app-shell", "app-show-rdepends"});
  const auto z = tree.scratch / "dl/" + some_pin + "/z.tar";
  EXPECT_TRUE(says(all, ".PHONY: zlib\ngoal.zlib := build zlib " + entry["zlib"] +
                            "\ngoals.build += zlib\nzlib: | /store/" + entry["zlib"] + "\n"));
  EXPECT_TRUE(says(all, "goals.rebuild += zlib-rebuild\nzlib-rebuild: | /store/" + entry["zlib"] +
                            "\nzlib-rebuild: | " + z + "\n"));
  EXPECT_TRUE(says(all, "goals.source += zlib-source\nzlib-source: | " + z + "\n"));
  EXPECT_TRUE(says(all, "goal.why-app := why app "));
  EXPECT_TRUE(says(all, "goals.shell += app-shell\napp-shell: | /store/" + entry["zlib"] + "\n"));
  EXPECT_TRUE(says(all, "goal.app-show-rdepends := show-rdepends app "));
  EXPECT_EQ(all.find("/some/path"), std::string::npos);
}

TEST_F(Makefiles, RefuseAPackageThatIsCalledLikeAVerb) {
  tree.recipe("app-shell", "build = own\n");
  tree.scratch.write("packages/app-shell/app-shell.sh", "");
  EXPECT_EQ(text({}),
            "error: packages/app-shell/app-shell.mk: app-shell is a goal of make, shell of the "
            "package app; give the package another name");
}

TEST_F(Makefiles, ExplainGoalsThatAreNone) {
  EXPECT_EQ(text({}, {"zlb"}),
            "error: there is no goal or package 'zlb'. Did you mean zlib?\n"
            "'make help' lists the goals, 'make show-targets' the packages");
  EXPECT_TRUE(says(text({}, {"menuconfg"}), "Did you mean menuconfig?"));
  EXPECT_EQ(text({}, {"zlb-rebuild"}), "error: there is no package 'zlb'. Did you mean zlib?");
  EXPECT_EQ(text({}, {"why-xyzzy"}), "error: there is no package 'xyzzy'");
}

TEST_F(Makefiles, FetchWhatPacksBeforeWhatIsPacked) {
  tree.recipe("go", "host-go", "build = own\nsource = go:x/go@v1\nsha256 = " + other_pin + "\n");
  tree.scratch.write("packages/go/host-go.sh", "");
  tree.recipe("zlib", "build = own\ndepends = host-go\nsource = go-vendor:z.tar\nsha256 = " +
                          some_pin + "\n");
  const auto dl = tree.scratch / "dl/";
  const auto rule = dl + some_pin + "/z.tar: | " + dl + other_pin + "/go-v1.zip\n";
  EXPECT_TRUE(says(text({}), rule));
  tree.scratch.write("dl/" + other_pin + "/go-v1.zip", "");
  EXPECT_EQ(text({}).find(rule), std::string::npos);
}

}  // namespace
}  // namespace copal::test
