// Control groups: what is in one and what is not, and that one that is gone is told from one that cannot be looked at.
#include "env/control_group.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "env/proc_files.h"

namespace spl::env {
namespace {

class ControlGroupTest : public ::testing::TestWithParam<GroupVersion> {
 protected:
  [[nodiscard]] static Result<ControlGroup> make(const std::string& name) {
    return ControlGroup::make(GetParam(), "spl-test-" + std::to_string(::getpid()) + "." + name);
  }
  void SetUp() override {
    const auto group = make("try");
    if (!group) GTEST_SKIP() << "left out: " << group.error().message;
    EXPECT_TRUE(group->remove().value_or(false));
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, ControlGroupTest, ::testing::Values(GroupVersion::kOne, GroupVersion::kTwo));

TEST_P(ControlGroupTest, IsFoundByItsDirectoryUntilItIsGoneWithWhatIsBelow) {
  const auto group = make("a");
  ASSERT_TRUE(group);
  ASSERT_EQ(::mkdir((group->directory() + "/below").c_str(), 0755), 0);
  const auto found = ControlGroup::at(group->directory());
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->version(), GetParam());
  EXPECT_FALSE((*found)->has_this_process().value_or(true));
  EXPECT_TRUE(group->remove().value_or(false));
  EXPECT_TRUE(group->remove().value_or(false)) << "gone is gone";
  const auto gone = ControlGroup::at(group->directory());
  ASSERT_TRUE(gone) << gone.error().message;
  EXPECT_FALSE(gone->has_value());
  EXPECT_EQ(group->state().value(), ControlGroup::State::kFrozen) << "nothing of it runs";
  EXPECT_TRUE(group->thaw());
}

TEST_P(ControlGroupTest, IsFoundAroundAProcessByAWordOfItsName) {
  const auto group = make("a");
  const auto below = ControlGroup::make(GetParam(), std::string(group_name(group->directory())) + "/below");
  ASSERT_TRUE(group && below);
  const std::string name(group_name(group->directory()));
  ASSERT_TRUE(below->join());
  const auto found = ControlGroup::around(::getpid(), name);
  const auto other = ControlGroup::around(::getpid(), name + "b");
  const auto none = ControlGroup::around(::getpid(), "");
  const std::string groups = read_proc("/proc/self/cgroup", 1u << 16).value().value_or("");
  EXPECT_TRUE(leave_groups(name));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->directory(), group->directory()) << "not the one below, in which it was";
  EXPECT_TRUE((*found)->has(groups));
  EXPECT_FALSE(other.value());
  EXPECT_FALSE(none.value());
  if (GetParam() == GroupVersion::kTwo) {
    const std::size_t at = groups.find("0::") + 3;
    const std::string path = groups.substr(at, groups.find("/below", at) - at);
    const auto named = ControlGroup::named(path);
    ASSERT_TRUE(named && *named) << path;
    EXPECT_EQ((*named)->directory(), group->directory());
    EXPECT_FALSE(ControlGroup::named(path + "b").value());
  }
  for (const char* path : {"", "a", "/", "/a/../b"}) EXPECT_FALSE(ControlGroup::named(path)) << path;
  EXPECT_TRUE(group->remove().value_or(false));
}

TEST_P(ControlGroupTest, HasWhatIsInItOrBelowAndNoNamesake) {
  const auto group = make("a");
  ASSERT_TRUE(group);
  // Where it is is told by a process that is in it: this one, for a moment.
  ASSERT_TRUE(group->join());
  const std::string groups = read_proc("/proc/self/cgroup", 1u << 16).value().value_or("");
  EXPECT_TRUE(group->has_this_process().value_or(false));
  EXPECT_TRUE(leave_groups(group_name(group->directory())));
  const std::string name(group_name(group->directory()));
  const std::size_t end = groups.find(name) + name.size();
  const auto with = [&](const std::string& more) { return groups.substr(0, end) + more + groups.substr(end); };
  EXPECT_TRUE(group->has(groups));
  EXPECT_TRUE(group->has(with("/below")));
  EXPECT_FALSE(group->has(with("b")));
  EXPECT_FALSE(group->has("1:name=x:/" + name + "\n"));
  EXPECT_FALSE(group->has(""));
  EXPECT_FALSE(group->has_this_process().value_or(true));
  EXPECT_TRUE(group->remove().value_or(false));
}

TEST_P(ControlGroupTest, IsFrozenAndThawed) {
  const auto group = make("a");
  ASSERT_TRUE(group);
  EXPECT_EQ(group->state().value(), ControlGroup::State::kThawed);
  EXPECT_TRUE(group->freeze());
  EXPECT_EQ(group->state().value(), ControlGroup::State::kFrozen) << "it is empty";
  EXPECT_TRUE(group->thaw());
  EXPECT_EQ(group->state().value(), ControlGroup::State::kThawed);
  EXPECT_TRUE(group->remove().value_or(false));
}

TEST(ControlGroup, WhatIsNoGroupIsAnError) {
  for (const std::string& directory : {std::filesystem::temp_directory_path().string(), std::string("/no/such")}) {
    const auto found = ControlGroup::at(directory);
    ASSERT_FALSE(found) << directory;
    EXPECT_EQ(found.error().code, ErrorCode::kUnavailable) << directory;
  }
}

}  // namespace
}  // namespace spl::env
