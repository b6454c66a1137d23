#include "tenant/register.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "env/posix_file_system.h"
#include "tenant/mark.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::tenant {
namespace {

TEST(TenantNameTest, IsALabelOfAHostAndPartOfAUsersName) {
  for (const char* name : {"a", "acme", "a-b", "a1", "abcdefghijklmnopqrstuvwxyzab"}) EXPECT_TRUE(is_tenant_name(name));
  for (const char* name :
       {"", "A", "1a", "-a", "a-", "a_b", "a.b", "a/b", "../a", "a b", "abcdefghijklmnopqrstuvwxyzabc"})
    EXPECT_FALSE(is_tenant_name(name)) << name;
}

class RegisterTest : public ::testing::Test {
 protected:
  env::Env env() { return {fs_, clock_, random_, log_}; }

  testing::TempDirectory directory_;
  home::HomePaths paths_{directory_.path()};
  env::PosixFileSystem fs_;
  testing::FakeClock clock_;
  testing::SeededRandom random_;
  testing::MemoryLog log_;
};

TEST_F(RegisterTest, ANoteIsKeptAsItWasWritten) {
  Register notes(env(), paths_);
  EXPECT_TRUE(notes.all().value().empty()) << "without a directory, and none is made by looking";
  EXPECT_FALSE(std::filesystem::exists(notes.directory()));
  const auto lock = notes.try_lock().value();
  ASSERT_NE(lock, nullptr);
  TenantNote note;
  note.name = "acme";
  note.host = "acme.box.test";
  note.user = "spl-acme";
  note.standing = Standing::kMade;
  note.wanted = true;
  note.services = {"notes"};
  note.limits = {std::uint64_t{1} << 30, 1.5, std::nullopt};
  ASSERT_TRUE(notes.write(note));
  const auto found = notes.find("acme").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->host, "acme.box.test");
  EXPECT_EQ(found->standing, Standing::kMade);
  EXPECT_EQ(found->services, note.services);
  EXPECT_EQ(found->limits.cpus, 1.5);
  EXPECT_EQ(found->limits.tasks, std::nullopt);
  EXPECT_EQ(notes.home_of(*found), "/var/lib/spl/tenants/acme");
  note.user = "";
  EXPECT_EQ(notes.home_of(note), directory_.path() + "/tenants/acme") << "without a user of its own";
  ASSERT_TRUE(notes.forget("acme"));
  EXPECT_FALSE(notes.find("acme").value());
}

TEST_F(RegisterTest, OneAtATimeHasTheLock) {
  Register notes(env(), paths_);
  auto lock = notes.try_lock().value();
  EXPECT_EQ(notes.try_lock().value(), nullptr);
  lock.reset();
  EXPECT_NE(notes.try_lock().value(), nullptr);
}

TEST_F(RegisterTest, WhatIsNoNoteIsPassedOverAndADamagedOneIsAnError) {
  std::filesystem::create_directories(directory_.path() + "/tenants/acme");
  std::ofstream(directory_.path() + "/tenants/.lock") << "";
  std::ofstream(directory_.path() + "/tenants/No Name.json") << "{}";
  Register notes(env(), paths_);
  EXPECT_TRUE(notes.all().value().empty());
  EXPECT_FALSE(notes.find("../tenants/x").value());
  std::ofstream(directory_.path() + "/tenants/acme.json") << "{";
  EXPECT_FALSE(notes.all());
}

TEST_F(RegisterTest, AHomeSaysOfWhichTenantItIs) {
  EXPECT_FALSE(read_mark(env(), paths_).value());
  ASSERT_TRUE(write_mark(env(), paths_, {"acme", "acme.box.test", 8443, true}));
  const auto mark = read_mark(env(), paths_).value();
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->name, "acme");
  EXPECT_EQ(router_of(*mark).names, std::vector<std::string>{"acme.box.test"});
  EXPECT_EQ(router_of(*mark).https, 8443);
  ASSERT_TRUE(write_mark(env(), paths_, {"acme", "a\nb", 443, true}));
  EXPECT_FALSE(read_mark(env(), paths_));
}

}  // namespace
}  // namespace spl::tenant
