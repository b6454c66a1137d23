#include "operation/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>

#include "base/rfc3339.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "job/activity.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::operation {
namespace {

using namespace std::chrono_literals;
using codec::Json;
using schedule::ScheduleStore;
using ::testing::HasSubstr;

// Runs are jobs that do nothing but be counted.
class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() { set_time("2026-01-31T12:00:00Z"); }
  env::Env env() { return {fs_, clock_, random_, log_}; }
  void set_time(const std::string& time) { clock_.set(base::parse_rfc3339(time).value()); }
  void set_nightly(const std::string& at = "03:30", const std::string& zone = "UTC") {
    schedule::Schedule schedule;
    schedule.name = "nightly";
    schedule.at = at;
    schedule.zone = zone;
    schedule.plaintext = true;
    ASSERT_TRUE(store()->set(schedule));
  }
  std::unique_ptr<ScheduleStore> store() { return ScheduleStore::open(env(), paths_).value(); }
  schedule::StoredSchedule nightly() { return store()->find("nightly").value(); }

  void open_queue() {
    queue_ = job::JobQueue::open(
                 env(), paths_,
                 [this](const std::string&, const job::JobRequest& request, base::Progress& progress) {
                   ++begun_;
                   return work_(request, progress);
                 },
                 "nothing was changed")
                 .value();
    scheduler_ = std::make_unique<Scheduler>(env(), paths_, *queue_);
  }
  void close_queue() {
    scheduler_.reset();
    queue_.reset();
  }
  // A look, and all that it began to its end. How many runs there were.
  int look() {
    const int before = begun_;
    scheduler_->turn();
    end_all();
    return begun_ - before;
  }
  void end_all() {
    const std::vector<job::Job> all = queue_->store().all().value();
    for (const job::Job& one : all) end_of(one.id);
  }
  void end_of(const std::string& id) {
    for (std::uint64_t after = 0;;) {
      const auto events = queue_->events(id, after, 10s).value();
      if (!events.empty() && events.back().is_last) return;
      if (!events.empty()) after = events.back().seq;
    }
  }

  testing::TempDirectory directory_;
  home::HomePaths paths_{directory_.path()};
  env::PosixFileSystem fs_;
  testing::FakeClock clock_;
  env::SystemRandom random_;
  testing::MemoryLog log_;
  std::atomic<int> begun_ = 0;
  std::function<Result<Json>(const job::JobRequest&, base::Progress&)> work_ =
      [](const job::JobRequest&, base::Progress&) -> Result<Json> { return Json(); };
  std::unique_ptr<job::JobQueue> queue_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(SchedulerTest, ItRunsWhenItIsTimeAndOnce) {
  open_queue();
  EXPECT_EQ(scheduler_->turn(), kScheduleLook) << "there is none";
  set_nightly();
  EXPECT_EQ(look(), 0);
  set_time("2026-02-01T03:29:55Z");
  EXPECT_EQ(scheduler_->turn(), 5s);
  EXPECT_EQ(begun_, 0);
  set_time("2026-02-01T03:30:00Z");
  EXPECT_EQ(look(), 1);
  EXPECT_EQ(look(), 0);
  const job::Job job = queue_->store().all().value().front();
  EXPECT_EQ(job.subject, "nightly");
  EXPECT_THAT(job.request.text(), HasSubstr("\"schedule\":\"nightly\""));
  EXPECT_EQ(job::activity_page(env(), paths_, "").value().entries.front().who, "schedule");
  set_time("2026-02-02T03:30:01Z");
  EXPECT_EQ(look(), 1);
}

TEST_F(SchedulerTest, WhatWasMissedRunsOnce) {
  set_nightly();
  set_time("2026-02-20T12:00:00Z");
  open_queue();
  EXPECT_EQ(look(), 1);
  EXPECT_EQ(look(), 0);
  set_time("2026-02-21T03:30:00Z");
  EXPECT_EQ(look(), 1);
}

TEST_F(SchedulerTest, AClockThatIsSetHasNothingRunTwiceAndNothingLost) {
  set_nightly();
  open_queue();
  set_time("2026-02-01T03:30:10Z");
  EXPECT_EQ(look(), 1);
  set_time("2026-02-01T02:45:00Z");
  EXPECT_EQ(look(), 0);
  set_time("2026-02-01T03:30:20Z");
  EXPECT_EQ(look(), 0) << "it has run";
  set_time("2031-02-01T00:00:00Z");
  EXPECT_EQ(look(), 1) << "so it seems";
  set_time("2026-02-01T12:00:00Z");
  EXPECT_EQ(look(), 0);
  set_time("2026-02-02T03:30:00Z");
  EXPECT_EQ(look(), 1);
}

TEST_F(SchedulerTest, OneThatRunsIsNotBegunAgain) {
  std::promise<void> begun;
  std::promise<void> go;
  auto gone = go.get_future().share();
  work_ = [&, gone](const job::JobRequest&, base::Progress&) -> Result<Json> {
    if (begun_ == 1) begun.set_value();
    gone.wait();
    return Json();
  };
  set_nightly();
  open_queue();
  set_time("2026-02-01T03:30:00Z");
  scheduler_->turn();
  begun.get_future().wait();
  set_time("2026-02-02T03:30:00Z");
  scheduler_->turn();
  EXPECT_EQ(queue_->store().all().value().size(), 1U);
  go.set_value();
  end_of(nightly().job);
  EXPECT_EQ(look(), 1) << "that of the day after";
}

TEST_F(SchedulerTest, AnOrderlyEndPutsItBack) {
  std::promise<void> begun;
  work_ = [&](const job::JobRequest&, base::Progress& progress) -> Result<Json> {
    begun.set_value();
    while (!progress.cancelled()) {
      clock_.advance(1s);
      std::this_thread::yield();
    }
    return base::fail_cancelled("the backup is not kept");
  };
  set_nightly();
  open_queue();
  set_time("2026-02-01T03:30:00Z");
  scheduler_->turn();
  begun.get_future().wait();
  close_queue();
  work_ = [](const job::JobRequest&, base::Progress&) -> Result<Json> { return Json(); };
  set_time("2026-02-01T03:40:00Z");
  open_queue();
  EXPECT_EQ(look(), 1);
  EXPECT_FALSE(nightly().failure);
  EXPECT_EQ(look(), 0);
}

TEST_F(SchedulerTest, WhatACrashBrokeOffIsAFailureAndWhatItKeptFromBeginningRuns) {
  set_nightly();
  set_time("2026-02-01T03:30:00Z");
  // A daemon that ended without a word: its job runs still, as far as the list knows.
  const auto jobs = job::JobStore::open(env(), paths_).value();
  const std::string broken = jobs->add(job_of_schedule("nightly", "schedule")).value();
  ASSERT_TRUE(jobs->start(broken).value());
  ASSERT_TRUE(store()->hand_out("nightly", clock_.now(), broken));
  open_queue();
  EXPECT_EQ(look(), 0);
  ASSERT_TRUE(nightly().failure);
  EXPECT_EQ(nightly().failure->job, broken);
  EXPECT_THAT(nightly().failure->error.text(), HasSubstr("INTERRUPTED"));
  close_queue();

  set_time("2026-02-02T03:30:00Z");
  const std::string waits = jobs->add(job_of_schedule("nightly", "schedule")).value();
  ASSERT_TRUE(store()->hand_out("nightly", clock_.now(), waits));
  open_queue();
  EXPECT_EQ(look(), 1);
}

TEST_F(SchedulerTest, AFullQueueIsAFailureThatStaysAndTheRunComesLater) {
  std::promise<void> begun;
  std::promise<void> go;
  auto gone = go.get_future().share();
  work_ = [&, gone](const job::JobRequest&, base::Progress&) -> Result<Json> {
    if (begun_ == 1) begun.set_value();
    gone.wait();
    return Json();
  };
  set_nightly();
  open_queue();
  ASSERT_TRUE(queue_->add(job_of_schedule("another", "owner")));
  begun.get_future().wait();
  while (queue_->add(job_of_schedule("another", "owner"))) {
  }
  set_time("2026-02-01T03:30:00Z");
  scheduler_->turn();
  ASSERT_TRUE(nightly().failure);
  EXPECT_EQ(nightly().failure->job, "");
  EXPECT_THAT(nightly().failure->error.text(), HasSubstr("BUSY"));
  const std::string first = nightly().failure->at;
  clock_.advance(15s);
  scheduler_->turn();
  EXPECT_EQ(nightly().failure->at, first) << "once is enough";
  go.set_value();
  end_all();
  EXPECT_EQ(look(), 1);
  EXPECT_TRUE(nightly().failure) << "nobody has read it";
}

}  // namespace
}  // namespace spl::operation
