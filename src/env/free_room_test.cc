#include "env/free_room.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "testing/temp_directory.h"

namespace spl::env {
namespace {

TEST(FreeRoom, IsOfTheNearestDirectoryThatIsThere) {
  const testing::TempDirectory directory;
  const auto there = free_room(directory.path());
  ASSERT_TRUE(there);
  EXPECT_GT(there->bytes, 0U);
  const auto below = free_room(directory.path() + "/not/yet");
  ASSERT_TRUE(below);
  EXPECT_EQ(below->device, there->device);
}

TEST(FreeRoom, IsOfTheDiskThatIsMountedThere) {
  const testing::TempDirectory directory;
  const std::string at = directory.path() + "/disk";
  ASSERT_EQ(::mkdir(at.c_str(), 0700), 0);
  if (::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=1m,nr_inodes=100") != 0)
    GTEST_SKIP() << "left out: this process may not mount a file system";
  const auto room = free_room(at + "/x");
  EXPECT_EQ(::umount2(at.c_str(), MNT_DETACH), 0);
  ASSERT_TRUE(room);
  EXPECT_LE(room->bytes, 1U << 20);
  ASSERT_TRUE(room->files);
  EXPECT_LT(*room->files, 100U);
  EXPECT_NE(room->device, free_room(directory.path())->device);
}

}  // namespace
}  // namespace spl::env
