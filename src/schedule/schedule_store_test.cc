#include "schedule/schedule_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>

#include "base/rfc3339.h"
#include "crypto/bech32.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::schedule {
namespace {

using namespace std::chrono_literals;

class ScheduleStoreTest : public ::testing::Test {
 protected:
  env::Env env() { return {fs_, clock_, random_, log_}; }
  std::unique_ptr<ScheduleStore> open() { return ScheduleStore::open(env(), paths_).value(); }
  static Schedule nightly() {
    Schedule schedule;
    schedule.name = "nightly";
    schedule.at = "03:30";
    schedule.zone = "Europe/Berlin";
    schedule.plaintext = true;
    return schedule;
  }
  std::string new_recipient() {
    std::array<char, 32> point{};
    random_.fill(point);
    return crypto::to_bech32("age", {point.data(), point.size()});
  }

  testing::TempDirectory directory_;
  home::HomePaths paths_{directory_.path()};
  env::PosixFileSystem fs_;
  testing::FakeClock clock_;
  env::SystemRandom random_;
  testing::MemoryLog log_;
};

TEST_F(ScheduleStoreTest, LookingMakesNoFile) {
  EXPECT_EQ(ScheduleStore::open_if_there(env(), paths_).value(), nullptr);
  open();
  EXPECT_NE(ScheduleStore::open_if_there(env(), paths_).value(), nullptr);
  struct stat info{};
  ASSERT_EQ(::stat((paths_.root + "/schedules.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(ScheduleStoreTest, AScheduleIsKeptAcrossOpenings) {
  Schedule schedule = nightly();
  schedule.plaintext = false;
  schedule.recipients = {new_recipient()};
  schedule.keep = {3, 7, 4, 12};
  schedule.to = "/mnt/disk";
  schedule.context = "geo";
  ASSERT_TRUE(open()->set(schedule));
  const StoredSchedule read = open()->find("nightly").value();
  EXPECT_EQ(read.settings, schedule);
  EXPECT_EQ(read.served, clock_.now());
  ASSERT_TRUE(open()->remove("nightly"));
  EXPECT_EQ(open()->find("nightly").error().cause, Cause::kNotFound);
  EXPECT_EQ(open()->remove("nightly").error().cause, Cause::kNotFound);
}

TEST_F(ScheduleStoreTest, ARunIsHandedOutAndTakenBack) {
  const auto store = open();
  ASSERT_TRUE(store->set(nightly()));
  const Moment begun = clock_.now();
  ASSERT_TRUE(store->hand_out("nightly", begun + 24h, "job1"));
  EXPECT_EQ(store->find("nightly").value().job, "job1");
  EXPECT_EQ(store->find("nightly").value().served, begun + 24h);
  ASSERT_TRUE(store->take_back("nightly", "another", ScheduleStore::Then::kDueAgain));
  EXPECT_EQ(store->find("nightly").value().job, "job1");
  ASSERT_TRUE(store->take_back("nightly", "job1", ScheduleStore::Then::kDueAgain));
  EXPECT_EQ(store->find("nightly").value().served, begun);
  EXPECT_EQ(store->find("nightly").value().job, "");
}

TEST_F(ScheduleStoreTest, WhatIsSetAgainBeginsAnewOnlyWhereItIsAnother) {
  const auto store = open();
  ASSERT_TRUE(store->set(nightly()));
  const Moment begun = clock_.now();
  ASSERT_TRUE(
      store->note_failure("nightly", {"2026-01-31T12:00:00Z", "job1", codec::Json::Object{{"code", "FAILED"}}}));
  clock_.advance(48h);
  ASSERT_TRUE(store->set(nightly()));
  EXPECT_EQ(store->find("nightly").value().served, begun);
  Schedule other = nightly();
  other.at = "04:00";
  ASSERT_TRUE(store->set(other));
  EXPECT_EQ(store->find("nightly").value().served, clock_.now());
  ASSERT_TRUE(store->find("nightly").value().failure) << "nobody has read it";
  ASSERT_TRUE(store->note_read("nightly"));
  EXPECT_FALSE(store->find("nightly").value().failure);
}

TEST_F(ScheduleStoreTest, WhatIsNoScheduleIsRefused) {
  const auto store = open();
  const auto refuse = [&](auto change) {
    Schedule bad = nightly();
    change(bad);
    const auto set = store->set(bad);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().code, ErrorCode::kUsage) << set.error().message;
  };
  for (const char* name : {"", "a b", "../x", "-o", ".x", "a/b", "\xff"})
    refuse([&](Schedule& one) { one.name = name; });
  refuse([](Schedule& one) { one.name = std::string(65, 'a'); });
  refuse([](Schedule& one) { one.at = "25:00"; });
  refuse([](Schedule& one) { one.zone = "Mars/Olympus"; });
  refuse([](Schedule& one) { one.to = "relative"; });
  refuse([](Schedule& one) { one.keep.daily = 100'001; });
  refuse([](Schedule& one) {
    one.plaintext = false;
    one.recipients = {"age1nonsense"};
  });
  refuse([&](Schedule& one) { one.recipients = {new_recipient()}; });
  EXPECT_TRUE(store->all().value().empty());
  Schedule good = nightly();
  for (std::size_t i = 0; i < kSchedulesMax; ++i) {
    good.name = "s" + std::to_string(i);
    ASSERT_TRUE(store->set(good));
  }
  EXPECT_EQ(store->set(nightly()).error().code, ErrorCode::kRefused);
  ASSERT_TRUE(store->set(good)) << "it is there";
}

TEST_F(ScheduleStoreTest, ARecipientIsConfirmedAndKeptWhileAScheduleWantsIt) {
  const auto store = open();
  const std::string recipient = new_recipient();
  EXPECT_FALSE(store->add_recipient("age1nonsense", ""));
  EXPECT_FALSE(store->add_recipient(recipient, std::string(201, 'x')));
  EXPECT_FALSE(store->add_recipient(recipient, "two\nlines"));
  ASSERT_TRUE(store->add_recipient(recipient, "the safe's"));
  EXPECT_FALSE(store->recipients().value().front().confirmed_at);
  ASSERT_TRUE(store->confirm_recipient(recipient));
  EXPECT_TRUE(store->recipients().value().front().confirmed_at);
  EXPECT_EQ(store->confirm_recipient(new_recipient()).error().cause, Cause::kNotFound);
  ASSERT_TRUE(store->add_recipient(recipient, "another label"));
  EXPECT_TRUE(store->recipients().value().front().confirmed_at) << "that stays";
  Schedule schedule = nightly();
  schedule.plaintext = false;
  schedule.recipients = {recipient};
  ASSERT_TRUE(store->set(schedule));
  EXPECT_EQ(store->remove_recipient(recipient).error().code, ErrorCode::kRefused);
  ASSERT_TRUE(store->remove("nightly"));
  ASSERT_TRUE(store->remove_recipient(recipient));
  EXPECT_EQ(store->remove_recipient(recipient).error().cause, Cause::kNotFound);
}

}  // namespace
}  // namespace spl::schedule
