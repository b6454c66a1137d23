#include "job/job_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::job {
namespace {

using namespace std::chrono_literals;
using codec::Json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class JobQueueTest : public ::testing::Test {
 protected:
  env::Env env() { return {fs_, clock_, random_, log_}; }
  std::unique_ptr<JobQueue> open(JobQueue::Work work) {
    return JobQueue::open(env(), paths_, std::move(work), "nothing was changed").value();
  }
  static JobRequest request(const std::string& subject) {
    JobRequest asked;
    asked.kind = JobKind::kStart;
    asked.subject = subject;
    asked.said = Json::Object{{"kind", "start"}, {"services", Json::Array{subject}}};
    return asked;
  }
  // All events of a job, to its end.
  static std::vector<Json> heard(JobQueue& queue, const std::string& id, std::uint64_t after = 0) {
    std::vector<Json> all;
    for (;;) {
      const auto events = queue.events(id, after, 10s).value();
      for (const JobEvent& event : events) {
        all.push_back(Json::parse(event.json).value());
        after = event.seq;
      }
      if (!events.empty() && events.back().is_last) return all;
    }
  }
  static std::string text_in(const Json& json, std::string_view name) {
    const Json* text = json.find(name);
    return text == nullptr || text->string() == nullptr ? "" : *text->string();
  }

  testing::TempDirectory directory_;
  home::HomePaths paths_{directory_.path()};
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  testing::MemoryLog log_;
};

TEST_F(JobQueueTest, JobsAreDoneOneAfterTheOtherAndTellHowFarTheyAre) {
  std::atomic<int> at_once = 0;
  const auto queue = open([&](const std::string&, const JobRequest& asked, base::Progress& progress) -> Result<Json> {
    EXPECT_EQ(at_once.fetch_add(1), 0);
    progress.enter(asked.subject, "files");
    progress.step("looking");
    progress.update("copying", 1, 4, "files");
    at_once.fetch_sub(1);
    return Json(Json::Object{{"did", asked.subject}});
  });
  const std::string first = queue->add(request("a")).value().id;
  const std::string second = queue->add(request("b")).value().id;
  const std::vector<Json> events = heard(*queue, first);
  ASSERT_THAT(events, SizeIs(3));
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].find("seq")->whole_number().value(), i + 1);
  EXPECT_EQ(text_in(events[0], "message"), "looking");
  EXPECT_EQ(text_in(events[1], "phase"), "copying");
  EXPECT_EQ(text_in(events[1], "service"), "a");
  EXPECT_EQ(events[1].find("total")->whole_number().value(), 4U);
  EXPECT_EQ(text_in(events[2], "state"), "done");
  EXPECT_EQ(text_in(*events[2].find("result"), "did"), "a");
  EXPECT_EQ(text_in(heard(*queue, second).back(), "state"), "done");
  EXPECT_THAT(heard(*queue, first, 2), SizeIs(1)) << "who was there before hears what is new";
}

TEST_F(JobQueueTest, WhatFailsSaysWhy) {
  const auto queue = open([&](const std::string&, const JobRequest&, base::Progress&) -> Result<Json> {
    return fail(ErrorCode::kFailed, Cause::kNoSpace, "the disk is full", "make room");
  });
  const std::string id = queue->add(request("a")).value().id;
  const Json end = heard(*queue, id).back();
  EXPECT_EQ(text_in(end, "state"), "failed");
  EXPECT_EQ(text_in(*end.find("error"), "code"), "NO_SPACE");
  EXPECT_EQ(queue->store().find(id.substr(0, 8)).value().state, JobState::kFailed);
}

TEST_F(JobQueueTest, AWishToCancelEndsWhatRunsAndWhatWaits) {
  std::promise<void> begun;
  const auto queue = open([&](const std::string&, const JobRequest&, base::Progress& progress) -> Result<Json> {
    begun.set_value();
    while (!progress.cancelled()) std::this_thread::yield();
    return base::fail_cancelled("nothing was changed");
  });
  const std::string runs = queue->add(request("a")).value().id;
  const std::string waits = queue->add(request("b")).value().id;
  begun.get_future().wait();
  EXPECT_EQ(queue->store().cancel(waits).value().state, JobState::kCancelled);
  EXPECT_EQ(text_in(heard(*queue, waits).back(), "state"), "cancelled");
  // As another process does it.
  ASSERT_TRUE(JobStore::open(env(), paths_).value()->cancel(runs));
  EXPECT_EQ(text_in(heard(*queue, runs).back(), "state"), "cancelled");
  EXPECT_EQ(queue->store().cancel(runs).value().state, JobState::kCancelled) << "again, and nothing happens";
}

TEST_F(JobQueueTest, ARestartInterruptsAndSaysWhatBecameOfIt) {
  std::string runs;
  std::string waits;
  {
    std::promise<void> begun;
    const auto queue = open([&](const std::string&, const JobRequest&, base::Progress& progress) -> Result<Json> {
      begun.set_value();
      while (!progress.cancelled()) std::this_thread::yield();
      return base::fail_cancelled("nothing was changed");
    });
    runs = queue->add(request("a")).value().id;
    waits = queue->add(request("b")).value().id;
    begun.get_future().wait();
  }
  const auto queue =
      open([](const std::string&, const JobRequest&, base::Progress&) -> Result<Json> { return Json(); });
  EXPECT_EQ(queue->store().find(runs).value().state, JobState::kInterrupted);
  const Json end = heard(*queue, waits).back();
  EXPECT_EQ(text_in(end, "state"), "interrupted");
  EXPECT_THAT(text_in(*end.find("error"), "message"), HasSubstr("nothing was changed"));
}

TEST_F(JobQueueTest, SixteenWaitAndNoMore) {
  std::promise<void> begun;
  std::promise<void> go;
  auto gone = go.get_future().share();
  std::atomic<bool> is_first = true;
  const auto queue = open([&, gone](const std::string&, const JobRequest&, base::Progress&) -> Result<Json> {
    if (is_first.exchange(false)) begun.set_value();
    gone.wait();
    return Json();
  });
  ASSERT_TRUE(queue->add(request("runs")));
  begun.get_future().wait();
  for (std::size_t i = 0; i < kWaitingMax; ++i) ASSERT_TRUE(queue->add(request("waits"))) << i;
  const auto refused = queue->add(request("one more"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cause, Cause::kBusy);
  go.set_value();
}

TEST_F(JobQueueTest, SecretsAreKeptInMemoryAlone) {
  const auto queue = open([](const std::string&, const JobRequest& asked, base::Progress&) -> Result<Json> {
    return Json(asked.passphrase->size());
  });
  JobRequest asked = request("a");
  asked.passphrase = SecretBytes("a passphrase that is nowhere");
  heard(*queue, queue->add(std::move(asked)).value().id);
  for (const char* file : {"/jobs.db", "/jobs.db-journal"}) {
    const auto text = env::read_file(fs_, directory_.path() + file, 1u << 20);
    EXPECT_EQ(text.value_or("").find("nowhere"), std::string::npos) << file;
  }
}

}  // namespace
}  // namespace spl::job
