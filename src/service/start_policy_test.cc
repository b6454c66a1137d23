// The file that keeps daemons from being started: whom it forbids what, what is left of it, and whose it is.
#include "service/start_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "env/child_process.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "testing/temp_directory.h"

namespace spl::service {
namespace {

class StartPolicyTest : public ::testing::Test {
 protected:
  [[nodiscard]] env::Env env() { return {fs_, clock_, random_, log_}; }
  [[nodiscard]] std::string file() const { return directory_.path() + "/policy-rc.d"; }
  void write(const std::string& text) {
    std::ofstream(file()) << text;
    ASSERT_EQ(::chmod(file().c_str(), 0755), 0);
  }
  // The exit code of what stands there.
  int ask(std::vector<std::string> environment = {}) {
    environment.emplace_back("PATH=/usr/bin:/bin");
    const auto ran =
        env::run_command({.arguments = {file(), "redis-server", "start"}, .environment = environment}, "", {});
    EXPECT_TRUE(ran) << ran.error().message;
    return ran ? ran->exit.code : -1;
  }

 private:
  const testing::TempDirectory directory_;
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
};

TEST_F(StartPolicyTest, ItForbidsNothingButToWhoHasItsVariable) {
  {
    const auto policy = StartPolicy::put(env(), {"redis-server"}, file());
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(ask({(*policy)->environment_entry()}), 101);
    EXPECT_EQ(ask(), 0);
    EXPECT_EQ(ask({(*policy)->environment_entry() + "0"}), 0);
  }
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(StartPolicyTest, WhatAKilledRunHasLeftForbidsNothingAndIsTakenOver) {
  const auto killed = StartPolicy::put(env(), {"redis-server"}, file());
  ASSERT_TRUE(killed);
  EXPECT_EQ(ask(), 0);
  {
    const auto next = StartPolicy::put(env(), {"postgresql"}, file());
    ASSERT_TRUE(next);
    EXPECT_EQ(ask({(*next)->environment_entry()}), 101);
    EXPECT_EQ(ask({(*killed)->environment_entry()}), 101) << "what the killed one began goes on";
  }
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(StartPolicyTest, OneOfOursThatWasChangedIsReplaced) {
  write("#!/bin/sh\n# spl has put this here, and more\nexit 101\n");
  {
    const auto policy = StartPolicy::put(env(), {"redis-server"}, file());
    ASSERT_TRUE(policy);
    EXPECT_EQ(ask({(*policy)->environment_entry()}), 101);
    EXPECT_EQ(ask(), 0);
  }
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(StartPolicyTest, TheMachinesOwnStaysAndDecides) {
  write("#!/bin/sh\nexit 101\n");
  {
    const auto policy = StartPolicy::put(env(), {"redis-server"}, file());
    EXPECT_TRUE(policy);
    EXPECT_EQ(ask(), 101);
  }
  EXPECT_EQ(ask(), 101);
  write("#!/bin/sh\n[ \"$1\" = redis-server ] && exit 0\nexit 101\n");
  const auto refused = StartPolicy::put(env(), {"redis-server"}, file());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  EXPECT_TRUE(StartPolicy::put(env(), {"postgresql"}, file()));
}

TEST_F(StartPolicyTest, WhatSomebodyElsePutThereMeanwhileStays) {
  {
    const auto policy = StartPolicy::put(env(), {"redis-server"}, file());
    ASSERT_TRUE(policy);
    write("#!/bin/sh\nexit 101\n");
  }
  EXPECT_EQ(ask(), 101);
}

}  // namespace
}  // namespace spl::service
