// Looking at processes: what is found, and that a look which cannot be had is an error.
#include "env/process_table.h"

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <string_view>

#include "env/process.h"
#include "env/program_start.h"

namespace spl::env {
namespace {

// Another process of this program says whether it is so.
bool is_so_elsewhere(const std::function<bool()>& question) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(question() ? 0 : 1);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool allow_descriptors(rlim_t soft, rlim_t hard) {
  const rlimit limit{soft, hard};
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

class Sleeping {
 public:
  explicit Sleeping(std::vector<std::string> environment) {
    const auto pid = start_detached({{"/bin/sleep", "1000"}, std::move(environment)});
    EXPECT_TRUE(pid);
    pid_ = pid.value_or(0);
    handle_ = ProcessHandle::open(pid_).value();
  }
  Sleeping(const Sleeping&) = delete;
  Sleeping& operator=(const Sleeping&) = delete;
  ~Sleeping() {
    if (handle_) (void)handle_->signal(SIGKILL);
  }
  [[nodiscard]] int pid() const { return pid_; }

 private:
  int pid_ = 0;
  std::optional<ProcessHandle> handle_;
};

bool is_among(const std::vector<FoundProcess>& found, int pid) {
  return std::ranges::any_of(found, [pid](const FoundProcess& one) { return one.process.pid == pid; });
}

TEST(ProcessTable, WithoutAFreeDescriptorEveryLookIsAnError) {
  const Sleeping sleeping({"A=1"});
  EXPECT_TRUE(is_so_elsewhere([&] {
    if (!allow_descriptors(0, 0)) return false;
    return !find_processes({{"A=1"}}) && !process_entry(sleeping.pid()) && !activity_of(sleeping.pid()) &&
           !has_in_environment(sleeping.pid(), "A=1") && !holder_below("/") && !process_mark(sleeping.pid()) &&
           !tracer_of(sleeping.pid()) && !command_line(sleeping.pid()) && !ProcessHandle::open(sleeping.pid()) &&
           !boot_id();
  }));
}

TEST(ProcessTable, AProcessIsFoundByItsMarkAndWhatIsGoneIsNoError) {
  const Sleeping sleeping({"B=spl-table-test"});
  const auto found = find_processes({{"B=spl-table"}, {"B=spl-table-test"}});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 1u) << "the whole entry counts";
  EXPECT_EQ(found->front().process.pid, sleeping.pid());
  EXPECT_EQ(found->front().origin, 1u);
  EXPECT_EQ(found->front().process.start_ticks, process_entry(sleeping.pid()).value()->start_ticks);
  constexpr int kNobody = 2147483647;
  EXPECT_FALSE(process_entry(kNobody).value());
  EXPECT_EQ(activity_of(kNobody).value(), Activity::kGone);
  EXPECT_FALSE(ProcessHandle::open(kNobody).value());
}

TEST(ProcessTable, WhatDescendsFromARootIsFoundAndThisProcessIsNot) {
  const int own = ::getpid();
  EXPECT_TRUE(is_so_elsewhere([own] {
    const auto found = find_processes({{"NO=such", {own}}});
    return found && is_among(*found, own) && !is_among(*found, ::getpid());
  }));
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  EXPECT_TRUE(is_among(find_processes({{"NO=such", {child}}}).value(), child));
  EXPECT_FALSE(is_among(find_processes({{"NO=such", {own}}}).value(), child)) << "this process leads to nobody";
  ::kill(child, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(activity_of(child).value(), Activity::kGone) << "nobody has waited for it";
  EXPECT_FALSE(is_among(find_processes({{"NO=such", {child}}}).value(), child));
  EXPECT_FALSE(process_mark(child).value());
  ::waitpid(child, nullptr, 0);
}

TEST(ProcessTable, WhatIsTracedIsToldFromWhatIsStopped) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::raise(SIGSTOP);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0) ::raise(SIGSTOP);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  EXPECT_EQ(activity_of(child).value(), Activity::kStopped);
  EXPECT_EQ(tracer_of(child).value(), 0);
  ::kill(child, SIGCONT);
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  if (WIFSTOPPED(status)) {
    EXPECT_EQ(activity_of(child).value(), Activity::kTraced);
    EXPECT_EQ(tracer_of(child).value(), ::getpid());
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(ProcessTable, ManyDescriptorsAreAllowedForAMoment) {
  EXPECT_TRUE(is_so_elsewhere([] {
    if (!allow_descriptors(50, 200)) return false;
    rlimit limit{};
    {
      const ManyDescriptors many;
      if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur != 200) return false;
    }
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 50;
  }));
}

}  // namespace
}  // namespace spl::env
