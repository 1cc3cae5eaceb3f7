// The store: sealing makes a tree canonical and refuses what has no place in one, and the check
// finds every kind of damage.
#include <algorithm>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

#include "entry.h"
#include "manifest.h"
#include "sha256.h"
#include "support.h"

namespace copal::test {
namespace {

struct stat stat_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info;
}

void set_time(const std::string& path, std::int64_t mtime, long nanoseconds = 0) {
  const timespec times[2] = {{mtime, nanoseconds}, {mtime, nanoseconds}};
  ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

class Sealing : public ::testing::Test {
 protected:
  Status seal_tree() { return seal(scratch / "e/tree", scratch / "e", kEpoch); }
  Scratch scratch;
};

TEST_F(Sealing, MakesModesAndTimesCanonical) {
  scratch.write("e/tree/usr/bin/run", "x", 0710);
  scratch.write("e/tree/usr/share/data", "y", 0600);
  scratch.link("e/tree/usr/bin/link", "run");
  ::chmod((scratch / "e/tree/usr").c_str(), 02700);  // as below a set-group folder of the user
  ASSERT_TRUE(seal_tree());
  for (const auto& [path, mode] :
       std::vector<std::pair<std::string, mode_t>>{{"", 0755},
                                                   {"/usr", 0755},
                                                   {"/usr/bin", 0755},
                                                   {"/usr/bin/run", 0755},
                                                   {"/usr/share/data", 0644},
                                                   {"/usr/bin/link", 0777}}) {
    const auto info = stat_of(scratch / "e/tree" + path);
    EXPECT_EQ(info.st_mode & 07777U, mode) << path;
    EXPECT_EQ(info.st_mtim.tv_sec, kEpoch) << path;
    EXPECT_EQ(info.st_mtim.tv_nsec, 0) << path;
  }
}

TEST_F(Sealing, WritesAManifestWithEveryPath) {
  scratch.write("e/tree/b", "hello");
  scratch.write("e/tree/odd\n\tname \\", "");
  scratch.link("e/tree/a", "some where");
  ASSERT_TRUE(seal_tree());
  EXPECT_EQ(content_of(scratch / "e/manifest"),
            "copal-manifest 1 1735689600\n"
            "/\td\t0755\t0\t-\n"
            "/a\tl\t0777\t10\tsome\\x20where\n"
            "/b\tf\t0644\t5\t" +
                sha256("hello") +
                "\n"
                "/odd\\x0a\\x09name\\x20\\x5c\tf\t0644\t0\t" +
                sha256("") + "\n");
}

TEST_F(Sealing, GivesTheSameManifestTwice) {
  scratch.write("e/tree/usr/a", "1");
  scratch.write("e/tree/usr-b", "2");
  ASSERT_TRUE(seal_tree());
  const auto first = content_of(scratch / "e/manifest");
  ASSERT_TRUE(seal_tree());
  EXPECT_EQ(content_of(scratch / "e/manifest"), first);
  const auto parsed = parse_manifest(first);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(write_manifest(*parsed), first);
}

TEST_F(Sealing, KeepsHardLinksAsFiles) {
  const auto a = scratch.write("e/tree/a", "same");
  ASSERT_EQ(::link(a.c_str(), (scratch / "e/tree/b").c_str()), 0);
  ASSERT_TRUE(seal_tree());
  const auto manifest = content_of(scratch / "e/manifest");
  EXPECT_NE(manifest.find("/a\tf\t0644\t4\t" + sha256("same")), std::string::npos);
  EXPECT_NE(manifest.find("/b\tf\t0644\t4\t" + sha256("same")), std::string::npos);
}

TEST_F(Sealing, RefusesSetuidSetgidAndSticky) {
  for (const mode_t mode : {04755, 02755, 01644}) {
    const auto path = scratch.write("e/tree/bin/su", "x");
    ::chmod(path.c_str(), mode);
    const auto sealed = seal_tree();
    ASSERT_FALSE(sealed) << std::oct << mode;
    EXPECT_NE(sealed.error().what.find("/bin/su has a setuid, setgid or sticky bit"),
              std::string::npos);
    EXPECT_FALSE(exists(scratch / "e/manifest"));
  }
}

TEST_F(Sealing, RefusesPipesAndSockets) {
  scratch.folder("e/tree");
  ASSERT_EQ(::mkfifo((scratch / "e/tree/pipe").c_str(), 0644), 0);
  const auto sealed = seal_tree();
  ASSERT_FALSE(sealed);
  EXPECT_NE(sealed.error().what.find("/pipe is a device node, a pipe or a socket"),
            std::string::npos);
}

TEST(Manifest, RefusesWhatIsCutOrChanged) {
  const std::string good = "copal-manifest 1 5\n/\td\t0755\t0\t-\n/a\tl\t0777\t1\tb\n";
  ASSERT_TRUE(parse_manifest(good));
  for (const auto& wrong : std::vector<std::string>{
           "", "copal-manifest 2 5\n/\td\t0755\t0\t-\n", "copal-manifest 1 5\n",
           good.substr(0, good.size() - 1), good + "/A\tl\t0777\t1\tb\n", good + "/b\tl\t0777\t1\n",
           good + "/b\tx\t0777\t1\tb\n", good + "/b\tl\t0999\t1\tb\n", good + "b\tl\t0777\t1\tb\n",
           good + "/b\t\t0777\t1\tb\n", good + "/b\tdf\t0777\t1\tb\n"})
    EXPECT_FALSE(parse_manifest(wrong)) << wrong;
}

class Checking : public ::testing::Test {
 protected:
  Checking() {
    scratch.link("store/" + entry + "/tree/usr/bin/link", "hello");
    tree = make_entry(scratch, entry, {{"/usr/bin/hello", "hello"}, {"/usr/bin-x", "x"}});
    scratch.write("store/" + entry + "/inputs", inputs);
  }
  std::string problem(Depth depth = Depth::quick) {
    const auto checked = check_entry(scratch / "store", entry, depth);
    return checked ? "" : checked.error().what;
  }
  // As something that does not care about the times of a build would leave it.
  void keep_time(const std::string& path, const std::function<void()>& change) const {
    change();
    set_time(tree + path, kEpoch);
    set_time(std::filesystem::path(tree + path).parent_path(), kEpoch);
  }

  Scratch scratch;
  const std::string inputs = "copal-inputs 1\nname hello\n";
  const std::string entry = "hello-1-" + key_of(inputs);
  std::string tree;
};

TEST_F(Checking, AcceptsWhatWasSealed) {
  EXPECT_EQ(problem(), "");
  EXPECT_EQ(problem(Depth::full), "");
}

TEST_F(Checking, FindsAMissingFile) {
  keep_time("/usr/bin/hello", [&] { ::unlink((tree + "/usr/bin/hello").c_str()); });
  EXPECT_EQ(problem(), "/usr/bin/hello is missing");
}

TEST_F(Checking, FindsAnAdditionalFile) {
  keep_time("/usr/bin/new", [&] { scratch.write("store/" + entry + "/tree/usr/bin/new", ""); });
  EXPECT_EQ(problem(), "/usr/bin/new does not belong there");
}

TEST_F(Checking, FindsAnotherSize) {
  keep_time("/usr/bin/hello",
            [&] { ASSERT_EQ(::truncate((tree + "/usr/bin/hello").c_str(), 0), 0); });
  EXPECT_EQ(problem(), "/usr/bin/hello has 0 bytes instead of 5");
}

TEST_F(Checking, FindsAnotherMode) {
  ::chmod((tree + "/usr/bin/hello").c_str(), 0700);
  EXPECT_EQ(problem(), "/usr/bin/hello has mode 0700 instead of 0755");
}

TEST_F(Checking, FindsAnotherTime) {
  set_time(tree + "/usr/bin/hello", kEpoch + 1);
  EXPECT_EQ(problem(), "/usr/bin/hello was changed (its time is not the build's)");
  set_time(tree + "/usr/bin/hello", kEpoch, 1);
  EXPECT_EQ(problem(), "/usr/bin/hello was changed (its time is not the build's)");
  set_time(tree + "/usr/bin/hello", kEpoch);
  EXPECT_EQ(problem(), "");
  set_time(tree + "/usr/bin/link", kEpoch + 1);
  EXPECT_EQ(problem(), "/usr/bin/link was changed (its time is not the build's)");
  set_time(tree + "/usr/bin/link", kEpoch);
  set_time(tree, kEpoch + 1);
  EXPECT_EQ(problem(), "/ was changed (its time is not the build's)");
}

TEST_F(Checking, FindsAnotherType) {
  keep_time("/usr/bin/hello", [&] {
    ::unlink((tree + "/usr/bin/hello").c_str());
    scratch.link("store/" + entry + "/tree/usr/bin/hello", "five!");
  });
  EXPECT_EQ(problem(), "/usr/bin/hello is of another type");
}

TEST_F(Checking, CountsWhatElseIsWrong) {
  scratch.write("store/" + entry + "/tree/usr/bin/hello", "more than it was", 0755);
  keep_time("/usr/bin/link", [&] { ::unlink((tree + "/usr/bin/link").c_str()); });
  EXPECT_EQ(problem(), "/usr/bin/hello has 16 bytes instead of 5 (and 1 more)");
}

TEST_F(Checking, FindsAnotherContentWhenFull) {
  keep_time("/usr/bin/hello",
            [&] { scratch.write("store/" + entry + "/tree/usr/bin/hello", "hallo", 0755); });
  EXPECT_EQ(problem(), "");
  EXPECT_EQ(problem(Depth::full), "/usr/bin/hello has another content (SHA-256)");
}

TEST_F(Checking, FindsAnotherTargetWhenFull) {
  keep_time("/usr/bin/link", [&] {
    ::unlink((tree + "/usr/bin/link").c_str());
    scratch.link("store/" + entry + "/tree/usr/bin/link", "hallo");
  });
  EXPECT_EQ(problem(), "");
  EXPECT_EQ(problem(Depth::full), "/usr/bin/link points to hallo");
}

TEST_F(Checking, FindsAWrongKey) {
  scratch.write("store/" + entry + "/inputs", "copal-inputs 1\nname other\n");
  EXPECT_EQ(problem(), "its inputs file does not give the key in its name");
  ::unlink((scratch / "store/" + entry + "/inputs").c_str());
  EXPECT_EQ(problem(), "its inputs file is missing");
}

TEST_F(Checking, NamesFilesBeforeFolders) {
  scratch.write("store/" + entry + "/tree/usr/bin/new", "");
  EXPECT_EQ(problem(), "/usr/bin/new does not belong there (and 1 more)");
}

TEST_F(Checking, FindsAMissingOrBrokenManifest) {
  scratch.write("store/" + entry + "/manifest", "");
  EXPECT_EQ(problem(), "manifest is empty, cut short or of another format");
  ::unlink((scratch / "store" + "/" + entry + "/manifest").c_str());
  EXPECT_EQ(problem(), "it has no manifest");
}

TEST_F(Checking, FindsAMissingTree) {
  std::filesystem::remove_all(tree);
  EXPECT_NE(problem(), "");
}

// Ten thousand files must not be felt at the start of every make. The processor's time is what
// counts, since the machine may be busy with something else.
TEST(CheckingMany, IsQuick) {
  const Scratch scratch;
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 10000; i++)
    files.emplace_back("/d" + std::to_string(i / 100) + "/f" + std::to_string(i), "x");
  const auto entry = "big-1-" + key_of("");
  make_entry(scratch, entry, files);
  scratch.write("store/" + entry + "/inputs", "");
  auto best = std::numeric_limits<std::clock_t>::max();
  for (int i = 0; i < 5; i++) {
    const auto start = std::clock();
    EXPECT_TRUE(check_entry(scratch / "store", entry, Depth::quick));
    best = std::min(best, std::clock() - start);
  }
  EXPECT_LT(best, CLOCKS_PER_SEC / 5);
}

}  // namespace
}  // namespace copal::test
