// The pause with real processes: who is found, who is stopped and who lets it go on, whatever is killed on the way.
#include "service/pause.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "env/process_table.h"
#include "env/program_start.h"
#include "testing/pause_fixture.h"

namespace spl::service {
namespace {

using env::Activity;
using testing::children_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::PauseEachWay;
using testing::PauseTest;
using testing::sleep_for_ever;
using testing::wait_until;
using namespace std::chrono_literals;

constexpr char kRole[] = "SPL_PAUSE_TEST_ROLE";

// This program itself is some of the processes that the tests pause: what no shell can be.
[[gnu::constructor]] void play_role() {
  const char* role = std::getenv(kRole);
  if (role == nullptr) return;
  if (std::string_view(role) == "vfork") {
    // The parent waits in the kernel until its child runs another program or ends, which this one does not.
    // NOLINTNEXTLINE(bugprone-unsafe-functions,clang-analyzer-security.insecureAPI.vfork): it is what is tested
    if (::vfork() == 0) sleep_for_ever();
  } else {
    // The first thread ends, and the process lives.
    std::thread(sleep_for_ever).detach();
    ::syscall(SYS_exit, 0);
  }
  ::_exit(1);
}

bool may_signal_no_other_user() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &head, sets.data()) != 0) return false;
  for (std::uint32_t* set : {&sets[0].effective, &sets[0].permitted}) *set &= ~(1u << CAP_KILL);
  return ::syscall(SYS_capset, &head, sets.data()) == 0;
}

INSTANTIATE_TEST_SUITE_P(Groups, PauseEachWay,
                         ::testing::Values(std::nullopt, env::GroupVersion::kOne, env::GroupVersion::kTwo));

TEST_P(PauseEachWay, WhatForksTwiceIntoANewSessionIsFound) {
  declare("a", "");
  const int outer = start_script("(setsid sh -c 'echo $$ > inner; exec sleep 1000' &); exec sleep 1000", {mark("a")});
  pause_and_end({outer, number_in("inner")});
}

TEST_P(PauseEachWay, WhatClearsItsEnvironmentIsFoundBelowItsParent) {
  declare("a", "");
  const int parent =
      start_script("env -i /bin/sh -c '" + tell_own_number("child") + "exec sleep 1000' & wait", {mark("a")});
  pause_and_end({parent, number_in("child")});
}

// runsv works in its directory, and its child has overwritten its environment.
TEST_F(PauseTest, WhatOverwritesItsEnvironmentIsFoundBelowItsSupervisorAndNoOtherProcess) {
  declare("a", "");
  declare("b", "");
  for (const char* name : {"a", "b"})
    ASSERT_TRUE(env::make_directories(fs_, paths_.run() + "/runit/" + name + "/supervise", 0755));
  const std::string supervised = "cd " + paths_.run() + "/runit/a; sh -c '" + tell_own_number("supervise/pid") +
                                 "(echo $$; exec sleep 1000) > " + file("below") + " & " +
                                 tell_own_number(file("first")) + "wait' & wait";
  const int supervisor = start_script(supervised, {});
  const int first = number_in("first");
  // A number that is left over, and now another process's.
  const int innocent = start({"/bin/sleep", "1000"}, {});
  ASSERT_TRUE(
      env::write_file_atomically(fs_, paths_.run() + "/runit/b/supervise/pid", std::to_string(innocent) + "\n"));
  ASSERT_TRUE(wait_until([&] { return children_of(first).size() == 1; }));
  const int below = known(children_of(first).front());
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  EXPECT_EQ(activity(first), Activity::kStopped);
  EXPECT_EQ(activity(below), Activity::kStopped);
  EXPECT_EQ(activity(innocent), Activity::kRuns);
  EXPECT_EQ(activity(supervisor), Activity::kRuns);
  EXPECT_TRUE((*pause)->end());
  EXPECT_TRUE(goes_on(first));
}

TEST_P(PauseEachWay, AParentInVforkIsStillWithItsChild) {
  declare("a", "");
  const int parent = start({env::own_program().value()}, {mark("a"), std::string(kRole) + "=vfork"});
  ASSERT_TRUE(wait_until([&] { return activity(parent) == Activity::kWaits; }));
  const int child = known(children_of(parent).at(0));
  EXPECT_TRUE(env::share_memory(parent, child).value());
  pause_and_end({child});
  EXPECT_EQ(activity(parent), Activity::kWaits);
}

TEST_P(PauseEachWay, OneWhoseFirstThreadHasEndedLives) {
  declare("a", "");
  const int pid = start({env::own_program().value()}, {mark("a"), std::string(kRole) + "=leaderless"});
  const std::string stat = "/proc/" + std::to_string(pid) + "/stat";
  ASSERT_TRUE(
      wait_until([&] { return env::read_proc(stat, 4096).value().value_or("").find(") Z ") != std::string::npos; }));
  EXPECT_TRUE(env::process_mark(pid).value().has_value());
  pause_and_end({pid});
}

TEST_P(PauseEachWay, WhatWasStoppedBeforeStaysStopped) {
  declare("a", "");
  const int stopped = start_sleeping();
  const int runs = start_sleeping();
  ASSERT_EQ(::kill(stopped, SIGSTOP), 0);
  ASSERT_TRUE(wait_until([&] { return activity(stopped) == Activity::kStopped; }));
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  const std::string listed = content(list());
  EXPECT_THAT(listed, HasSubstr(group_ ? group_->directory() : "\"pid\":" + std::to_string(runs) + ","));
  EXPECT_THAT(listed, Not(HasSubstr("\"pid\":" + std::to_string(stopped) + ",")));
  EXPECT_EQ(listed.find(mark("a")) == std::string::npos, group_.has_value());
  EXPECT_THAT(listed, HasSubstr(env::boot_id().value()));
  EXPECT_TRUE((*pause)->end());
  EXPECT_TRUE(goes_on(runs));
  EXPECT_EQ(activity(stopped), Activity::kStopped);
}

TEST_P(PauseEachWay, AfterTheDeadlineAllGoesOnAndTheCallerIsTold) {
  declare("a", "timeout_ms = 300\n");
  const int pid = start_sleeping();
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  EXPECT_TRUE(goes_on(pid));
  EXPECT_GE(clock_.since_boot(), (*pause)->deadline());
  const auto ended = (*pause)->end();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().cause, Cause::kTimeout);
  EXPECT_EQ(activity(pid), Activity::kRuns);
}

TEST_F(PauseTest, WhatSomebodyElseLetsGoOnIsToldAtTheEnd) {
  declare("a", "timeout_ms = 20000\n");
  const int pid = start_sleeping();
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  ASSERT_TRUE(goes_on(pid));
  const auto ended = (*pause)->end();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().cause, Cause::kTimeout);
}

TEST_F(PauseTest, AProcessThatDiesInThePauseIsNoError) {
  declare("a", "timeout_ms = 20000\n");
  const int dies = start_sleeping();
  const int lives = start_sleeping();
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  ASSERT_EQ(::kill(dies, SIGKILL), 0);
  ASSERT_TRUE(wait_until([&] { return activity(dies) == Activity::kGone; }));
  const auto ended = (*pause)->end();
  EXPECT_TRUE(ended) << ended.error().message;
  EXPECT_TRUE(goes_on(lives));
}

TEST_P(PauseEachWay, WhereThePausingProcessIsKilledTheWatchdogLetsAllGoOn) {
  declare("a", "timeout_ms = 20000\n");
  const int pid = start_sleeping();
  const int pausing = pausing_elsewhere();
  ASSERT_NE(pausing, 0);
  EXPECT_EQ(activity(pid), Activity::kStopped);
  kill_and_wait(pausing);
  EXPECT_TRUE(goes_on(pid));
  EXPECT_TRUE(exists(list()));
  EXPECT_TRUE(resume_leftovers(machine(), paths_));
  EXPECT_FALSE(exists(list()));
}

TEST_P(PauseEachWay, WhereThePausingProcessHangsTheWatchdogLetsAllGoOnAtTheDeadline) {
  declare("a", "timeout_ms = 500\n");
  const int pid = start_sleeping();
  const int pausing = pausing_elsewhere();
  ASSERT_NE(pausing, 0);
  ASSERT_EQ(::kill(pausing, SIGSTOP), 0);
  EXPECT_TRUE(goes_on(pid));
  // While it lives the list is its own.
  EXPECT_TRUE(resume_leftovers(machine(), paths_));
  EXPECT_TRUE(exists(list()));
  kill_and_wait(pausing);
}

TEST_P(PauseEachWay, WhereTheWatchdogIsKilledTooTheNextStartLetsAllGoOnAndNothingElse) {
  declare("a", "timeout_ms = 20000\n");
  const int pid = start_sleeping();
  const int before = start_sleeping();
  ASSERT_EQ(::kill(before, SIGSTOP), 0);
  ASSERT_TRUE(wait_until([&] { return activity(before) == Activity::kStopped; }));
  const int pausing = pausing_elsewhere();
  ASSERT_NE(pausing, 0);
  const std::vector<int> watchdogs = children_of(pausing);
  ASSERT_EQ(watchdogs.size(), 1u);
  ASSERT_EQ(::kill(watchdogs.front(), SIGKILL), 0);
  kill_and_wait(pausing);
  EXPECT_EQ(activity(pid), Activity::kStopped);
  const auto resumed = resume_leftovers(machine(), paths_);
  EXPECT_TRUE(resumed) << resumed.error().message;
  EXPECT_TRUE(goes_on(pid));
  EXPECT_EQ(activity(before), Activity::kStopped);
  EXPECT_FALSE(exists(list()));
}

TEST_P(PauseEachWay, WhereAnotherProcessPausesNothingIsPausedOverIt) {
  declare("a", "timeout_ms = 20000\n");
  start_sleeping();
  const int pausing = pausing_elsewhere();
  ASSERT_NE(pausing, 0);
  const std::string listed = content(list());
  const auto pause = begin();
  ASSERT_FALSE(pause);
  EXPECT_EQ(pause.error().cause, Cause::kLocked);
  EXPECT_EQ(content(list()), listed);
  const auto found = pause_of(machine(), paths_);
  EXPECT_TRUE(found && found->state == PauseOf::State::kUnderWay && found->pid == pausing);
  kill_and_wait(pausing);
  EXPECT_EQ(pause_of(machine(), paths_).value().state, PauseOf::State::kLeft);
  EXPECT_TRUE(resume_leftovers(machine(), paths_));
  EXPECT_EQ(pause_of(machine(), paths_).value().state, PauseOf::State::kNone);
}

TEST_F(PauseTest, WhoDoesNotHoldTheLockLeavesTheListAlone) {
  declare("a", "timeout_ms = 20000\n");
  const int pid = start_sleeping();
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  ASSERT_TRUE(wait_until([&] { return activity(pid) == Activity::kStopped; }));
  write_list(list(), env::process_namespace().value(), pid);
  {
    const auto lock = fs_.try_lock_directory(paths_.root);
    ASSERT_TRUE(lock && *lock);
    EXPECT_TRUE(resume_leftovers_unless_locked(machine(), paths_));
    EXPECT_TRUE(exists(list()));
    EXPECT_EQ(activity(pid), Activity::kStopped);
  }
  EXPECT_TRUE(resume_leftovers_unless_locked(machine(), paths_));
  EXPECT_FALSE(exists(list()));
  EXPECT_TRUE(goes_on(pid));
}

// What a pause in a container left frozen is not forgotten because one outside of it follows.
TEST_F(PauseTest, TheListOfAnotherNamespaceIsKeptForAStartThere) {
  declare("a", "timeout_ms = 20000\n");
  const int pid = start_sleeping();
  write_list(list(), "pid:[12]", pid);
  const std::string listed = content(list());
  pause_and_end({pid});
  EXPECT_EQ(content(paths_.run() + "/pause-12.json"), listed);
  EXPECT_TRUE(resume_leftovers(machine(), paths_));
  EXPECT_EQ(content(paths_.run() + "/pause-12.json"), listed);
  // And this is the start there.
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  ASSERT_TRUE(wait_until([&] { return activity(pid) == Activity::kStopped; }));
  write_list(paths_.run() + "/pause-13.json", env::process_namespace().value(), pid);
  EXPECT_TRUE(resume_leftovers(machine(), paths_));
  EXPECT_TRUE(goes_on(pid));
  EXPECT_FALSE(exists(paths_.run() + "/pause-13.json"));
}

// The watchdog, which was started before, may signal it still.
TEST_F(PauseTest, WhatCannotBeLetGoOnIsToldAndStaysListed) {
  if (::geteuid() != 0) GTEST_SKIP() << "asks for root";
  run_more_ = "user = \"nobody\"\n";
  declare("a", "timeout_ms = 20000\n");
  const auto others = env::start_detached({{"/bin/sleep", "1000"}, {mark("a")}, "/", env::UserIds{65534, 65534}});
  ASSERT_TRUE(others);
  known(*others);
  const int done = elsewhere([this] {
    const auto pause = begin();
    if (!pause || !may_signal_no_other_user()) return false;
    const auto ended = (*pause)->end();
    return !ended && ended.error().message.find("cannot signal process") != std::string::npos;
  });
  EXPECT_NE(done, 0);
  if (done != 0) kill_and_wait(done);
  EXPECT_TRUE(goes_on(*others));
  EXPECT_TRUE(exists(list()));
}

TEST_F(PauseTest, AllAreKilledThoughOneMayNotBe) {
  if (::geteuid() != 0) GTEST_SKIP() << "asks for root";
  const auto others = env::start_detached({{"/bin/sleep", "1000"}, {mark("a")}, "/", env::UserIds{65534, 65534}});
  ASSERT_TRUE(others);
  known(*others);
  const int own = start_sleeping();
  const int done = elsewhere([this] {
    if (!may_signal_no_other_user()) return false;
    const auto killed = kill_all(clock_, {mark("a")}, 5s);
    return !killed && killed.error().message.find("cannot signal process") != std::string::npos;
  });
  EXPECT_NE(done, 0);
  if (done != 0) kill_and_wait(done);
  EXPECT_EQ(activity(*others), Activity::kRuns);
  EXPECT_TRUE(wait_until([&] { return activity(own) == Activity::kGone; }));
}

TEST_F(PauseTest, AListThatCannotBeReadIsAnErrorAndStays) {
  declare("a", "");
  const int pid = start_sleeping();
  ASSERT_TRUE(env::write_file_atomically(fs_, list(), "{\"boot\":"));
  const auto resumed = resume_leftovers(machine(), paths_);
  ASSERT_FALSE(resumed);
  EXPECT_THAT(resumed.error().message, HasSubstr("pause.json"));
  EXPECT_FALSE(begin()) << "nothing new is paused over it";
  EXPECT_EQ(activity(pid), Activity::kRuns);
  EXPECT_EQ(content(list()), "{\"boot\":");
}

TEST_F(PauseTest, AListOfAnotherRunOfTheMachineIsDropped) {
  const int pid = start_sleeping();
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  const auto start_ticks = env::process_entry(pid).value()->start_ticks;
  ASSERT_TRUE(env::write_file_atomically(fs_, list(),
                                         R"({"boot":"another","namespace":")" + env::process_namespace().value() +
                                             R"(","by":{"pid":1,"start":0},"frozen":[{"pid":)" + std::to_string(pid) +
                                             ",\"start\":" + std::to_string(start_ticks) + ",\"mark\":\"x\"}]}"));
  EXPECT_TRUE(resume_leftovers(machine(), paths_));
  EXPECT_FALSE(exists(list()));
  ASSERT_TRUE(wait_until([&] { return activity(pid) == Activity::kStopped; }));
}

// Another user may not signal one of two: the other one goes on, and the one stays listed.
TEST_F(PauseTest, WhatCannotBeResumedStaysListedAndTheOthersGoOn) {
  if (::geteuid() != 0) GTEST_SKIP() << "asks for root";
  constexpr uid_t kNobody = 65534;
  const int roots = start_sleeping();
  const auto others_pid =
      env::start_detached({{"/bin/sleep", "1000"}, {mark("a")}, "/", env::UserIds{kNobody, kNobody}});
  ASSERT_TRUE(others_pid);
  const int others = known(*others_pid);
  const auto noted = [](int pid) {
    ::kill(pid, SIGSTOP);
    return "{\"pid\":" + std::to_string(pid) +
           ",\"start\":" + std::to_string(env::process_entry(pid).value()->start_ticks) + ",\"mark\":\"x\"}";
  };
  ASSERT_TRUE(env::write_file_atomically(
      fs_, list(),
      R"({"boot":")" + env::boot_id().value() + R"(","namespace":")" + env::process_namespace().value() +
          R"(","by":{"pid":1,"start":1},"frozen":[)" + noted(roots) + "," + noted(others) + "]}"));
  for (const std::string& path : {paths_.run(), list()}) ASSERT_EQ(::chown(path.c_str(), kNobody, kNobody), 0);
  const int done = elsewhere([this] {
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) return false;
    const auto resumed = resume_leftovers(machine(), paths_);
    return !resumed && resumed.error().message.starts_with("1 process");
  });
  EXPECT_NE(done, 0);
  if (done != 0) kill_and_wait(done);
  EXPECT_TRUE(goes_on(others));
  EXPECT_EQ(activity(roots), Activity::kStopped);
  EXPECT_THAT(content(list()), HasSubstr(std::to_string(roots)));
  EXPECT_THAT(content(list()), Not(HasSubstr("\"pid\":" + std::to_string(others) + ",")));
  ASSERT_TRUE(resume_leftovers(machine(), paths_)) << "root may";
  EXPECT_TRUE(goes_on(roots));
}

TEST_F(PauseTest, WithTooFewDescriptorsItIsAnErrorAndAllGoesOn) {
  declare("a", "timeout_ms = 20000\n");
  constexpr int kProcesses = 30;
  std::vector<int> pids;
  for (int i = 0; i < kProcesses; ++i) pids.push_back(start_sleeping());
  load();
  // Enough for a few: from "hardly any" to "nearly all".
  for (const rlim_t more : {4u, 12u, 25u}) {
    const int failed = elsewhere([&] {
      started_.clear();
      const int free = ::dup(0);
      const rlimit limit{static_cast<rlim_t>(free) + more, static_cast<rlim_t>(free) + more};
      ::close(free);
      if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
      const auto pause = begin_loaded();
      return !pause && pause.error().message.find("Too many open files") != std::string::npos;
    });
    EXPECT_NE(failed, 0) << more;
    // That process is there still: its end lets nothing go on.
    for (const int pid : pids) EXPECT_EQ(activity(pid), Activity::kRuns) << more;
    if (failed != 0) kill_and_wait(failed);
  }
  // The soft limit is raised for the moment.
  const int done = elsewhere([&] {
    started_.clear();
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    limit.rlim_cur = 20;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    auto pause = begin();
    if (!pause || !(*pause)->end()) return false;
    pause->reset();
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 20;
  });
  EXPECT_NE(done, 0);
  if (done != 0) kill_and_wait(done);
  for (const int pid : pids) EXPECT_TRUE(goes_on(pid));
}

}  // namespace
}  // namespace spl::service
