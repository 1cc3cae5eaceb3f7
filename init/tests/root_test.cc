#include "init/root.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "init/machine.h"

namespace copal {
namespace {

// Within one file system here; what differs between two (that the source is emptied at the end) is
// left to the boot test.
TEST(MoveTree, KeepsWhatFilesAre) {
  std::string base = testing::TempDir() + "move.XXXXXX";
  ASSERT_NE(mkdtemp(base.data()), nullptr);
  const std::string from = base + "/from";
  const std::string to = base + "/to";
  const auto path = [&](const char* name) { return from + name; };
  const auto moved = [&](const char* name) { return to + name; };
  for (const std::string& dir : {from, to, path("/d"), path("/d/e"), path("/empty")}) {
    ASSERT_EQ(mkdir(dir.c_str(), 0755), 0);
  }
  std::ofstream(path("/d/file")) << std::string(3'000'000, 'x');
  std::ofstream(path("/d/e/small")) << "y";
  std::ofstream(path("/zero")).flush();
  ASSERT_EQ(symlink("../gone", path("/d/link").c_str()), 0);
  ASSERT_EQ(link(path("/d/e/small").c_str(), path("/hard").c_str()), 0);
  ASSERT_EQ(link(path("/d/e/small").c_str(), path("/d/hard").c_str()), 0);
  ASSERT_EQ(mkfifo(path("/fifo").c_str(), 0600), 0);
  ASSERT_EQ(chmod(path("/d/file").c_str(), 04711), 0);
  ASSERT_EQ(chmod(path("/empty").c_str(), 01777), 0);
  const std::array<timespec, 2> times = {timespec{7, 0}, timespec{1'700'000'000, 0}};
  for (const char* name : {"/d/file", "/d/e", "/d", "/d/link", "/empty"}) {
    ASSERT_EQ(utimensat(AT_FDCWD, path(name).c_str(), times.data(), AT_SYMLINK_NOFOLLOW), 0);
  }

  const Status done = move_tree(from.c_str(), to.c_str());
  ASSERT_TRUE(done.ok()) << done.error().what << ": " << strerror(done.error().code);

  struct stat info {};
  ASSERT_EQ(stat(moved("/d/file").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 3'000'000);
  EXPECT_EQ(info.st_mode & 07777, 04711U);
  for (const char* name : {"/d/file", "/d/e", "/d", "/d/link", "/empty"}) {
    ASSERT_EQ(lstat(moved(name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mtime, 1'700'000'000) << name;
  }
  EXPECT_EQ(info.st_mode & 07777, 01777U);
  std::array<char, 32> target{};
  EXPECT_GT(readlink(moved("/d/link").c_str(), target.data(), target.size()), 0);
  EXPECT_STREQ(target.data(), "../gone");
  ASSERT_EQ(stat(moved("/hard").c_str(), &info), 0);
  EXPECT_EQ(info.st_nlink, 3U);
  ASSERT_EQ(stat(moved("/fifo").c_str(), &info), 0);
  EXPECT_TRUE(S_ISFIFO(info.st_mode));
  EXPECT_NE(access(moved("/.links").c_str(), F_OK), 0);
  EXPECT_NE(access(path("/d/file").c_str(), F_OK), 0);  // moved, not copied
}

TEST(KernelArgument, IsAWholeWord) {
  constexpr std::string_view kLine = "console=ttyS0 xcopal.hostname=a copal.hostname=b quiet\n";
  EXPECT_EQ(kernel_argument(kLine, "copal.hostname"), "b");
  EXPECT_EQ(kernel_argument(kLine, "console"), "ttyS0");
  EXPECT_EQ(kernel_argument(kLine, "quiet"), "");
  EXPECT_EQ(kernel_argument("", "quiet"), "");
}

TEST(KernelArgument, TheLastOneWins) {
  EXPECT_EQ(kernel_argument("a=1 b=2 a=3\n", "a"), "3");
  EXPECT_EQ(kernel_argument("a=1 a=", "a"), "");
  EXPECT_EQ(kernel_argument("a=1 aa=3", "a"), "1");
}

// As next_arg() of the kernel's lib/cmdline.c reads them.
TEST(KernelArgument, KnowsTheKernelsQuotes) {
  EXPECT_EQ(kernel_argument("a=\"x y\" b=1", "a"), "x y");
  EXPECT_EQ(kernel_argument("a=\"x y\" b=1", "b"), "1");
  EXPECT_EQ(kernel_argument("\"a=x y\" b=1", "a"), "x y");
  EXPECT_EQ(kernel_argument("a=x\" \"y b=1", "a"), "x\" \"y");
  EXPECT_EQ(kernel_argument("a=\"x y", "a"), "x y");
  EXPECT_EQ(kernel_argument("\"a=\"x\"\"", "a"), "x\"");
  EXPECT_EQ(kernel_argument("a=\"\"", "a"), "");
  EXPECT_EQ(kernel_argument("a=\"", "a"), "");
  EXPECT_EQ(kernel_argument("\"", "a"), "");
  // What is quoted is no word of its own.
  EXPECT_EQ(kernel_argument("dyndbg=\"file a copal.hostname=b\"", "copal.hostname"), "");
}

TEST(KernelArgument, AnUnknownOneIsFound) {
  std::string_view line =
      "ro copal.hostname=a copal.metdata=none copalx=1 dyndbg=\"copal.y\" copal.disk_format=no "
      "\"copal.z\"\n";
  EXPECT_EQ(next_unknown_parameter(line), "copal.metdata");
  EXPECT_EQ(next_unknown_parameter(line), "copal.disk_format");
  EXPECT_EQ(next_unknown_parameter(line), "copal.z");
  EXPECT_EQ(next_unknown_parameter(line), "");
}

}  // namespace
}  // namespace copal
