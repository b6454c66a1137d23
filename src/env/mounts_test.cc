#include "env/mounts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "testing/temp_directory.h"

namespace spl::env {
namespace {

TEST(Mounts, LinesOfTheKernelAreReadWithTheirEscapes) {
  const auto found = parse_mounts(
      "36 35 98:0 /mnt1 /mnt2\\040x\\134 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n"
      "nonsense\n"
      "37 35 0:1 / / rw - btrfs none rw,user_subvol_rm_allowed\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], (Mount{36, "98:0", "/mnt1", "/mnt2 x\\", "ext3", "/dev/root", {"rw", "errors=continue"}}));
  EXPECT_EQ(found[1].options.back(), "user_subvol_rm_allowed");
}

TEST(Mounts, ADirectoryHasTheMountThatItLiesOn) {
  const auto all = mounts();
  ASSERT_TRUE(all);
  const auto directory = open_directory_straight("/proc/self");
  EXPECT_FALSE(directory) << "it is a link";
  const auto proc = open_directory_straight("/proc");
  ASSERT_TRUE(proc);
  const auto mount = mount_of(*all, *proc);
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->type, "proc");
}

TEST(Mounts, NoLinkLeadsOutOfADirectory) {
  const testing::TempDirectory directory;
  ASSERT_EQ(::symlink("/", (directory.path() + "/out").c_str()), 0);
  const auto opened = open_directory_straight(directory.path());
  ASSERT_TRUE(opened);
  EXPECT_TRUE(open_directory_below(*opened, ""));
  for (const char* way : {"out", "out/etc", "..", "/etc"}) EXPECT_FALSE(open_directory_below(*opened, way)) << way;
  EXPECT_EQ(::access(path_of(*opened).c_str(), R_OK), 0);
}

}  // namespace
}  // namespace spl::env
