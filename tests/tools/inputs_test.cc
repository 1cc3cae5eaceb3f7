// Inputs of builds: kept by content, so that no edit reaches a build, and staged as they were.
#include "inputs.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "content.h"
#include "sha256.h"
#include "tree.h"

namespace copal::test {
namespace {

class Inputs : public ::testing::Test {
 protected:
  Inputs() {
    tree.config["CONFIG_PACKAGES"] = "app";
    tree.recipe("app", "files = src\n");
    tree.scratch.write("src/run", "run\n", 0700);
    tree.scratch.write("src/a b/c\\d", "odd\n", 0600);
    tree.scratch.link("src/link", "a b/nowhere");
    tree.scratch.folder("src/empty");
    tree.scratch.write("packages/app/app-1.patch", "# a patch\n");
    app = tree.find("app");
  }
  std::string keep() { return text(keep_inputs(inputs, app)); }
  std::string stage_to(const std::string& work) {
    return text(stage(inputs, app.entry, tree.scratch / work, kEpoch));
  }
  static std::string text(const Status& status) { return status ? "" : status.error().what; }

  Tree tree;
  const std::string inputs = tree.scratch / "out/inputs";
  Keyed app;
};

TEST_F(Inputs, AreStagedWithCanonicalModesAndTimes) {
  ASSERT_EQ(keep(), "");
  ASSERT_EQ(stage_to("work"), "");
  const auto work = tree.scratch / "work";
  EXPECT_EQ(content_of(work + "/build/files/src/a b/c\\d"), "odd\n");
  EXPECT_EQ(content_of(work + "/build/recipe/app-1.patch"), "# a patch\n");
  EXPECT_EQ(content_of(work + "/build/recipe/make.sh"), "step_build() {\n    make\n}\n");
  EXPECT_EQ(content_of(work + "/sandbox"), "#!/bin/sh\nexec bwrap\n");
  EXPECT_EQ(std::filesystem::read_symlink(work + "/build/files/src/link"), "a b/nowhere");
  for (const auto& [path, mode] :
       std::vector<std::pair<std::string, mode_t>>{{"/sandbox", 0755},
                                                   {"/build/recipe/make.sh", 0644},
                                                   {"/build/recipe/app-1.patch", 0644},
                                                   {"/build/files/src", 0755},
                                                   {"/build/files/src/empty", 0755},
                                                   {"/build/files/src/a b", 0755},
                                                   {"/build/files/src/run", 0755},
                                                   {"/build/files/src/a b/c\\d", 0644},
                                                   {"/build/files/src/link", 0777}}) {
    struct stat info {};
    ASSERT_EQ(::lstat((work + path).c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_mode & 07777U, mode) << path;
    EXPECT_EQ(info.st_mtim.tv_sec, kEpoch) << path;
    EXPECT_EQ(info.st_mtim.tv_nsec, 0) << path;
  }
}

TEST_F(Inputs, AreNotReachedByAnEdit) {
  ASSERT_EQ(keep(), "");
  tree.scratch.write("src/run", "edited\n");
  ASSERT_EQ(stage_to("work"), "");
  EXPECT_EQ(content_of(tree.scratch / "work/build/files/src/run"), "run\n");
}

TEST_F(Inputs, AreNotKeptWhenTheyChangeMeanwhile) {
  tree.scratch.write("src/run", "edited\n");
  EXPECT_EQ(keep(), "src/run was changed this very moment; run make again");
  EXPECT_FALSE(exists(inputs + "/" + app.entry));
}

TEST_F(Inputs, AreKeptOnce) {
  ASSERT_EQ(keep(), "");
  struct stat before {};
  struct stat after {};
  ::stat((inputs + "/" + app.entry).c_str(), &before);
  ASSERT_EQ(keep(), "");
  ::stat((inputs + "/" + app.entry).c_str(), &after);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(content_of(inputs + "/" + app.entry), app.inputs);
}

TEST_F(Inputs, AreCheckedWhenTheyAreStaged) {
  ASSERT_EQ(keep(), "");
  const auto bytes = inputs + "/.bytes/" + sha256("run\n");
  tree.scratch.write("out/inputs/.bytes/" + sha256("run\n"), "ran\n");
  EXPECT_EQ(stage_to("one"), bytes + " is damaged; remove it, and run make again");
  // Which helps.
  std::filesystem::remove(bytes);
  EXPECT_EQ(keep(), "");
  EXPECT_EQ(stage_to("two"), "");
}

TEST_F(Inputs, AreThere) {
  EXPECT_TRUE(says(stage_to("work"), "cannot read " + inputs + "/" + app.entry));
}

TEST(Content, IsALineAndBack) {
  for (const auto& content :
       std::vector<Content>{{"file", "build/a b", "abc", true, ""},
                            {"file", "build/a\\b", "abc", false, ""},
                            {"folder", "build/x", "", false, ""},
                            {"link", "build/l", "../some where", false, ""},
                            {"engine", "sandbox", "abc", true, ""},
                            {"script", "build/recipe/x.sh", "abc", false, ""},
                            {"patch", "build/recipe/x.patch", "abc", false, ""}}) {
    const auto line = content_line(content);
    ASSERT_TRUE(is_content(line)) << line;
    const auto back = parse_content(line);
    ASSERT_TRUE(back) << line;
    EXPECT_EQ(back->role, content.role);
    EXPECT_EQ(back->to, content.to);
    EXPECT_EQ(back->detail, content.detail);
    EXPECT_EQ(back->executable, content.executable) << line;
  }
  for (const auto* line :
       {"file a 644", "file a", "folder a b", "link a", "script a b c", "file a\\x 644 b"})
    EXPECT_FALSE(parse_content(line)) << line;
  for (const auto* line : {"filea b", "name x", "field build make", "source a b", "host x"})
    EXPECT_FALSE(is_content(line)) << line;
}

}  // namespace
}  // namespace copal::test
