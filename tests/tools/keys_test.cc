// Keys: every input changes the key of its package and of all that depend on it, and of nothing
// else; nothing that is no input changes any.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entry.h"
#include "keying.h"
#include "sha256.h"
#include "tree.h"

namespace copal::test {
namespace {

using Entries = std::map<std::string, std::string>;
using Names = std::set<std::string>;

const std::string some_pin(64, 'a');
const std::string other_pin(64, 'b');
const auto* const kZlib = "packages/zlib/zlib.mk";
const auto* const kApp = "packages/app/app.mk";

class Keys : public ::testing::Test {
 protected:
  // libx and zlib stand alone, app needs zlib, and the image has app and libx.
  Keys() {
    tree.config = {{"CONFIG_PACKAGES", "app libx"},
                   {"CONFIG_X", "y"},
                   {"CONFIG_NAME", "one"},
                   {"CONFIG_OTHER", "y"}};
    tree.environment = {{"TARGET", "x86_64-linux-musl"}};
    tree.recipe("zlib",
                "version = 1.3.1\nconfigure = --static --prefix=/usr\nsource = "
                "pypi:zlib/zlib.tar.gz pypi:x/x.tar\nsha256 = " +
                    some_pin + " " + other_pin + "\n");
    tree.recipe("app",
                "summary = App\ndepends = zlib\nfragments = a.config b.config c.config?\nfiles = "
                "files/src files/one\n"
                "symbols = CONFIG_NAME\nimage = /usr/bin/app\nusers = app:100\n");
    tree.recipe("libx", "build = own\n");
    tree.scratch.write("packages/libx/libx.sh", "# own\n");
    tree.scratch.write("packages/zlib/zlib-1.patch", "patch\n");
    tree.scratch.write("a.config", "a\n");
    tree.scratch.write("b.config", "b\n");
    tree.scratch.write("files/one", "1\n");
    tree.scratch.write("files/src/main.cc", "int main() {}\n");
    tree.scratch.write("files/src/deep/a.h", "a\n");
    tree.scratch.link("files/src/link", "main.cc");
    before = tree.entries();
  }

  // Whose keys are others now than at the last call.
  Names changed() {
    const auto now = tree.entries();
    const auto names = different(before, now);
    before = now;
    return names;
  }
  Names edited(const std::string& path, const std::string& from, const std::string& to) {
    tree.edit(path, from, to);
    return changed();
  }
  std::string wrong() {
    tree.plan();
    tree.keyed();
    return tree.problems();
  }

  Tree tree;
  Entries before;
  const Names zlib_and_users = {"app", "image", "zlib"};
  const Names app_and_users = {"app", "image"};
};

TEST_F(Keys, AreTheHashOfTheInputs) {
  const auto zlib = tree.find("zlib");
  EXPECT_EQ(zlib.entry, "zlib-1.3.1-" + sha256(zlib.inputs).substr(0, 32));
  EXPECT_EQ(zlib.inputs,
            "copal-inputs 2\n"
            "name zlib\n"
            "version 1.3.1\n"
            "field build make\n"
            "field configure --static --prefix=/usr\n"
            "environment SOURCE_DATE_EPOCH 1\n"
            "environment TARGET x86_64-linux-musl\n"
            "script build/recipe/common.sh " +
                sha256("umask 022\n") +
                "\n"
                "script build/recipe/make.sh " +
                sha256("step_build() {\n    make\n}\n") +
                "\n"
                "patch build/recipe/zlib-1.patch " +
                sha256("patch\n") +
                "\n"
                "engine sandbox " +
                sha256("#!/bin/sh\nexec bwrap\n") + "\nsource " + some_pin +
                " zlib.tar.gz\nsource " + other_pin + " x.tar\nhost " + before["cross-gcc"] +
                "\nhost " + before["host-make"] + "\n");
  EXPECT_EQ(zlib.depends, (std::vector<std::string>{before["cross-gcc"], before["host-make"]}));
  EXPECT_EQ(zlib.sources,
            (std::vector<std::string>{some_pin + "/zlib.tar.gz", other_pin + "/x.tar"}));
}

TEST_F(Keys, SayWhatEachFileIs) {
  tree.scratch.write("files/one", "1\n", 0755);
  const auto app = tree.find("app");
  EXPECT_TRUE(says(app.inputs,
                   "field fragments a.config b.config\n"
                   "environment CONFIG_NAME one\n"));
  EXPECT_TRUE(says(app.inputs, "file build/files/a.config 644 " + sha256("a\n") +
                                   "\nfile build/files/b.config 644 " + sha256("b\n") +
                                   "\nfile build/files/files/one 755 " + sha256("1\n") +
                                   "\nfolder build/files/files/src\n"
                                   "folder build/files/files/src/deep\n"
                                   "file build/files/files/src/deep/a.h 644 " +
                                   sha256("a\n") +
                                   "\n"
                                   "link build/files/files/src/link main.cc\n"
                                   "file build/files/files/src/main.cc 644 " +
                                   sha256("int main() {}\n") + "\n"));
  EXPECT_TRUE(says(app.inputs, "sysroot " + before["zlib"] + "\n"));
}

TEST_F(Keys, OfTheImageHaveWhatItIsMadeOf) {
  tree.scratch.write("packages/app/service", "run = /usr/bin/app\n");
  const auto image = tree.find("image");
  const auto entries = tree.entries();
  EXPECT_TRUE(says(image.inputs, "field contents app:/usr/bin/app\nfield accounts app:100\n"));
  EXPECT_TRUE(
      says(image.inputs, "file build/services/app 644 " + sha256("run = /usr/bin/app\n") + "\n"));
  EXPECT_TRUE(says(image.inputs, "\nentry app " + entries.at("app") + "\nentry libx " +
                                     entries.at("libx") + "\n"));
}

TEST_F(Keys, ChangeWithEachFieldAndFlowDownstream) {
  EXPECT_EQ(edited(kZlib, "1.3.1", "1.3.2"), zlib_and_users);
  EXPECT_EQ(edited(kZlib, "--static", "--shared"), zlib_and_users);
  EXPECT_EQ(edited(kZlib, "--shared --prefix=/usr", "--prefix=/usr --shared"), zlib_and_users);
  EXPECT_EQ(edited(kZlib, "zlib.tar.gz", "zlib2.tar.gz"), zlib_and_users);
  EXPECT_EQ(edited(kZlib, some_pin, std::string(64, 'c')), zlib_and_users);
  EXPECT_EQ(edited(kZlib, "build = make", "build = make\nmake = V=1\ninstall = x"), zlib_and_users);
  EXPECT_EQ(edited(kZlib, "build = make", "build = make\nsandbox = none"), zlib_and_users);
  EXPECT_EQ(edited(kZlib, "build = make", "build = make\nconfigure-$(CONFIG_X) += --x"),
            zlib_and_users);
  for (const auto* field : {"srcdir", "tags", "go-packages", "go-ldflags"})
    EXPECT_EQ(edited(kZlib, "build = make", "build = make\n" + std::string(field) + " = x"),
              zlib_and_users)
        << field;
  EXPECT_EQ(edited(kApp, "depends = zlib", "depends = zlib libx"), app_and_users);
  EXPECT_EQ(edited(kApp, "a.config b.config", "b.config a.config"), app_and_users);
  EXPECT_EQ(edited(kApp, "symbols = CONFIG_NAME", "symbols = CONFIG_NAME CONFIG_X"), app_and_users);
  EXPECT_EQ(edited(kApp, "/usr/bin/app", "/usr/bin/app2"), Names{"image"});
  EXPECT_EQ(edited(kApp, "app:100", "app:101"), Names{"image"});
}

// The first source is the package's own.
TEST_F(Keys, ChangeWithTheOrderOfSources) {
  tree.edit(kZlib, "pypi:zlib/zlib.tar.gz pypi:x/x.tar", "pypi:x/x.tar pypi:zlib/zlib.tar.gz");
  EXPECT_EQ(edited(kZlib, some_pin + " " + other_pin, other_pin + " " + some_pin), zlib_and_users);
}

TEST_F(Keys, ChangeWithTheConfiguration) {
  tree.config["CONFIG_NAME"] = "two";
  EXPECT_EQ(changed(), app_and_users);
  tree.config["CONFIG_OTHER"] = "";
  EXPECT_EQ(changed(), Names{});
  tree.environment["TARGET"] = "aarch64-linux-musl";
  EXPECT_EQ(changed(), (Names{"app", "cross-gcc", "image", "libx", "zlib"}));
  tree.config["CONFIG_PACKAGES"] = "app";
  EXPECT_EQ(changed(), (Names{"image", "libx"}));
}

TEST_F(Keys, ChangeWithTheContentOfFiles) {
  auto& files = tree.scratch;
  files.write("packages/zlib/zlib-1.patch", "Patch\n");
  EXPECT_EQ(changed(), zlib_and_users);
  std::filesystem::rename(files / "packages/zlib/zlib-1.patch",
                          files / "packages/zlib/zlib-2.patch");
  EXPECT_EQ(changed(), zlib_and_users);
  files.write("packages/zlib/zlib-3.patch", "");
  EXPECT_EQ(changed(), zlib_and_users);
  files.write("a.config", "A\n");
  EXPECT_EQ(changed(), app_and_users);
  files.write("c.config", "");  // which the recipe takes if it is there
  EXPECT_EQ(changed(), app_and_users);
  files.write("files/src/deep/a.h", "b\n");
  EXPECT_EQ(changed(), app_and_users);
  files.write("files/src/deep/new.h", "");
  EXPECT_EQ(changed(), app_and_users);
  std::filesystem::rename(files / "files/src/deep/new.h", files / "files/src/new.h");
  EXPECT_EQ(changed(), app_and_users);
  files.folder("files/src/empty");
  EXPECT_EQ(changed(), app_and_users);
  ::unlink((files / "files/src/link").c_str());
  files.link("files/src/link", "deep/a.h");
  EXPECT_EQ(changed(), app_and_users);
  ::unlink((files / "files/src/link").c_str());
  files.write("files/src/link", "deep/a.h");
  EXPECT_EQ(changed(), app_and_users);
  ::chmod((files / "files/src/main.cc").c_str(), 0744);
  EXPECT_EQ(changed(), app_and_users);
}

TEST_F(Keys, ChangeWithScripts) {
  const Names all = {"app", "cross-gcc", "host-make", "host-sandbox", "image", "libx", "zlib"};
  EXPECT_EQ(edited("scripts/build/make.sh", "    make", "    make V=1"), zlib_and_users);
  EXPECT_EQ(edited("scripts/build/common.sh", "022", "077"), all);
  EXPECT_EQ(edited("scripts/sandbox", "bwrap", "bwrap --x"), all);
  // A build script of a package's own counts to the letter.
  EXPECT_EQ(edited("packages/libx/libx.sh", "# own", "# Own"), (Names{"image", "libx"}));
  tree.scratch.write("scripts/build/more.awk", "x\n");
  EXPECT_EQ(edited("packages/libx/libx.mk", "build", "scripts = more.awk\nbuild"),
            (Names{"image", "libx"}));
  EXPECT_EQ(edited("scripts/build/more.awk", "x", "y"), (Names{"image", "libx"}));
}

TEST_F(Keys, DoNotChangeWithComments) {
  EXPECT_EQ(edited("scripts/build/make.sh", "# one", "# another\n\n\t# and one more"), Names{});
  EXPECT_EQ(edited("scripts/build/common.sh", "# What all share.\n\n", ""), Names{});
  EXPECT_EQ(edited("scripts/sandbox", "# Runs a build.", "#"), Names{});
  EXPECT_EQ(edited(kZlib, "version", "# Why\n\nversion"), Names{});
  // What is behind a command is no line of its own, and #! is no comment.
  EXPECT_EQ(edited("scripts/build/make.sh", "    make", "    make # all"), zlib_and_users);
  EXPECT_EQ(edited("scripts/sandbox", "#!/bin/sh", "#!/bin/bash").size(), 7U);
}

// There a line that looks like a comment may be none.
TEST_F(Keys, ChangeWithCommentsWhereAHereDocumentIs) {
  tree.edit("scripts/build/make.sh", "    make", "    make <<E\n# not a comment\nE");
  changed();
  EXPECT_EQ(edited("scripts/build/make.sh", "# not a comment", "# nor this"), zlib_and_users);
  tree.scratch.write("scripts/build/make.sh", "# a\ncat <<<word\n");
  changed();
  EXPECT_EQ(edited("scripts/build/make.sh", "# a", "# b"), Names{});
}

TEST_F(Keys, DoNotChangeWithAnythingElse) {
  auto& files = tree.scratch;
  EXPECT_EQ(edited(kApp, "summary = App\n", ""), Names{});
  EXPECT_EQ(edited(kApp, "files = files/src files/one",
                   "files = files/one files/src/deep files/src/\nlicence = MIT"),
            Names{});
  EXPECT_EQ(edited(kApp, "depends = zlib", "depends = zlib host-make\ndepends += zlib"), Names{});
  EXPECT_EQ(edited(kApp, "fragments = a.config b.config",
                   "f = b.config\nfragments  =  a.config\\\n\t$(f)"),
            Names{});
  EXPECT_EQ(edited(kZlib, "pypi:zlib/zlib.tar.gz", "https://x.example/zlib.tar.gz"), Names{});
  EXPECT_EQ(edited(kZlib, "sha256", "upstream = https://y.example/zlib.tar.gz\nsha256"), Names{});
  // Times, the write bits that a umask decides on, files that no package names.
  ::chmod((files / "files/src/main.cc").c_str(), 0664);
  ::chmod((files / "files/src/deep").c_str(), 0700);
  std::filesystem::last_write_time(files / "files/src/main.cc", std::filesystem::file_time_type());
  files.write("packages/zlib/README", "nobody's\n");
  files.write("scripts/build/other.sh", "nobody's\n");
  tree.recipe("zlib", "host-zlib", "");
  files.write("packages/zlib/host-zlib-1.patch", "of another recipe\n");
  EXPECT_EQ(changed(), Names{});
}

TEST_F(Keys, IgnoreWhatEditorsLeave) {
  for (const auto* name : {"main.cc~", ".main.cc.swp", ".main.cc.swo", "#main.cc#"})
    tree.scratch.write("files/src/deep/" + std::string(name), "x");
  tree.scratch.link("files/src/.#main.cc", "someone@host.1");
  tree.scratch.write("files/src/old~/x", "x");
  tree.scratch.write("packages/zlib/.zlib-1.patch.swp", "x");
  tree.scratch.write("packages/zlib/zlib-1.patch~", "x");
  EXPECT_EQ(changed(), Names{});
  tree.scratch.write("files/src/.hidden", "x");
  EXPECT_EQ(changed(), app_and_users);
}

TEST_F(Keys, DoNotDependOnWhereTheRepositoryIs) {
  const Tree elsewhere;
  const Inside inside(elsewhere.scratch.path());
  std::filesystem::copy(
      tree.scratch.path(), elsewhere.scratch / "moved",
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  const Inside moved(elsewhere.scratch / "moved");
  EXPECT_EQ(changed(), Names{});
}

TEST_F(Keys, CountOverlaysByWhatIsInThem) {
  const Scratch users;
  users.write("overlay/etc/motd", "hello\n");
  tree.scratch.write("overlays/base/etc/issue", "x\n");
  tree.edit("packages/image/image.mk", "build",
            "overlays = overlays/base board/gone? " + users / "overlay" + "\nbuild");
  const auto first = tree.find("image");
  EXPECT_TRUE(says(first.inputs, "field overlays overlays/base extra-1\n"));
  EXPECT_TRUE(
      says(first.inputs, "file build/overlays/extra-1/etc/motd 644 " + sha256("hello\n") + "\n"));
  EXPECT_TRUE(says(first.inputs, "file build/overlays/overlays/base/etc/issue 644 "));
  std::filesystem::rename(users / "overlay", users / "moved");
  tree.edit("packages/image/image.mk", users / "overlay", users / "moved");
  EXPECT_EQ(tree.find("image").entry, first.entry);
  users.write("moved/etc/motd", "bye\n");
  EXPECT_NE(tree.find("image").entry, first.entry);
}

// A recipe's script may also be one of its files: then its comments count.
TEST_F(Keys, KnowOneFileInTwoRoles) {
  tree.edit(kApp, "files = ", "files = scripts/build/make.sh ");
  const auto app = tree.find("app");
  EXPECT_EQ(tree.problems(), "");
  EXPECT_TRUE(says(app.inputs, "file build/files/scripts/build/make.sh 644 " +
                                   sha256(content_of("scripts/build/make.sh")) + "\n"));
  EXPECT_TRUE(
      says(app.inputs, "script build/recipe/make.sh " + sha256("step_build() {\n    make\n}\n")));
}

TEST_F(Keys, TakeNamesAsTheyAre) {
  tree.scratch.write("files/src/a b", "1");
  tree.scratch.write("files/src/c\\d", "2");
  tree.scratch.write("files/src/e\nf", "3");
  tree.scratch.link("files/src/to", "a b");
  const auto app = tree.find("app");
  EXPECT_TRUE(says(app.inputs, "file build/files/files/src/a\\x20b 644 " + sha256("1") + "\n"));
  EXPECT_TRUE(says(app.inputs, "file build/files/files/src/c\\x5cd 644 " + sha256("2") + "\n"));
  EXPECT_TRUE(says(app.inputs, "file build/files/files/src/e\\x0af 644 " + sha256("3") + "\n"));
  EXPECT_TRUE(says(app.inputs, "link build/files/files/src/to a\\x20b\n"));
}

TEST_F(Keys, GiveAPatchToTheLongestNameThatFits) {
  tree.recipe("zlib", "zlib-ng", "");
  tree.scratch.write("packages/zlib/zlib-ng-1.patch", "ng\n");
  EXPECT_EQ(changed(), Names{});
  tree.config["CONFIG_PACKAGES"] = "app libx zlib-ng";
  EXPECT_TRUE(
      says(tree.find("zlib-ng").inputs, "patch build/recipe/zlib-ng-1.patch " + sha256("ng\n")));
  EXPECT_EQ(tree.find("zlib-ng").inputs.find("zlib-1.patch"), std::string::npos);
}

TEST_F(Keys, RefusePatchesThatNobodyApplies) {
  tree.scratch.write("packages/zlib/0001-fix.patch", "x");
  EXPECT_EQ(wrong(),
            "packages/zlib/0001-fix.patch: is not applied to anything; a patch is called "
            "zlib-<what>.patch");
  std::filesystem::remove(tree.scratch / "packages/zlib/0001-fix.patch");
  tree.scratch.write("packages/zlib/zlib-2.diff", "x");
  EXPECT_EQ(
      wrong(),
      "packages/zlib/zlib-2.diff: is not applied to anything; a patch is called zlib-<what>.patch");
  std::filesystem::remove(tree.scratch / "packages/zlib/zlib-2.diff");
  tree.scratch.write("packages/zlib/zlib-a b.patch", "x");
  EXPECT_EQ(wrong(),
            "packages/zlib/zlib-a b.patch: has a blank or a backslash in its name; rename it");
}

TEST_F(Keys, RefuseFilesThatAreNone) {
  tree.edit(kApp, "files/one", "files/on");
  EXPECT_EQ(wrong(),
            "packages/app/app.mk:4: 'files/on' does not exist. Did you mean one?; correct the "
            "recipe, or restore the file");
  tree.edit(kApp, "files/on", "nosuch/file");
  EXPECT_TRUE(
      says(wrong(), "packages/app/app.mk:4: 'nosuch/file' does not exist; correct the recipe"));
  tree.edit(kApp, "nosuch/file", "files/pipe");
  ASSERT_EQ(::mkfifo((tree.scratch / "files/pipe").c_str(), 0644), 0);
  ::alarm(60);  // a pipe that is read hangs
  EXPECT_EQ(wrong(),
            "packages/app/app.mk:4: 'files/pipe' is a pipe, a socket or a device; a build can only "
            "be given files, folders and links");
  std::filesystem::rename(tree.scratch / "files/pipe", tree.scratch / "files/src/pipe");
  tree.edit(kApp, "files/pipe", "files/one");
  EXPECT_TRUE(says(wrong(), "packages/app/app.mk:4: 'files/src/pipe' is a pipe"));
  std::filesystem::remove(tree.scratch / "files/src/pipe");
  tree.scratch.link("files/src/dangling", "nowhere");
  EXPECT_EQ(wrong(), "");
  ASSERT_EQ(::mkfifo((tree.scratch / "packages/zlib/zlib-p.patch").c_str(), 0644), 0);
  EXPECT_EQ(wrong(), "packages/zlib/zlib.mk: 'packages/zlib/zlib-p.patch' is no file");
  ::alarm(0);
}

TEST_F(Keys, RefuseScriptsThatAreNotThereOrNotUsed) {
  tree.scratch.write("packages/zlib/zlib.sh", "x");
  EXPECT_EQ(wrong(),
            "packages/zlib/zlib.sh: is not used, since the recipe says build = make; write build = "
            "own, or remove it");
  tree.edit(kZlib, "build = make", "build = own");
  EXPECT_EQ(wrong(), "");
  std::filesystem::remove(tree.scratch / "packages/zlib/zlib.sh");
  EXPECT_TRUE(says(wrong(), "packages/zlib/zlib.mk:5: 'packages/zlib/zlib.sh' does not exist"));
  tree.edit(kZlib, "build = own", "build = make\nscripts = mak.sh");
  EXPECT_TRUE(says(
      wrong(),
      "packages/zlib/zlib.mk:6: 'scripts/build/mak.sh' does not exist. Did you mean make.sh?"));
}

}  // namespace
}  // namespace copal::test
