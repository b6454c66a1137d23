// The pause with real processes: who is found, who is stopped and who lets it go on, whatever is killed on the way.
#include "service/pause.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "env/proc_files.h"
#include "env/process_table.h"
#include "env/program_start.h"
#include "service/engines.h"
#include "service/program.h"
#include "testing/temp_directory.h"

namespace spl::service {
namespace {

using env::Activity;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;

constexpr char kRole[] = "SPL_PAUSE_TEST_ROLE";

[[noreturn]] void sleep_for_ever() {
  for (;;) ::pause();
}

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

bool wait_until(const std::function<bool()>& is_so) {
  const auto end = steady_clock::now() + 20s;
  while (!is_so()) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

Activity activity(int pid) {
  const auto found = env::activity_of(pid);
  EXPECT_TRUE(found) << found.error().message;
  return found.value_or(Activity::kGone);
}

bool goes_on(int pid) {
  return wait_until([pid] { return activity(pid) == Activity::kRuns; });
}

std::vector<int> children_of(int parent) {
  std::vector<int> children;
  for (const int pid : env::proc_numbers("/proc").value_or(std::vector<int>())) {
    const auto entry = env::process_entry(pid);
    if (entry && *entry && (*entry)->parent == parent) children.push_back(pid);
  }
  return children;
}

class PauseTest : public ::testing::Test {
 public:
  ~PauseTest() override {
    for (const env::ProcessHandle& handle : started_) (void)handle.signal(SIGKILL);
    for (const char* name : {"a", "b"}) EXPECT_TRUE(kill_all(clock_, {mark(name)}, 20s));
  }

 protected:
  PauseTest() {
    EXPECT_EQ(::chmod(temporary_.path().c_str(), 0755), 0);
    for (const std::string& directory : {paths_.services(), paths_.run(), paths_.data() + "/a", paths_.data() + "/b"})
      EXPECT_TRUE(env::make_directories(fs_, directory, 0755));
  }

  env::Env machine() { return {fs_, clock_, random_, log_}; }
  void declare(const std::string& name, const std::string& quiesce) {
    ASSERT_TRUE(env::write_file_atomically(
        fs_, paths_.services() + "/" + name + ".toml",
        "name = \"" + name + "\"\n[run]\ncommand = [\"/bin/true\"]\n" + run_more_ + "[quiesce]\n" + quiesce));
  }
  [[nodiscard]] std::string mark(const std::string& service) const {
    return "SPL_SERVICE=" + service + "@" + paths_.root;
  }
  [[nodiscard]] std::string file(const std::string& name) const { return paths_.data() + "/a/" + name; }
  [[nodiscard]] std::string list() const { return paths_.run() + "/pause.json"; }
  std::string content(const std::string& path) { return env::read_file(fs_, path, 1u << 20).value_or(""); }
  bool exists(const std::string& path) { return fs_.info(path).value().has_value(); }

  // A process that is nobody's child here, killed at the end of the test.
  int start(std::vector<std::string> words, std::vector<std::string> environment) {
    environment.emplace_back("PATH=/usr/bin:/bin");
    const auto pid = env::start_detached({std::move(words), std::move(environment), paths_.data() + "/a"});
    EXPECT_TRUE(pid) << pid.error().message;
    return pid ? known(*pid) : 0;
  }
  int known(int pid) {
    auto handle = env::ProcessHandle::open(pid);
    EXPECT_TRUE(handle && *handle) << pid;
    if (handle && *handle) started_.push_back(std::move(**handle));
    return pid;
  }
  int start_sleeping(const std::string& service = "a") { return start({"/bin/sleep", "1000"}, {mark(service)}); }
  int start_script(const std::string& script, std::vector<std::string> environment) {
    return start({"/bin/sh", "-c", script}, std::move(environment));
  }
  // The number that a script writes into a file, in one step.
  int number_in(const std::string& name) {
    std::string text;
    EXPECT_TRUE(wait_until([&] { return (text = content(file(name))).ends_with('\n'); })) << name;
    return known(std::stoi("0" + text));
  }
  static std::string tell_own_number(const std::string& name) { return "echo $$ > " + name + "; "; }

  Result<std::unique_ptr<Pause>> begin(std::optional<Quiesce> how = std::nullopt) {
    auto set = ServiceSet::load(machine(), paths_);
    EXPECT_TRUE(set) << set.error().message;
    if (!set) return std::unexpected(set.error());
    set_ = std::make_unique<ServiceSet>(std::move(*set));
    std::vector<const Declaration*> services;
    for (const Declaration& service : set_->services()) services.push_back(&service);
    return Pause::begin(machine(), *set_, nullptr, writers_to_pause(services, engines_of(*set_, nullptr).value(), how));
  }
  // Pauses, sees that these stand still, ends the pause, and sees that they go on.
  void pause_and_end(const std::vector<int>& pids) {
    const auto pause = begin();
    ASSERT_TRUE(pause) << pause.error().message;
    for (const int pid : pids) EXPECT_EQ(activity(pid), Activity::kStopped);
    const auto ended = (*pause)->end();
    EXPECT_TRUE(ended) << ended.error().message;
    for (const int pid : pids) EXPECT_TRUE(goes_on(pid));
    EXPECT_FALSE(exists(list()));
  }
  // Another process of this program does `work` and then waits to be killed, unless that fails. Gives its number when
  // the work is done; 0 where it failed.
  int elsewhere(const std::function<bool()>& work) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const int pid = ::fork();
    if (pid == 0) {
      const char answer = work() ? 'y' : 'n';
      if (::write(ends[1], &answer, 1) == 1 && answer == 'y') sleep_for_ever();
      ::_exit(1);
    }
    ::close(ends[1]);
    char answer = 'n';
    EXPECT_EQ(::read(ends[0], &answer, 1), 1);
    ::close(ends[0]);
    if (answer == 'y') return pid;
    ::waitpid(pid, nullptr, 0);
    return 0;
  }
  static void kill_and_wait(int pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  int pausing_elsewhere() {
    return elsewhere([this] {
      auto pause = begin();
      return pause && pause->release() != nullptr;
    });
  }

  // Two services whose hooks write down what they do, in their directory.
  void declare_hooks(const std::string& after, const std::string& quiesce_more) {
    for (const char* name : {"a", "b"}) {
      declare(name,
              "method = \"hook\"\nbefore = [\"/bin/sh\", \"-c\", \"echo before >> order\"]\n"
              "after = [\"/bin/sh\", \"-c\", \"" +
                  after + "\"]\n" + quiesce_more);
    }
  }

  testing::TempDirectory temporary_;
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  home::HomePaths paths_{temporary_.path() + "/h"};
  std::string run_more_;
  std::unique_ptr<ServiceSet> set_;
  std::vector<env::ProcessHandle> started_;
};

TEST_F(PauseTest, WhatForksTwiceIntoANewSessionIsFound) {
  declare("a", "");
  const int outer = start_script("(setsid sh -c 'echo $$ > inner; exec sleep 1000' &); exec sleep 1000", {mark("a")});
  pause_and_end({outer, number_in("inner")});
}

TEST_F(PauseTest, WhatClearsItsEnvironmentIsFoundBelowItsParent) {
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

TEST_F(PauseTest, AParentInVforkIsStillWithItsChild) {
  declare("a", "");
  const int parent = start({env::own_program().value()}, {mark("a"), std::string(kRole) + "=vfork"});
  ASSERT_TRUE(wait_until([&] { return activity(parent) == Activity::kWaits; }));
  const int child = known(children_of(parent).at(0));
  EXPECT_TRUE(env::share_memory(parent, child).value());
  pause_and_end({child});
  EXPECT_EQ(activity(parent), Activity::kWaits);
}

TEST_F(PauseTest, OneWhoseFirstThreadHasEndedLives) {
  declare("a", "");
  const int pid = start({env::own_program().value()}, {mark("a"), std::string(kRole) + "=leaderless"});
  const std::string stat = "/proc/" + std::to_string(pid) + "/stat";
  ASSERT_TRUE(
      wait_until([&] { return env::read_proc(stat, 4096).value().value_or("").find(") Z ") != std::string::npos; }));
  EXPECT_TRUE(env::process_mark(pid).value().has_value());
  pause_and_end({pid});
}

TEST_F(PauseTest, WhatWasStoppedBeforeStaysStopped) {
  declare("a", "");
  const int stopped = start_sleeping();
  const int runs = start_sleeping();
  ASSERT_EQ(::kill(stopped, SIGSTOP), 0);
  ASSERT_TRUE(wait_until([&] { return activity(stopped) == Activity::kStopped; }));
  const auto pause = begin();
  ASSERT_TRUE(pause) << pause.error().message;
  const std::string listed = content(list());
  EXPECT_THAT(listed, HasSubstr("\"pid\":" + std::to_string(runs) + ","));
  EXPECT_THAT(listed, Not(HasSubstr("\"pid\":" + std::to_string(stopped) + ",")));
  EXPECT_THAT(listed, HasSubstr(mark("a")));
  EXPECT_THAT(listed, HasSubstr(env::boot_id().value()));
  EXPECT_TRUE((*pause)->end());
  EXPECT_TRUE(goes_on(runs));
  EXPECT_EQ(activity(stopped), Activity::kStopped);
}

TEST_F(PauseTest, AfterTheDeadlineAllGoesOnAndTheCallerIsTold) {
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

TEST_F(PauseTest, WhereThePausingProcessIsKilledTheWatchdogLetsAllGoOn) {
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

TEST_F(PauseTest, WhereThePausingProcessHangsTheWatchdogLetsAllGoOnAtTheDeadline) {
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

TEST_F(PauseTest, WhereTheWatchdogIsKilledTooTheNextStartLetsAllGoOnAndNothingElse) {
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
  declare("a", "");
  constexpr int kProcesses = 30;
  std::vector<int> pids;
  for (int i = 0; i < kProcesses; ++i) pids.push_back(start_sleeping());
  // Enough for a few: from "hardly any" to "nearly all".
  for (const rlim_t more : {4u, 12u, 25u, 32u, 36u, 40u}) {
    const int failed = elsewhere([&] {
      started_.clear();
      const int free = ::dup(0);
      const rlimit limit{static_cast<rlim_t>(free) + more, static_cast<rlim_t>(free) + more};
      ::close(free);
      if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
      return !begin();
    });
    if (more <= 25u) {
      EXPECT_NE(failed, 0) << more;
    }
    if (failed != 0) kill_and_wait(failed);
    for (const int pid : pids) EXPECT_TRUE(goes_on(pid)) << more;
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
