#include "surface/files/guarded_directory.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "env/acting_user.h"
#include "env/mounts.h"
#include "surface/driver_test_util.h"

namespace spl::surface {
namespace {

constexpr env::UserIds kNobody{65534, 65534};

class GuardedDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "left out: only root works in the directories of others";
    ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
    ASSERT_EQ(::mkdir(users_.c_str(), 0750), 0);
    ASSERT_EQ(::chown(users_.c_str(), kNobody.uid, kNobody.gid), 0);
    ASSERT_EQ(::mkdir(others_.c_str(), 0755), 0);
    std::ofstream(others_ + "/keep") << "kept";
  }
  [[nodiscard]] std::string kept() const {
    std::ifstream file(others_ + "/keep");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  testing::TempDirectory directory_;
  const std::string users_ = directory_.path() + "/user";
  const std::string others_ = directory_.path() + "/root";
  const std::string made_ = users_ + "/.spl-x";
  env::PosixFileSystem fs_;
};

TEST_F(GuardedDirectoryTest, IsRootsAloneAndReachedWhateverBecomesOfItsName) {
  const auto directory = must(make_guarded_directory(fs_, made_, kNobody));
  struct stat status{};
  ASSERT_EQ(::stat(made_.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  {
    // Its name is in the user's directory: he may take it away, and put a link there.
    const env::AsFileUser as(kNobody);
    ASSERT_EQ(::rename(made_.c_str(), (users_ + "/aside").c_str()), 0);
    ASSERT_EQ(::symlink(others_.c_str(), made_.c_str()), 0);
    EXPECT_NE(::access((users_ + "/aside/x").c_str(), F_OK), 0);
  }
  must(fs_.make_directory(env::join(env::path_of(directory), "below")));
  EXPECT_TRUE(std::filesystem::exists(users_ + "/aside/below"));
  EXPECT_FALSE(std::filesystem::exists(others_ + "/below"));
}

TEST_F(GuardedDirectoryTest, IsNotMadeWhereSomethingIsOrTheUserMayNotMakeIt) {
  ASSERT_EQ(::symlink(others_.c_str(), made_.c_str()), 0);
  EXPECT_FALSE(make_guarded_directory(fs_, made_, kNobody));
  ASSERT_EQ(::symlink(others_.c_str(), (users_ + "/way").c_str()), 0);
  EXPECT_FALSE(make_guarded_directory(fs_, users_ + "/way/.spl-x", kNobody));
  EXPECT_FALSE(std::filesystem::exists(others_ + "/.spl-x"));
}

TEST_F(GuardedDirectoryTest, WhatIsRemovedLeadsNowhereElse) {
  std::filesystem::create_directories(made_ + "/a/b");
  std::ofstream(made_ + "/a/b/file") << "x";
  ASSERT_EQ(::symlink(others_.c_str(), (made_ + "/a/link").c_str()), 0);
  must(remove_guarded_tree(fs_, made_, kNobody));
  EXPECT_FALSE(std::filesystem::exists(made_));
  EXPECT_EQ(kept(), "kept");
  must(remove_guarded_tree(fs_, made_, kNobody));
  ASSERT_EQ(::symlink(others_.c_str(), made_.c_str()), 0);
  must(remove_guarded_tree(fs_, made_, kNobody));
  EXPECT_EQ(kept(), "kept");
}

TEST_F(GuardedDirectoryTest, WhatIsMountedWithinIsNotEmptied) {
  std::filesystem::create_directories(made_ + "/mounted");
  std::ofstream(made_ + "/first") << "x";
  if (::mount(others_.c_str(), (made_ + "/mounted").c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "left out: this process may not mount";
  EXPECT_FALSE(remove_guarded_tree(fs_, made_, kNobody));
  EXPECT_EQ(kept(), "kept");
  EXPECT_TRUE(std::filesystem::exists(made_ + "/first"));
  ASSERT_EQ(::umount2((made_ + "/mounted").c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace spl::surface
