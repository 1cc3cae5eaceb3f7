// Keys: every input changes the key of its package and of all that depend on it, and of nothing
// else; nothing that is no input changes any. The plan's mistakes are explained.
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include "entry.h"
#include "keying.h"
#include "plan.h"
#include "sha256.h"
#include "support.h"

namespace copal::test {
namespace {

using Entries = std::map<std::string, std::string>;
using Names = std::set<std::string>;

const std::string some_hash(64, 'a');

class Keys : public ::testing::Test {
 protected:
  Keys() {
    scratch.write("repo/scripts/build/make.sh", "make\n");
    scratch.write("repo/packages/zlib/zlib-1.patch", "patch\n");
    scratch.write("repo/init/src/main.cc", "int main() {}\n");
    scratch.write("repo/init/src/deep/a.h", "a\n");
    scratch.link("repo/init/src/link", "main.cc");
  }

  // libx and zlib stand alone, app needs zlib, image needs app and libx.
  const std::string plan =
      "name=image\tversion=1\tfile=init/src\tdepends=app libx\n"
      "name=zlib\tversion=1.3.1\tbuild=make\tconfigure=--static --prefix=/usr\tsource=" +
      some_hash +
      ":zlib.tar.gz\tfile=scripts/build/make.sh\tfile=packages/zlib/zlib-1.patch\tdepends=\n"
      "name=app\tversion=2\tbuild=make\tCONFIG_X=y\tfragment=a\tfragment=b\tfile=scripts/build/"
      "make.sh\tdepends=zlib\n"
      "name=libx\tversion=3\n";

  Result<std::vector<Keyed>> keyed(const std::string& text) {
    auto packages = parse_plan(text);
    if (!packages) return packages.error();
    auto ordered = in_build_order(std::move(*packages));
    if (!ordered) return ordered.error();
    return key_packages(*ordered, {scratch / "repo", scratch / "external"});
  }
  Entries entries(const std::string& text) {
    Entries map;
    const auto packages = keyed(text);
    EXPECT_TRUE(packages) << (packages ? "" : packages.error().what);
    if (packages) {
      for (const auto& package : *packages) map[package.name] = package.entry;
    }
    return map;
  }
  std::string error(const std::string& text) {
    const auto packages = keyed(text);
    return packages ? "" : packages.error().what;
  }
  static Names different(const Entries& a, const Entries& b) {
    Names names;
    for (const auto& [name, entry] : a) {
      if (!b.contains(name) || b.at(name) != entry) names.insert(name);
    }
    return names;
  }
  Names changed_by(const std::string& from, const std::string& to) {
    return different(entries(plan), entries(replaced(plan, from, to)));
  }

  Scratch scratch;
};

TEST_F(Keys, AreTheHashOfTheInputs) {
  const auto packages = keyed(plan);
  ASSERT_TRUE(packages);
  std::vector<std::string> order;
  for (const auto& package : *packages) {
    order.push_back(package.name);
    EXPECT_TRUE(package.entry.ends_with("-" + sha256(package.inputs).substr(0, 32)));
  }
  EXPECT_EQ(order, (std::vector<std::string>{"zlib", "app", "libx", "image"}));
  EXPECT_EQ((*packages)[0].inputs,
            "copal-inputs 1\n"
            "build make\n"
            "configure --static --prefix=/usr\n"
            "file packages/zlib/zlib-1.patch " +
                sha256("patch\n") +
                " 644\n"
                "file scripts/build/make.sh " +
                sha256("make\n") +
                " 644\n"
                "name zlib\n"
                "source " +
                some_hash +
                " zlib.tar.gz\n"
                "version 1.3.1\n");
  EXPECT_EQ((*packages)[3].inputs,
            "copal-inputs 1\ndepends " + (*packages)[1].entry + "\ndepends " +
                (*packages)[2].entry + "\nfile init/src/deep/a.h " + sha256("a\n") +
                " 644\nfile init/src/link " + sha256("main.cc") + " link\nfile init/src/main.cc " +
                sha256("int main() {}\n") + " 644\nname image\nversion 1\n");
}

TEST_F(Keys, ChangeWithEachInputAndFlowDownstream) {
  const Names zlib_and_users = {"app", "image", "zlib"};
  EXPECT_EQ(changed_by("version=1.3.1", "version=1.3.2"), zlib_and_users);
  EXPECT_EQ(changed_by("--static", "--shared"), zlib_and_users);
  EXPECT_EQ(changed_by("--static --prefix=/usr", "--prefix=/usr --static"), zlib_and_users);
  EXPECT_EQ(changed_by(some_hash, std::string(64, 'b')), zlib_and_users);
  EXPECT_EQ(changed_by(":zlib.tar.gz", ":zlib2.tar.gz"), zlib_and_users);
  EXPECT_EQ(changed_by("\tfile=packages/zlib/zlib-1.patch", ""), zlib_and_users);
  EXPECT_EQ(changed_by("CONFIG_X=y", "CONFIG_X=n"), (Names{"app", "image"}));
  EXPECT_EQ(changed_by("fragment=b", "fragment=c"), (Names{"app", "image"}));
  EXPECT_EQ(changed_by("\tfragment=b", ""), (Names{"app", "image"}));
  EXPECT_EQ(changed_by("depends=zlib", "depends=libx zlib"), (Names{"app", "image"}));
  EXPECT_EQ(changed_by("depends=app libx", "depends=app"), Names{"image"});
  EXPECT_EQ(changed_by("name=image\tversion=1", "name=image\tversion=1\tnew=1"), Names{"image"});
}

TEST_F(Keys, ChangeWithTheContentOfFiles) {
  const auto before = entries(plan);
  scratch.write("repo/packages/zlib/zlib-1.patch", "Patch\n");
  const auto patched = entries(plan);
  EXPECT_EQ(different(before, patched), (Names{"app", "image", "zlib"}));
  scratch.write("repo/init/src/deep/a.h", "b\n");
  const auto edited = entries(plan);
  EXPECT_EQ(different(patched, edited), Names{"image"});
  scratch.write("repo/init/src/deep/new.h", "");
  const auto added = entries(plan);
  EXPECT_EQ(different(edited, added), Names{"image"});
  std::filesystem::rename(scratch / "repo/init/src/deep/new.h", scratch / "repo/init/src/new.h");
  const auto moved = entries(plan);
  EXPECT_EQ(different(added, moved), Names{"image"});
  ::unlink((scratch / "repo/init/src/link").c_str());
  scratch.link("repo/init/src/link", "deep/a.h");
  const auto pointed = entries(plan);
  EXPECT_EQ(different(moved, pointed), Names{"image"});
  ::chmod((scratch / "repo/init/src/main.cc").c_str(), 0755);
  EXPECT_EQ(different(pointed, entries(plan)), Names{"image"});
}

TEST_F(Keys, DoNotChangeWithAnythingElse) {
  const auto before = entries(plan);
  // The order of packages, of fields and of dependencies, comments, empty fields, things said
  // twice.
  EXPECT_EQ(entries("# comment\n\n"
                    "name=libx\tversion=3\tconfigure=\n"
                    "name=app\tdepends=zlib zlib\tfile=scripts/build/make.sh\tfragment=b\tfragment="
                    "a\tCONFIG_X=y\tbuild=make\tversion=2\n" +
                    replaced(plan.substr(0, plan.find("name=app")), "app libx", "libx app")),
            before);
  // Times, the write bits that a umask decides on, and files that no package names.
  ::chmod((scratch / "repo/init/src/main.cc").c_str(), 0664);
  scratch.write("repo/packages/zlib/zlib.mk", "# another comment\n");
  scratch.write("repo/scripts/build/make.sh", "make\n");
  EXPECT_EQ(entries(plan), before);
  // The place of the repository.
  std::filesystem::rename(scratch / "repo", scratch / "external");
  EXPECT_EQ(entries(plan), before);
}

TEST_F(Keys, ComeInAnOrderThatThePlanDoesNotDecide) {
  for (const auto* depends : {"b c", "c b", "c c b"}) {
    std::string order;
    const auto packages = keyed("name=a\tversion=1\tdepends=" + std::string(depends) +
                                "\nname=c\tversion=1\nname=b\tversion=1\n");
    ASSERT_TRUE(packages);
    for (const auto& package : *packages) order += package.name;
    EXPECT_EQ(order, "bca") << depends;
  }
}

TEST_F(Keys, PreferTheRepositoryToExternalTrees) {
  const auto before = entries(plan);
  scratch.write("external/scripts/build/make.sh", "other\n");
  EXPECT_EQ(entries(plan), before);
}

TEST_F(Keys, ExplainMistakes) {
  const auto in = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos
               ? ::testing::AssertionSuccess()
               : ::testing::AssertionFailure() << "'" << part << "' is not in: " << text;
  };
  EXPECT_TRUE(in(error("name=b\tversion=1\tdepends=c\nname=c\tversion=1\tdepends=a\n"
                       "name=a\tversion=1\tdepends=b\nname=0\tversion=1\tdepends=b\n"),
                 "a → b → c → a"));
  EXPECT_TRUE(in(error("name=a\tversion=1\tdepends=a\n"), "a → a"));
  EXPECT_TRUE(in(error(replaced(plan, "depends=zlib", "depends=zlb")),
                 "app depends on 'zlb', and there is no such package. Did you mean 'zlib'?"));
  EXPECT_TRUE(in(error(replaced(plan, "zlib-1.patch", "zlib-2.patch")),
                 "zlib: 'packages/zlib/zlib-2.patch' does not exist"));
  EXPECT_TRUE(in(error(replaced(plan, "file=init/src", "file=/init/src")), "is an absolute path"));
  EXPECT_TRUE(in(error(replaced(plan, some_hash, "abc")),
                 "line 2: zlib: sha256 'abc' of zlib.tar.gz is not 64 lower-case hex digits"));
  EXPECT_TRUE(in(error(replaced(plan, some_hash, std::string(64, 'A'))), "is not 64 lower-case"));
  EXPECT_TRUE(in(error(replaced(plan, ":zlib.tar.gz", "")), "no plain file name"));
  EXPECT_TRUE(in(error(replaced(plan, "name=libx", "name=lib$x")), "package name 'lib$x'"));
  EXPECT_TRUE(in(error(replaced(plan, "name=libx", "name=.x")), "package name '.x'"));
  EXPECT_TRUE(in(error(replaced(plan, "version=3", "version=3%")), "libx: version '3%'"));
  EXPECT_TRUE(in(error(replaced(plan, "\tversion=3", "")), "libx: version '' is missing"));
  EXPECT_TRUE(
      in(error(plan + "name=app\tversion=9\n"), "line 5: package app is already on line 3"));
  EXPECT_TRUE(in(error(plan + "name=x\tversion\n"), "'version' is not field=value"));
}

// Make is asked for the last of all: what is missing comes after what it needs, and what is there
// needs nothing.
TEST_F(Keys, BecomeAMakefile) {
  const auto packages = keyed(plan);
  ASSERT_TRUE(packages);
  const auto all = entries(plan);
  const auto made = [&](const Names& missing) {
    const auto file = scratch.write(
        "m.mk", "STORE := /s\n" + makefile(*packages, missing) +
                    "$(info $(entry.zlib))$(info $(package.$(entry.app)))$(info $(entries))$(info "
                    "$(missing))\n"
                    ".DEFAULT_GOAL := all\nall: $(STORE)/$(entry.image)\n"
                    "$(addprefix $(STORE)/,$(entries)): ; @echo make $(package.$(@F))\n");
    return run("make -rR --no-print-directory -f " + file).output;
  };
  const auto names = all.at("zlib") + "\napp\n" + all.at("zlib") + " " + all.at("app") + " " +
                     all.at("libx") + " " + all.at("image") + "\n";
  EXPECT_EQ(made({all.at("zlib"), all.at("app"), all.at("libx"), all.at("image")}),
            names + all.at("zlib") + " " + all.at("app") + " " + all.at("libx") + " " +
                all.at("image") + "\nmake zlib\nmake app\nmake libx\nmake image\n");
  EXPECT_EQ(made({all.at("app"), all.at("image")}),
            names + all.at("app") + " " + all.at("image") +
                "\nmake zlib\nmake app\nmake libx\nmake image\n");
  EXPECT_EQ(made({all.at("image")}),
            names + all.at("image") + "\nmake app\nmake libx\nmake image\n");
}

TEST_F(Keys, MakeStartsWithTheLongestChain) {
  const auto packages = keyed(
      "name=a\tversion=1\nname=b\tversion=1\nname=c\tversion=1\tdepends=b\n"
      "name=top\tversion=1\tdepends=a b c\n");
  ASSERT_TRUE(packages);
  const auto& entry = [&](std::size_t i) { return " $(STORE)/" + (*packages)[i].entry; };
  const auto text = makefile(*packages, {(*packages)[3].entry});
  EXPECT_NE(text.find(": |" + entry(2) + entry(0) + entry(1) + "\n"), std::string::npos) << text;
}

TEST_F(Keys, WriteInputsOnlyWhenTheyDiffer) {
  auto packages = keyed(plan);
  ASSERT_TRUE(packages);
  const auto folder = scratch / "inputs";
  ASSERT_TRUE(write_inputs(folder, *packages));
  EXPECT_EQ(content_of(folder + "/zlib"), (*packages)[0].inputs);
  struct stat before {};
  struct stat after {};
  ::stat((folder + "/zlib").c_str(), &before);
  scratch.write("inputs/gone", "of a package that is no more");
  packages->back().inputs += "new\n";
  ASSERT_TRUE(write_inputs(folder, *packages));
  ::stat((folder + "/zlib").c_str(), &after);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(content_of(folder + "/image"), packages->back().inputs);
  EXPECT_FALSE(exists(folder + "/gone"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 4);
}

TEST_F(Keys, KnowWhatIsInTheStore) {
  const auto packages = keyed(plan);
  ASSERT_TRUE(packages);
  const auto all = entries(plan);
  for (const auto& package : *packages) {
    if (package.name == "image") continue;
    make_entry(scratch, package.entry, {{"/usr/file", package.name}});
    scratch.write("store/" + package.entry + "/inputs", package.inputs);
  }
  const auto store = scratch / "store";
  const auto good = inspect_store(store, *packages);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->missing, Names{all.at("image")});
  EXPECT_TRUE(good->warnings.empty());

  ::unlink((store + "/" + all.at("app") + "/tree/usr/file").c_str());
  const auto damaged = inspect_store(store, *packages);
  ASSERT_TRUE(damaged);
  EXPECT_EQ(damaged->missing, (Names{all.at("app"), all.at("image")}));
  ASSERT_EQ(damaged->warnings.size(), 1U);
  EXPECT_NE(damaged->warnings[0].find(all.at("app") + " is damaged"), std::string::npos);
  EXPECT_NE(damaged->warnings[0].find("/usr/file is missing"), std::string::npos);
  EXPECT_FALSE(exists(store + "/" + all.at("app")));
  EXPECT_TRUE(exists(store + "/.damaged-" + all.at("app") + "-" + std::to_string(::getpid())));
}

}  // namespace
}  // namespace copal::test
