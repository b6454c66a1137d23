// The hooks of a pause, and its watchdog, with real processes: in which order, once, and nothing outlives anything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "env/process_table.h"
#include "env/program_start.h"
#include "service/pause.h"
#include "testing/pause_fixture.h"

namespace spl::service {
namespace {

using env::Activity;
using std::chrono::steady_clock;
using testing::children_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PauseTest;
using testing::wait_until;
using namespace std::chrono_literals;

TEST_F(PauseTest, HooksRunOnceBeforeAndAfterInTheServicesDirectoryAsItsUser) {
  if (::geteuid() == 0) run_more_ = "user = \"nobody\"\n";
  for (const char* name : {"a", "b"}) ASSERT_EQ(::chmod((paths_.data() + "/" + name).c_str(), 0777), 0);
  declare_hooks("echo after $(id -un) >> order; cat; echo said", "timeout_ms = 20000\n");
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  EXPECT_EQ(content(file("order")), "before\n");
  const auto ended = (*pause)->end();
  EXPECT_TRUE(ended) << ended.error().message;
  const std::string user = ::geteuid() == 0 ? "nobody" : env::find_user(::geteuid()).value()->name;
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(content(paths_.data() + "/" + name + "/order"), "before\nafter " + user + "\n");
    EXPECT_EQ(content(paths_.root + "/logs/services/" + name + ".log"), "said\n");
  }
}

TEST_F(PauseTest, AHookIsEndedOnceAlsoWhereTheDeadlineHasPassed) {
  declare_hooks("echo after >> order", "timeout_ms = 300\n");
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  EXPECT_TRUE(wait_until([&] { return content(file("order")) == "before\nafter\n"; }));
  const auto ended = (*pause)->end();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().cause, Cause::kTimeout);
  EXPECT_EQ(content(file("order")), "before\nafter\n");
}

TEST_F(PauseTest, AHookIsEndedOnceAlsoWhereTheWatchdogIsKilled) {
  declare_hooks("echo after >> order", "timeout_ms = 20000\n");
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  const std::vector<int> watchdogs = children_of(::getpid());
  ASSERT_EQ(watchdogs.size(), 1u);
  ASSERT_EQ(::kill(watchdogs.front(), SIGKILL), 0);
  const auto ended = (*pause)->end();
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().message, HasSubstr("watchdog"));
  for (const char* name : {"a", "b"}) EXPECT_EQ(content(paths_.data() + "/" + name + "/order"), "before\nafter\n");
}

TEST_F(PauseTest, AHookThatTheWatchdogHasBegunIsNotBegunAgain) {
  declare_hooks("echo $$ >> begun; exec sleep 1000", "timeout_ms = 300\n");
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  const std::vector<int> watchdogs = children_of(::getpid());
  ASSERT_EQ(watchdogs.size(), 1u);
  ASSERT_TRUE(wait_until([&] { return content(file("begun")).ends_with('\n'); }));
  ASSERT_EQ(::kill(watchdogs.front(), SIGKILL), 0);
  const auto ended = (*pause)->end();
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().message, HasSubstr("nobody knows"));
  // The other service's was begun by the watchdog or, where that came too late to it, by this process.
  for (const char* name : {"a", "b"}) {
    const std::string begun = paths_.data() + "/" + name + "/begun";
    EXPECT_TRUE(wait_until([&] { return content(begun).ends_with('\n'); }));
    EXPECT_EQ(std::ranges::count(content(begun), '\n'), 1);
  }
}

TEST_F(PauseTest, AHookThatHangsIsEndedAtItsLimitWithAllThatItStarted) {
  declare("a",
          "method = \"hook\"\nbefore = [\"/bin/true\"]\n"
          "after = [\"/bin/sh\", \"-c\", \"sleep 1000 & echo $! > below; " +
              tell_own_number("hook") +
              "wait\"]\n"
              "timeout_ms = 300\n");
  const int frozen = start_sleeping("b");
  declare("b", "timeout_ms = 20000\n");
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  const auto began = steady_clock::now();
  const auto ended = (*pause)->end();
  EXPECT_LT(steady_clock::now() - began, 15s);
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().message, HasSubstr("took longer than its limit"));
  EXPECT_TRUE(goes_on(frozen));
  for (const char* name : {"hook", "below"}) {
    const int pid = std::stoi("0" + content(file(name)));
    ASSERT_NE(pid, 0);
    EXPECT_TRUE(wait_until([&] { return activity(pid) == Activity::kGone; })) << name;
  }
}

// A pause whose `before` hangs, in another process of this program; its `after` writes down whether that has ended.
class HangingHookTest : public PauseTest {
 protected:
  void SetUp() override {
    // One that has ended may be seen until its parent has waited for it.
    const std::string after =
        "grep -s '^State:.[RSDTt]' /proc/$(cat before)/status && echo both >> order || echo after >> order";
    declare("a", "method = \"hook\"\nbefore = [\"/bin/sh\", \"-c\", \"" + tell_own_number("before") +
                     "sleep 1000\"]\nafter = [\"/bin/sh\", \"-c\", \"" + after + "\"]\ntimeout_ms = 20000\n");
    pausing_ = ::fork();
    if (pausing_ == 0) {
      (void)begin();
      ::_exit(0);
    }
    before_ = number_in("before");
  }
  void expect_after_the_end() {
    EXPECT_TRUE(wait_until([&] { return content(file("order")).ends_with('\n'); }));
    EXPECT_EQ(content(file("order")), "after\n");
    EXPECT_TRUE(wait_until([&] { return activity(before_) == Activity::kGone; }));
  }

  int pausing_ = 0;
  int before_ = 0;
};

TEST_F(HangingHookTest, WhereThePausingProcessIsKilledNoBeforeOutlivesItsAfter) {
  kill_and_wait(pausing_);
  expect_after_the_end();
}

TEST_F(HangingHookTest, WhereTheWatchdogIsKilledNoBeforeOutlivesItsAfter) {
  const std::vector<int> watchdogs = children_of(pausing_);
  EXPECT_EQ(watchdogs.size(), 1u);
  if (!watchdogs.empty()) ::kill(watchdogs.front(), SIGKILL);
  ::waitpid(pausing_, nullptr, 0);
  expect_after_the_end();
}

// The other services go on at once, and the hook is ended as soon as the watchdog is known to hang.
TEST_F(PauseTest, AWatchdogThatHangsKeepsNothingFrozen) {
  declare("a",
          "method = \"hook\"\nbefore = [\"/bin/true\"]\nafter = [\"/bin/sh\", \"-c\", \"echo after >> order\"]\n"
          "timeout_ms = 30000\n");
  declare("b", "timeout_ms = 30000\n");
  const int frozen = start_sleeping("b");
  auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  const std::vector<int> watchdogs = children_of(::getpid());
  ASSERT_EQ(watchdogs.size(), 1u);
  ASSERT_EQ(::kill(watchdogs.front(), SIGSTOP), 0);
  const auto began = steady_clock::now();
  Result<void> ended;
  std::thread ending([&] { ended = (*pause)->end(); });
  EXPECT_TRUE(goes_on(frozen));
  EXPECT_LT(steady_clock::now() - began, 3s);
  ending.join();
  EXPECT_LT(steady_clock::now() - began, 15s);
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().message, HasSubstr("the watchdog of the pause was lost"));
  EXPECT_EQ(content(file("order")), "after\n");
  EXPECT_THAT(children_of(::getpid()), IsEmpty());
}

// One that hangs while there is still something to be stopped is not waited for beyond the deadline.
TEST_F(PauseTest, AWatchdogThatDoesNotAnswerIsNotWaitedForBeyondTheDeadline) {
  Watchdog watchdog = Watchdog::arm(clock_.since_boot() + 300ms, {}).value();
  ASSERT_EQ(::kill(watchdog.pid(), SIGSTOP), 0);
  const auto began = steady_clock::now();
  const auto taken = watchdog.take({});
  EXPECT_LT(steady_clock::now() - began, 10s);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().cause, Cause::kTimeout);
  EXPECT_FALSE(watchdog.resume().is_taken);
}

TEST_F(PauseTest, AHookThatCannotBeRunIsToldAndItsAfterIsRun) {
  declare("a",
          "method = \"hook\"\nbefore = [\"/no/such/program\"]\n"
          "after = [\"/bin/sh\", \"-c\", \"echo after >> order\"]\ntimeout_ms = 20000\n");
  const auto pause = begin();
  ASSERT_FALSE(pause);
  EXPECT_EQ(pause.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(pause.error().message, HasSubstr("cannot run /no/such/program"));
  EXPECT_EQ(content(file("order")), "after\n");
}

TEST_F(PauseTest, AHookBeforeThatHangsEndsThePauseAndItsAfterIsRun) {
  declare("a",
          "method = \"hook\"\nbefore = [\"/bin/sleep\", \"1000\"]\n"
          "after = [\"/bin/sh\", \"-c\", \"echo after >> order\"]\ntimeout_ms = 300\n");
  const auto pause = begin();
  ASSERT_FALSE(pause);
  EXPECT_EQ(pause.error().cause, Cause::kTimeout);
  EXPECT_EQ(content(file("order")), "after\n");
  EXPECT_THAT(children_of(::getpid()), IsEmpty());
}

}  // namespace
}  // namespace spl::service
