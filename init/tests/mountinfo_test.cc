#include "core/mountinfo.h"

#include "helpers.h"

namespace copal {
namespace {

std::vector<std::string> points(std::string text, size_t most = 8) {
  std::vector<const char*> paths(most);
  const size_t count = mount_points(text, paths);
  return {paths.begin(), paths.begin() + static_cast<ptrdiff_t>(count)};
}

using Paths = std::vector<std::string>;

TEST(MountPoints, AreTheFifthField) {
  EXPECT_EQ(points("22 1 0:20 / /proc rw,nosuid - proc proc rw\n"
                   "23 1 8:1 /x /var rw shared:1 - ext4 /dev/sda1 rw\n"),
            (Paths{"/proc", "/var"}));
  EXPECT_EQ(points(""), Paths{});
}

TEST(MountPoints, AreDecoded) {
  EXPECT_EQ(points("1 1 0:2 / /a\\040b\\134\\011 rw\n"), Paths{"/a b\\\t"});
  EXPECT_EQ(points("1 1 0:2 / \\ rw\n1 1 0:2 / \\04 rw\n1 1 0:2 / \\xyz rw\n").size(), 3U);
}

TEST(MountPoints, LeavesOutWhatIsCutShort) {
  EXPECT_EQ(points("1 1 0:2 /\n\n1 1 0:2 / /a"), Paths{});
  EXPECT_EQ(points("1 1 0:2 / /a rw\n1 1 0:2 / /b rw\n", 1), Paths{"/a"});
}

}  // namespace
}  // namespace copal
