// Services in control groups: who is in one, that it is frozen and thawed as a whole, and what must never be frozen
// with it. With real groups, where this machine lets them be made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "env/control_group.h"
#include "testing/pause_fixture.h"

namespace spl::service {
namespace {

using env::Activity;
using ::testing::HasSubstr;
using testing::PauseTest;
using testing::wait_until;
using State = env::ControlGroup::State;
using namespace std::chrono_literals;

class PauseGroup : public PauseTest, public ::testing::WithParamInterface<env::GroupVersion> {
 protected:
  void SetUp() override {
    if (!use_group(GetParam())) GTEST_SKIP() << "left out: no such control group can be made here";
  }
  // A process of service a that has no mark, no parents and no session of it any more, and counts.
  int start_escaped() {
    start_script("setsid env -i /bin/sh -c '(" + counting() + ")' & exec sleep 1000", {mark("a")});
    const int pid = number_in("escaped");
    EXPECT_TRUE(wait_until([&] { return !is_below_service(pid); }));
    EXPECT_TRUE(is_in_group(pid));
    return pid;
  }
  [[nodiscard]] std::string counted() { return content(file("count")); }
  void expect_counts() {
    const std::string before = counted();
    EXPECT_TRUE(wait_until([&] { return counted() != before; }));
  }
  StopOrder order() {
    StopOrder order;
    order.sources.push_back(processes_source_of(*set_, *set_->find("a")).value());
    order.at_most = 10s;
    return order;
  }

 private:
  // Its parent ends at once.
  static std::string counting() {
    return "/bin/sh -c \"echo \\$\\$ > escaped; n=0; while :; do n=\\$((n+1)); echo \\$n > count; done\" &";
  }
  [[nodiscard]] bool is_below_service(int pid) const {
    const auto found = env::find_processes({{mark("a")}});
    if (!found) return true;
    return std::ranges::any_of(*found, [pid](const env::FoundProcess& one) { return one.process.pid == pid; });
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, PauseGroup, ::testing::Values(env::GroupVersion::kOne, env::GroupVersion::kTwo));

TEST_P(PauseGroup, WhatHasLostEveryOtherMarkIsFrozenAndGoesOn) {
  declare("a", "");
  const int escaped = start_escaped();
  {
    const auto pause = begin();
    ASSERT_TRUE(pause) << pause.error().message;
    EXPECT_EQ(group_state(), State::kFrozen);
    EXPECT_EQ(activity(escaped), Activity::kStopped);
    EXPECT_THAT(content(list()), HasSubstr(group_->directory()));
    const auto ended = (*pause)->end();
    EXPECT_TRUE(ended) << ended.error().message;
  }
  EXPECT_EQ(group_state(), State::kThawed);
  EXPECT_FALSE(exists(list()));
  expect_counts();
}

TEST_P(PauseGroup, WhatIsOutsideOfItIsStoppedBySignals) {
  declare("a", "");
  const int inside = start_sleeping();
  const auto directory = std::exchange(group_, std::nullopt);
  const int outside = start_sleeping();
  group_ = directory;
  EXPECT_FALSE(is_in_group(outside));
  EXPECT_TRUE(is_in_group(inside));
  pause_and_end({inside, outside});
}

TEST_P(PauseGroup, WhatSomebodyElseThawsIsToldAtTheEnd) {
  declare("a", "timeout_ms = 20000\n");
  start_sleeping();
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  ASSERT_TRUE(group_->thaw());
  const auto ended = (*pause)->end();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().cause, Cause::kTimeout);
}

TEST_P(PauseGroup, WhatWasFrozenBeforeStaysFrozen) {
  declare("a", "");
  const int pid = start_sleeping();
  ASSERT_TRUE(group_->freeze());
  ASSERT_TRUE(wait_until([&] { return group_state() == State::kFrozen; }));
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  EXPECT_EQ(content(list()).find(group_->directory()), std::string::npos);
  EXPECT_TRUE((*pause)->end());
  EXPECT_EQ(activity(pid), Activity::kStopped);
}

// As the start after a run that was killed together with its watchdog.
TEST_P(PauseGroup, AStartThawsWhatIsListedAndNoOtherGroup) {
  const int pid = start_sleeping();
  const auto other = env::ControlGroup::make(GetParam(), group_prefix_of(paths_) + "b");
  const auto foreign = env::ControlGroup::make(GetParam(), "spl-test-" + std::to_string(::getpid()) + ".a");
  ASSERT_TRUE(other && foreign);
  for (const env::ControlGroup& group : {*group_, *other, *foreign}) ASSERT_TRUE(group.freeze());
  ASSERT_TRUE(wait_until([&] { return activity(pid) == Activity::kStopped; }));
  ASSERT_TRUE(env::write_file_atomically(fs_, list(),
                                         R"({"boot":")" + env::boot_id().value() + R"(","namespace":")" +
                                             env::process_namespace().value() +
                                             R"(","by":{"pid":1,"start":1},"frozen":[],"groups":[")" +
                                             group_->directory() + R"(",")" + foreign->directory() + R"("]})"));
  const auto resumed = resume_leftovers(machine(), paths_);
  EXPECT_TRUE(resumed) << resumed.error().message;
  EXPECT_TRUE(goes_on(pid));
  EXPECT_EQ(other->state().value(), State::kFrozen) << "it is not listed";
  EXPECT_EQ(foreign->state().value(), State::kFrozen) << "it is no group of this home";
  EXPECT_FALSE(exists(list()));
  EXPECT_TRUE(other->remove().value_or(false) && foreign->remove().value_or(false));
}

TEST_P(PauseGroup, WhatIsFrozenIsEndedWithAllThatEscaped) {
  declare("a", "");
  const int escaped = start_escaped();
  load();
  ASSERT_TRUE(group_->freeze());
  const auto ended = kill_all(clock_, order().sources.front(), 20s);
  EXPECT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(activity(escaped), Activity::kGone);
  EXPECT_TRUE(remove_group(machine(), *set_, *set_->find("a")));
  EXPECT_FALSE(exists(group_->directory()));
  EXPECT_FALSE(exists(paths_.run() + "/runit/a/group"));
  EXPECT_FALSE(group_of(*set_, *set_->find("a")).value().has_value());
}

TEST_P(PauseGroup, WhatEscapedIsStoppedBySignalsWhereNobodyFreezes) {
  declare("a", "");
  const int escaped = start_escaped();
  load();
  std::vector<ServiceProcess> stopped;
  const auto done = stop_all(clock_, order(), stopped);
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_EQ(group_state(), State::kThawed);
  EXPECT_EQ(activity(escaped), Activity::kStopped);
  EXPECT_TRUE(continue_all(stopped));
  expect_counts();
}

// A service that makes the backup itself: frozen with it, spl and its watchdog would never let it go on.
TEST_P(PauseGroup, WhoPausesIsNotFrozenItself) {
  declare("a", "timeout_ms = 5000\n");
  const int pid = start_sleeping();
  load();
  const int pausing = ::fork();
  if (pausing == 0) {
    if (!group_->join()) ::_exit(2);
    const auto pause = begin_loaded();
    const bool is_still = pause && activity(pid) == Activity::kStopped && group_state() == State::kThawed;
    ::_exit(is_still && (*pause)->end() ? 0 : 1);
  }
  int status = -1;
  EXPECT_TRUE(wait_until([&] { return ::waitpid(pausing, &status, WNOHANG) == pausing; }));
  EXPECT_EQ(status, 0);
  if (status == -1) {
    EXPECT_TRUE(group_->thaw());
    kill_and_wait(pausing);
  }
  EXPECT_TRUE(goes_on(pid));
}

TEST_P(PauseGroup, WhatBecomesTheServiceIsInItsGroup) {
  declare("a", "");
  load();
  const Declaration& service = *set_->find("a");
  const std::array only{GetParam()};
  for (int turn = 0; turn < 2; ++turn) {
    const int pid = elsewhere([&] {
      enter_group(machine(), *set_, service, only);
      return group_->has_this_process().value_or(false);
    });
    EXPECT_NE(pid, 0);
    const auto found = group_of(*set_, service);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->directory(), group_->directory());
    if (pid != 0) kill_and_wait(pid);
    EXPECT_TRUE(remove_group(machine(), *set_, service));
    EXPECT_FALSE(exists(group_->directory()));
  }
}

TEST_P(PauseGroup, WhatIsNoServicesLeavesTheGroup) {
  const int pid = elsewhere([this] {
    return group_->join() && env::leave_groups(group_prefix_of(paths_)) && !group_->has_this_process().value_or(true);
  });
  EXPECT_NE(pid, 0);
  if (pid != 0) kill_and_wait(pid);
}

TEST_P(PauseGroup, ACopyOfAHomeHasNoGroupOfTheOther) {
  declare("a", "");
  load();
  EXPECT_TRUE(group_of(*set_, *set_->find("a")).value().has_value());
  const std::string away = paths_.root + ".away";
  ASSERT_TRUE(fs_.rename(paths_.root, away));
  ASSERT_TRUE(env::make_directories(fs_, paths_.run() + "/runit/a", 0755));
  ASSERT_TRUE(env::write_file_atomically(fs_, paths_.run() + "/runit/a/group", group_->directory()));
  EXPECT_FALSE(group_of(*set_, *set_->find("a")).value().has_value());
}

// As of a unit or a container: its name is not the home's.
TEST_F(PauseTest, AGroupOfAnotherNameIsThawedWhereTheListIsThisHomesOwn) {
  const auto group =
      env::ControlGroup::make(env::GroupVersion::kTwo, "spl-test-" + std::to_string(::getpid()) + ".service");
  if (!group) GTEST_SKIP() << "left out: no such control group can be made here";
  for (const bool is_own : {false, true}) {
    ASSERT_TRUE(group->freeze());
    ASSERT_TRUE(wait_until([&] { return group->state().value() == State::kFrozen; }));
    ASSERT_TRUE(env::write_file_atomically(
        fs_, list(),
        R"({"boot":")" + env::boot_id().value() + R"(","namespace":")" + env::process_namespace().value() +
            R"(","home":")" + (is_own ? group_prefix_of(paths_) : std::string("spl-1-2.")) +
            R"(","by":{"pid":1,"start":1},"frozen":[],"groups":[")" + group->directory() + "\"]}"));
    EXPECT_TRUE(resume_leftovers(machine(), paths_));
    EXPECT_EQ(group->state().value(), is_own ? State::kThawed : State::kFrozen);
    EXPECT_FALSE(exists(list()));
  }
  EXPECT_TRUE(group->remove().value_or(false));
}

}  // namespace
}  // namespace spl::service
