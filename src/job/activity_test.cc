#include "job/activity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "job/job_store.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::job {
namespace {

using namespace std::chrono_literals;
using codec::Json;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ActivityTest : public ::testing::Test {
 protected:
  env::Env env() { return {fs_, clock_, random_, log_}; }
  ActivityPage page(const std::string& cursor = "") { return activity_page(env(), paths_, cursor).value(); }
  void note(const std::string& subject) { note_activity(env(), paths_, {{}, "console", "token.create", subject}); }
  void attempt(const std::string& from) {
    note_failed_attempt(env(), paths_, {{}, "stranger", "door.sign-in", "", Outcome::kRefused, from});
  }
  std::unique_ptr<JobStore> jobs() { return JobStore::open(env(), paths_).value(); }

  testing::TempDirectory directory_;
  home::HomePaths paths_{directory_.path()};
  env::PosixFileSystem fs_;
  testing::FakeClock clock_;
  env::SystemRandom random_;
  testing::MemoryLog log_;
};

TEST_F(ActivityTest, TheNewestComesFirstAndPageAfterPage) {
  EXPECT_THAT(page().entries, IsEmpty());
  struct stat info{};
  EXPECT_NE(::stat(jobs_file(paths_).c_str(), &info), 0) << "looking makes none";
  for (int i = 0; i < 120; ++i) note(std::to_string(i));
  ASSERT_EQ(::stat(jobs_file(paths_).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  int next = 119;
  ActivityPage at = page();
  for (;;) {
    for (const Activity& one : at.entries) EXPECT_EQ(one.subject, std::to_string(next--));
    if (!at.has_more) break;
    // What comes meanwhile moves no page.
    note("later");
    at = page(at.cursor);
  }
  EXPECT_EQ(next, -1);
  for (const char* none : {"x", "-1", "1x", "99999999999999999999"})
    EXPECT_EQ(activity_page(env(), paths_, none).error().code, ErrorCode::kUsage) << none;
}

TEST_F(ActivityTest, OnlyTheNewestAreKept) {
  auto database = open_jobs_database(env(), paths_).value();
  ASSERT_TRUE(database.execute("BEGIN"));
  ASSERT_TRUE(database.execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500) INSERT INTO "
      "activity (at, who, action, subject, outcome, message) SELECT '2026-01-31T12:00:00Z', 'console', "
      "'x', i, 'done', '' FROM n"));
  ASSERT_TRUE(database.execute("COMMIT"));
  EXPECT_EQ(database.query_integer("SELECT count(*) FROM activity").value(), 10'000);
  EXPECT_EQ(database.query_integer("SELECT min(number) FROM activity").value(), 501);
}

TEST_F(ActivityTest, FailedAttemptsOfAnHourAreOneEntry) {
  note("before");
  for (const char* from : {"from 192.0.2.1", "from 192.0.2.2", "from 192.0.2.3"}) {
    clock_.advance(20min);
    attempt(from);
  }
  note("after");
  attempt("from 192.0.2.4");
  ActivityPage all = page();
  ASSERT_THAT(all.entries, SizeIs(3));
  EXPECT_EQ(all.entries[0].message, "4 times; the last: from 192.0.2.4");
  EXPECT_EQ(all.entries[0].who, "stranger");
  EXPECT_EQ(all.entries[1].subject, "after");
  clock_.advance(61min);
  attempt("from 192.0.2.5");
  all = page();
  ASSERT_THAT(all.entries, SizeIs(4));
  EXPECT_EQ(all.entries[0].message, "from 192.0.2.5");
}

TEST_F(ActivityTest, AJobIsEnteredHoweverItEnds) {
  const auto store = jobs();
  JobRequest asked;
  asked.kind = JobKind::kBackup;
  asked.subject = "nightly";
  asked.who = "schedule";
  asked.said = Json::Object{};
  asked.passphrase = SecretBytes("a passphrase that is nowhere");
  const auto run = [&](JobState state, const Json& error) {
    const std::string id = store->add(asked).value();
    ASSERT_TRUE(store->start(id).value());
    ASSERT_TRUE(store->finish(id, state, Json(), error));
  };
  run(JobState::kDone, Json());
  run(JobState::kFailed, error_of_job({ErrorCode::kFailed, "no room", ""}));
  run(JobState::kFailed, error_of_job({ErrorCode::kRefused, "no recipient", ""}));
  ASSERT_TRUE(store->cancel(store->add(asked).value()));
  store->add(asked).value();
  EXPECT_THAT(page().entries, SizeIs(4)) << "one has not ended";
  ASSERT_TRUE(store->interrupt_all("nothing was changed"));
  const ActivityPage all = page();
  ASSERT_THAT(all.entries, SizeIs(5));
  for (const Activity& one : all.entries) {
    EXPECT_EQ(one.who, "schedule");
    EXPECT_EQ(one.action, "backup");
    EXPECT_EQ(one.subject, "nightly");
  }
  EXPECT_EQ(all.entries[4].outcome, Outcome::kDone);
  EXPECT_EQ(all.entries[3].outcome, Outcome::kFailed);
  EXPECT_EQ(all.entries[3].message, "no room");
  EXPECT_EQ(all.entries[2].outcome, Outcome::kRefused);
  EXPECT_EQ(all.entries[1].message, "cancelled before it began");
  EXPECT_EQ(all.entries[0].outcome, Outcome::kFailed);
}

TEST_F(ActivityTest, JobsOfAnOlderSplAreTakenOver) {
  {
    ASSERT_TRUE(fs_.open(jobs_file(paths_), env::OpenMode::kCreate, 0600));
    auto old = db::Connection::open(jobs_file(paths_), db::OpenAs::kReadWrite).value();
    ASSERT_TRUE(old.execute(
        "CREATE TABLE jobs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, state TEXT NOT "
        "NULL, subject TEXT NOT NULL, request TEXT NOT NULL, created_at TEXT NOT NULL, started_at TEXT, ended_at TEXT, "
        "result TEXT NOT NULL DEFAULT 'null', error TEXT NOT NULL DEFAULT 'null', cancelled INTEGER NOT NULL DEFAULT "
        "0) "
        "STRICT; INSERT INTO jobs (id, kind, state, subject, request, created_at) VALUES ('0123456789abcdef', "
        "'backup', "
        "'waiting', '', '{}', '2026-01-01T00:00:00Z'); PRAGMA user_version = 1"));
  }
  ASSERT_TRUE(jobs()->interrupt_all("nothing was changed"));
  EXPECT_EQ(jobs()->find("01234567").value().state, JobState::kInterrupted);
  EXPECT_THAT(page().entries, SizeIs(1));
}

TEST_F(ActivityTest, ForeignTextIsEscaped) {
  note("two\nlines\x1b[31m");
  EXPECT_EQ(page().entries.front().subject.find_first_of("\n\x1b"), std::string::npos);
}

}  // namespace
}  // namespace spl::job
