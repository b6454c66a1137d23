#include "env/file_system.h"

#include <gtest/gtest.h>

namespace spl::env {
namespace {

TEST(ParentOf, IsTheDirectoryPart) {
  EXPECT_EQ(parent_of("a/b"), "a");
  EXPECT_EQ(parent_of("/a/b"), "/a");
  EXPECT_EQ(parent_of("a//b/"), "a");
  EXPECT_EQ(parent_of("/a"), "/");
  EXPECT_EQ(parent_of("/"), "/");
  EXPECT_EQ(parent_of("//"), "/");
  EXPECT_EQ(parent_of("a"), ".");
  EXPECT_EQ(parent_of("a/"), ".");
  EXPECT_EQ(parent_of("."), ".");
  EXPECT_EQ(parent_of(""), ".");
}

TEST(Join, PutsOneSlashBetween) {
  EXPECT_EQ(join("a", "b"), "a/b");
  EXPECT_EQ(join("a/", "b"), "a/b");
  EXPECT_EQ(join("/", "b"), "/b");
  EXPECT_EQ(join("", "b"), "b");
}

}  // namespace
}  // namespace spl::env
