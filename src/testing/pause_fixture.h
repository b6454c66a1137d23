// What the tests of the pause share: a home with services a and b, and real processes, those of a in a control group
// where the test wants that. For service/pause_test.cc, service/pause_groups_test.cc and service/pause_hooks_test.cc.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "env/control_group.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "env/proc_files.h"
#include "env/process_table.h"
#include "env/program_start.h"
#include "service/engines.h"
#include "service/pause.h"
#include "service/program.h"
#include "service/service_group.h"
#include "testing/temp_directory.h"

namespace spl::testing {

[[noreturn]] inline void sleep_for_ever() {
  for (;;) ::pause();
}

inline bool wait_until(const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline std::vector<int> children_of(int parent) {
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
    if (group_) {
      EXPECT_TRUE(service::kill_all(clock_, {mark("a"), "", {}, group_}, std::chrono::seconds(20)));
      EXPECT_TRUE(wait_until([this] { return group_->remove().value_or(true); }));
    }
    for (const env::ProcessHandle& handle : started_) (void)handle.signal(SIGKILL);
    for (const char* name : {"a", "b"}) EXPECT_TRUE(service::kill_all(clock_, {mark(name)}, std::chrono::seconds(20)));
  }

 protected:
  PauseTest() {
    EXPECT_EQ(::chmod(temporary_.path().c_str(), 0755), 0);
    for (const std::string& directory : {paths_.services(), paths_.run(), paths_.data() + "/a", paths_.data() + "/b"})
      EXPECT_TRUE(env::make_directories(fs_, directory, 0755));
  }

  // From now on what is started of service a is in its group, as `spl service a run` has it. False where this machine
  // does not let it.
  bool use_group(env::GroupVersion version) {
    const auto group = env::ControlGroup::make(version, service::group_prefix_of(paths_) + "a");
    if (!group) return false;
    group_ = *group;
    const std::string directory = paths_.run() + "/runit/a";
    EXPECT_TRUE(env::make_directories(fs_, directory, 0755));
    EXPECT_TRUE(env::write_file_atomically(fs_, directory + "/group", group_->directory()));
    return true;
  }
  [[nodiscard]] bool is_in_group(int pid) const {
    // By any thread: the first one may have ended.
    const std::string threads = "/proc/" + std::to_string(pid) + "/task/";
    return std::ranges::any_of(env::proc_numbers(threads).value_or(std::vector<int>()), [&](int thread) {
      const auto groups = env::read_proc(threads + std::to_string(thread) + "/cgroup", 1u << 16);
      return group_ && groups && *groups && group_->has(**groups);
    });
  }
  [[nodiscard]] env::ControlGroup::State group_state() const {
    const auto state = group_->state();
    EXPECT_TRUE(state) << state.error().message;
    return state.value_or(env::ControlGroup::State::kThawed);
  }
  // Stopped: by a signal, or because its group is frozen.
  [[nodiscard]] env::Activity activity(int pid) const {
    const auto found = env::activity_of(pid);
    EXPECT_TRUE(found) << found.error().message;
    const bool lives = found.value_or(env::Activity::kGone) != env::Activity::kGone;
    if (lives && is_in_group(pid) && group_state() == env::ControlGroup::State::kFrozen) return env::Activity::kStopped;
    return found.value_or(env::Activity::kGone);
  }
  [[nodiscard]] bool goes_on(int pid) const {
    return wait_until([this, pid] { return activity(pid) == env::Activity::kRuns; });
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
  // As of a pause that was cut off.
  void write_list(const std::string& path, const std::string& name_space, int pid) {
    ASSERT_TRUE(env::write_file_atomically(
        fs_, path,
        R"({"boot":")" + env::boot_id().value() + R"(","namespace":")" + name_space +
            R"(","by":{"pid":1,"start":1},"frozen":[{"pid":)" + std::to_string(pid) +
            ",\"start\":" + std::to_string(env::process_entry(pid).value()->start_ticks) + ",\"mark\":\"x\"}]}"));
  }
  bool exists(const std::string& path) { return fs_.info(path).value().has_value(); }

  // A process that is nobody's child here, killed at the end of the test.
  int start(std::vector<std::string> words, std::vector<std::string> environment) {
    environment.emplace_back("PATH=/usr/bin:/bin");
    const bool joins = group_ && std::ranges::find(environment, mark("a")) != environment.end();
    if (joins)
      words.insert(words.begin(),
                   {"/bin/sh", "-c", "echo $$ > \"$0\"/cgroup.procs && exec \"$@\"", group_->directory()});
    const auto pid = env::start_detached({std::move(words), std::move(environment), paths_.data() + "/a"});
    EXPECT_TRUE(pid) << pid.error().message;
    if (joins && pid) {
      EXPECT_TRUE(wait_until([&] { return is_in_group(*pid); }));
    }
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

  void load() {
    auto set = service::ServiceSet::load(machine(), paths_);
    ASSERT_TRUE(set) << set.error().message;
    set_ = std::make_unique<service::ServiceSet>(std::move(*set));
    std::vector<const service::Declaration*> services;
    for (const service::Declaration& service : set_->services()) services.push_back(&service);
    writers_ = service::writers_to_pause(services, service::engines_of(*set_, nullptr).value(), std::nullopt);
  }
  Result<std::unique_ptr<service::Pause>> begin_loaded() {
    return service::Pause::begin(machine(), *set_, nullptr, writers_);
  }
  Result<std::unique_ptr<service::Pause>> begin() {
    load();
    return begin_loaded();
  }
  // Pauses, sees that these stand still, ends the pause, and sees that they go on.
  void pause_and_end(const std::vector<int>& pids) {
    const auto pause = begin();
    ASSERT_TRUE(pause) << pause.error().message;
    for (const int pid : pids) EXPECT_EQ(activity(pid), env::Activity::kStopped);
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

  TempDirectory temporary_;
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  home::HomePaths paths_{temporary_.path() + "/h"};
  std::string run_more_;
  std::optional<env::ControlGroup> group_ = {};
  std::unique_ptr<service::ServiceSet> set_;
  std::vector<service::PausedService> writers_;
  std::vector<env::ProcessHandle> started_;
};

// The same test where there is no group, and with one of each version.
class PauseEachWay : public PauseTest, public ::testing::WithParamInterface<std::optional<env::GroupVersion>> {
 protected:
  void SetUp() override {
    if (GetParam() && !use_group(*GetParam())) GTEST_SKIP() << "left out: no such control group can be made here";
  }
};

}  // namespace spl::testing
