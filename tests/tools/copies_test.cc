// Copies of the store's trees: merged for a build, and published as the user's.
#include "copies.h"

#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

namespace copal::test {
namespace {

struct stat stat_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info;
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

class Merging : public ::testing::Test {
 protected:
  std::string merged(const std::vector<std::string>& trees) {
    const auto done = merge(trees, scratch / "out", kEpoch);
    return done ? "" : done.error().what;
  }
  Scratch scratch;
};

TEST_F(Merging, GivesAllFilesWithTheirTimes) {
  scratch.link("store/a-1-k/tree/lib/l.so", "l.so.1");
  const auto a = make_entry(scratch, "a-1-k", {{"/lib/l.so.1", "a"}});
  const auto b = make_entry(scratch, "b-1-k", {{"/lib/m", "b"}, {"/bin/b", "b"}});
  const Umask umask(077);
  ASSERT_EQ(merged({a, b}), "");
  EXPECT_EQ(content_of(scratch / "out/lib/l.so.1"), "a");
  EXPECT_EQ(content_of(scratch / "out/lib/m"), "b");
  EXPECT_EQ(std::filesystem::read_symlink(scratch / "out/lib/l.so"), "l.so.1");
  EXPECT_EQ(stat_of(scratch / "out/bin/b").st_ino, stat_of(b + "/bin/b").st_ino);
  for (const auto* path : {"", "/lib", "/bin", "/lib/l.so", "/lib/m"})
    EXPECT_EQ(stat_of(scratch / "out" + path).st_mtim.tv_sec, kEpoch) << path;
  for (const auto* path : {"", "/lib", "/bin"})
    EXPECT_EQ(stat_of(scratch / "out" + path).st_mode & 07777U, 0755U) << path;
}

TEST_F(Merging, TakesTheSameFileTwice) {
  scratch.link("store/a-1-k/tree/l", "x");
  scratch.link("store/b-1-k/tree/l", "x");
  const auto a = make_entry(scratch, "a-1-k", {{"/x", "same"}});
  const auto b = make_entry(scratch, "b-1-k", {{"/x", "same"}});
  EXPECT_EQ(merged({a, b, a}), "");
}

TEST_F(Merging, RefusesTwoFilesAtOnePath) {
  const auto a = make_entry(scratch, "a-1-k", {{"/usr/x", "one"}});
  for (const auto& [entry, make] :
       std::vector<std::pair<std::string, std::function<void(const std::string&)>>>{
           {"content-1-k", [&](const auto& path) { scratch.write(path, "two", 0755); }},
           {"size-1-k", [&](const auto& path) { scratch.write(path, "other", 0755); }},
           {"mode-1-k", [&](const auto& path) { scratch.write(path, "one"); }},
           {"link-1-k", [&](const auto& path) { scratch.link(path, "one"); }},
           {"folder-1-k", [&](const auto& path) { scratch.write(path + "/y", "one"); }}}) {
    make("store/" + entry + "/tree/usr/x");
    EXPECT_EQ(merged({a, make_entry(scratch, entry, {})}),
              "two dependencies have different files at /usr/x: a-1-k and " + entry +
                  "; drop one from `depends`, or let one of them install it elsewhere");
    std::filesystem::remove_all(scratch / "out");
  }
}

TEST_F(Merging, TakesNothingAndHundreds) {
  EXPECT_EQ(merged({}), "");
  EXPECT_EQ(stat_of(scratch / "out").st_mtim.tv_sec, kEpoch);
  std::filesystem::remove_all(scratch / "out");
  std::vector<std::string> trees;
  for (int i = 0; i < 300; i++) {
    const auto n = std::to_string(i);
    trees.push_back(
        make_entry(scratch, "p" + n + "-1-k", {{"/usr/lib/" + n, n}, {"/usr/share/all", "same"}}));
  }
  ASSERT_EQ(merged(trees), "");
  EXPECT_EQ(content_of(scratch / "out/usr/lib/299"), "299");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch / "out/usr/lib"), {}), 300);
}

TEST_F(Merging, NeedsANewFolder) {
  scratch.folder("out");
  EXPECT_TRUE(says(merged({}), "cannot make the folder"));
}

class Publishing : public ::testing::Test {
 protected:
  Publishing() {
    scratch.link("store/image-1-k/tree/link", "kernel");
    make_entry(scratch, "image-1-k", {{"/kernel", "kernel"}, {"/deep/map", "map"}});
  }
  // "y" where there was something to do.
  std::string published(const std::string& folder = "out/images") {
    scratch.folder("out");
    const auto done = publish(scratch / "store/image-1-k", scratch / folder);
    return !done ? done.error().what : *done ? "y" : "";
  }
  // It is what it should be, and the next time there is nothing to do.
  ::testing::AssertionResult is_whole(const std::string& folder = "out/images") {
    if (content_of(scratch / folder + "/kernel") != "kernel" ||
        content_of(scratch / folder + "/deep/map") != "map" || exists(scratch / folder + "/new") ||
        !exists(scratch / folder + "/link"))
      return ::testing::AssertionFailure() << "not whole";
    for (const auto* rest : {".new", ".old"}) {
      if (exists(scratch / folder + rest))
        return ::testing::AssertionFailure() << rest << " is left";
    }
    if (const auto again = published(folder); !again.empty())
      return ::testing::AssertionFailure() << "again: " << again;
    return ::testing::AssertionSuccess();
  }
  Scratch scratch;
};

TEST_F(Publishing, CopiesOnceAndNoMore) {
  EXPECT_EQ(published(), "y");
  EXPECT_TRUE(is_whole());
  // The user's own: nothing that is done to it reaches the store.
  EXPECT_NE(stat_of(scratch / "out/images/kernel").st_ino,
            stat_of(scratch / "store/image-1-k/tree/kernel").st_ino);
}

TEST_F(Publishing, PutsRightWhatWasDoneToIt) {
  published();
  const auto images = scratch / "out/images";
  const std::vector<std::pair<std::string, std::function<void()>>> changes = {
      {"edited", [&] { scratch.write("out/images/kernel", "kernal", 0755); }},
      {"longer", [&] { scratch.write("out/images/kernel", "kernel and more", 0755); }},
      {"deleted", [&] { std::filesystem::remove(images + "/deep/map"); }},
      {"added", [&] { scratch.write("out/images/new", "x"); }},
      {"mode", [&] { ::chmod((images + "/kernel").c_str(), 0600); }},
      {"no folder", [&] { std::filesystem::remove_all(images); }},
      {"a file",
       [&] {
         std::filesystem::remove_all(images);
         scratch.write("out/images", "x");
       }},
      {"left",
       [&] {
         std::filesystem::remove_all(images);
         scratch.write("out/images.new/x", "x");
       }},
  };
  for (const auto& [what, change] : changes) {
    change();
    EXPECT_EQ(published(), "y") << what;
    EXPECT_TRUE(is_whole()) << what;
  }
}

TEST_F(Publishing, DoesNotCareAboutTheUmask) {
  const Umask umask(077);
  EXPECT_EQ(published(), "y");
  EXPECT_TRUE(is_whole());
}

TEST_F(Publishing, FollowsLinksOnTheWay) {
  scratch.folder("elsewhere");
  scratch.link("linked", "elsewhere");
  EXPECT_EQ(published("linked/images"), "y");
  EXPECT_TRUE(is_whole("linked/images"));
  EXPECT_TRUE(exists(scratch / "elsewhere/images/kernel"));
  EXPECT_EQ(std::filesystem::read_symlink(scratch / "linked"), "elsewhere");
}

TEST_F(Publishing, NeedsAnEntryAndAPlace) {
  EXPECT_TRUE(says(published("nowhere/images"), "cannot lock"));
  std::filesystem::remove(scratch / "store/image-1-k/manifest");
  EXPECT_TRUE(says(published(), "cannot read"));
}

}  // namespace
}  // namespace copal::test
