// Looking at processes: what is found, and that a look which cannot be had is an error.
#include "env/process_table.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <functional>
#include <string_view>
#include <vector>

#include "env/acting_user.h"
#include "env/child_process.h"
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

constexpr UserIds kNobodyIds{65534, 65534};

// For good.
bool give_up(const std::vector<int>& capabilities) {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &head, sets.data()) != 0) return false;
  for (const int one : capabilities) {
    const auto index = static_cast<std::size_t>(one) / 32;
    const std::uint32_t mask = ~(1u << (static_cast<unsigned>(one) % 32));
    sets[index].effective &= mask;
    sets[index].permitted &= mask;
  }
  return ::syscall(SYS_capset, &head, sets.data()) == 0;
}

bool is_denied(const auto& result) {
  return !result && result.error().cause == Cause::kDenied;
}

// Below the directory for temporary files, gone at the end.
class Directory {
 public:
  Directory() : path_(::testing::TempDir() + "processes" + std::to_string(::getpid())) {
    EXPECT_EQ(::mkdir(path_.c_str(), 0755), 0);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { EXPECT_TRUE(output_of_command({.arguments = {"/bin/rm", "-rf", path_}, .environment = {}}, "", {})); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Sleeping {
 public:
  explicit Sleeping(std::vector<std::string> environment, std::string directory = "/",
                    std::optional<UserIds> user = std::nullopt,
                    std::vector<std::string> words = {"/bin/sleep", "1000"}) {
    const auto pid = start_detached({std::move(words), std::move(environment), std::move(directory), user});
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
           !boot_id() && !is_locked("/");
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

TEST(ProcessTable, WithoutTheRightToTraceAnothersProcessIsFoundByItsUsersRightsOrIsAnError) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants root";
  const Directory directory;
  ASSERT_EQ(::chown(directory.path().c_str(), kNobodyIds.uid, kNobodyIds.gid), 0);
  const Sleeping sleeping({"C=spl-table-test"}, directory.path(), kNobodyIds);
  // Newer kernels show memory to those that measure, too.
  const std::vector<int> to_look{CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_PERFMON};
  const std::vector<ProcessOrigin> origins{{"C=spl-table-test", {}, kNobodyIds.uid}};
  EXPECT_TRUE(is_so_elsewhere([&] {
    if (!give_up(to_look)) return false;
    const auto found = find_processes(origins);
    const auto holder = holder_below(directory.path());
    return found && is_among(*found, sleeping.pid()) &&
           has_in_environment(sleeping.pid(), "C=spl-table-test").value() && holder && *holder &&
           (*holder)->pid == sleeping.pid();
  }));
  EXPECT_TRUE(is_so_elsewhere([&] {
    if (!give_up(to_look) || !give_up({CAP_SETUID, CAP_SETGID})) return false;
    const auto roots_own = find_processes({{"C=spl-table-test"}});
    return is_denied(find_processes(origins)) && is_denied(holder_below(directory.path())) &&
           !has_in_environment(sleeping.pid(), "C=spl-table-test").value() &&
           // What root runs, and where root alone has files, that process has nothing to do with.
           roots_own && roots_own->empty() && holder_below("/etc/ssl") && is_denied(AsUser::take(kNobodyIds.uid));
  }));
}

// Whoever likes may have a file open whose path is longer than /proc tells.
TEST(ProcessTable, APathThatCannotBeToldIsAnErrorOnlyOfTheOwnersProcess) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants root";
  const Directory directory;
  const std::string roots = directory.path() + "/roots";
  const std::string others = directory.path() + "/others";
  for (const std::string& path : {roots, others}) ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
  ASSERT_EQ(::chown(others.c_str(), kNobodyIds.uid, kNobodyIds.gid), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string name(250, 'd');
    bool is_deep = ::chdir(directory.path().c_str()) == 0;
    for (int i = 0; i < 20; ++i) is_deep = is_deep && ::mkdir(name.c_str(), 0755) == 0 && ::chdir(name.c_str()) == 0;
    if (!is_deep || ::setgid(kNobodyIds.gid) != 0 || ::setuid(kNobodyIds.uid) != 0) ::_exit(1);
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(WIFSTOPPED(status));
  const auto below_roots = holder_below(roots);
  EXPECT_TRUE(below_roots) << below_roots.error().message;
  const auto below_others = holder_below(others);
  ASSERT_FALSE(below_others);
  EXPECT_EQ(below_others.error().cause, Cause::kTooLarge);
  EXPECT_TRUE(below_others.error().message.starts_with("cannot look at process " + std::to_string(child) + " "));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// Between two programs a process shows no environment.
TEST(ProcessTable, WhatBecomesOneProgramAfterTheOtherIsFoundAllTheTime) {
  const Directory directory;
  const std::string again = directory.path() + "/again";
  std::ofstream(again) << "#!/bin/sh\nexec \"$0\"\n";
  ASSERT_EQ(::chmod(again.c_str(), 0755), 0);
  const Sleeping restless({"D=spl-table-test"}, "/", std::nullopt, {again});
  constexpr int kLooks = 500;
  int found = 0;
  for (int i = 0; i < kLooks; ++i) {
    const auto processes = find_processes({{"D=spl-table-test"}});
    ASSERT_TRUE(processes) << processes.error().message;
    if (is_among(*processes, restless.pid())) ++found;
  }
  EXPECT_EQ(found, kLooks);
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
