#include "env/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

namespace spl::env {
namespace {

using std::chrono::milliseconds;

ChildOptions shell(std::string line) {
  return {.arguments = {"/bin/sh", "-c", std::move(line)}, .environment = {"PATH=/usr/bin:/bin"}};
}

std::string letters(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += static_cast<char>('a' + (i % 26));
  return text;
}

TEST(ChildProcessStreams, GoBothWaysAtOnce) {
  // Far more than a pipe holds, in either direction.
  const std::string text = letters(3'000'000);
  const auto started = ChildProcess::start(shell("cat"));
  ASSERT_TRUE(started) << started.error().message;
  ChildProcess* child = started->get();
  child->limit_waits(std::chrono::seconds(60), nullptr);
  base::StringSource from(text);
  base::StringSink to;
  ASSERT_TRUE(child->exchange(from, to));
  const auto exit = child->wait();
  ASSERT_TRUE(exit);
  EXPECT_TRUE(exit->ok()) << exit->text();
  EXPECT_TRUE(to.text == text);
}

TEST(ChildProcessStreams, WhatIsNotReadIsNoError) {
  const auto started = ChildProcess::start(shell("head -c 10; exec <&-; echo; head -c 200000 /dev/zero"));
  ASSERT_TRUE(started) << started.error().message;
  ChildProcess* child = started->get();
  child->limit_waits(std::chrono::seconds(60), nullptr);
  const std::string text = letters(3'000'000);
  base::StringSource from(text);
  base::StringSink to;
  ASSERT_TRUE(child->exchange(from, to));
  const auto exit = child->wait();
  ASSERT_TRUE(exit);
  EXPECT_TRUE(exit->ok()) << exit->text();
  EXPECT_EQ(to.text, text.substr(0, 10) + "\n" + std::string(200000, '\0'));
}

class CancelledAfter final : public base::Progress {
 public:
  explicit CancelledAfter(int looks) : looks_(looks) {}
  void update(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
  bool cancelled() override { return looks_-- <= 0; }

 private:
  int looks_;
};

TEST(ChildProcess, RunsAProgramWithoutAShellAndWithNothingInherited) {
  ::setenv("SPL_CHILD_TEST", "inherited", 1);
  const ChildOptions options{.arguments = {"env"}, .environment = {"A=1 $B `c`", "PATH=/usr/bin"}};
  const auto output = output_of_command(options, "", {});
  ASSERT_TRUE(output);
  EXPECT_EQ(*output, "A=1 $B `c`\nPATH=/usr/bin\n");
}

TEST(ChildProcess, ExchangesMoreThanAPipeHolds) {
  const std::string much(5u << 20, 'x');
  const auto output = output_of_command(shell("cat"), much, {.output_bytes_max = much.size()});
  ASSERT_TRUE(output);
  EXPECT_EQ(*output, much);
}

TEST(ChildProcess, ACommandNeedNotReadItsInput) {
  const std::string much(5u << 20, 'x');
  const auto output = output_of_command(shell("exec <&-; sleep 0.1; echo done"), much, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(*output, "done\n");
}

TEST(ChildProcess, SaysHowItEndedAndWhatItSaid) {
  const auto failed = output_of_command(shell("echo 'no such\033 thing' >&2; exit 3"), "", {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "/bin/sh ended with exit code 3: no such\\x1b thing");
  const auto killed = run_command(shell("kill -9 $$"), "", {});
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->exit.signal, 9);
  EXPECT_EQ(killed->exit.text(), "was ended by signal 9");
}

TEST(ChildProcess, KeepsTheBeginningOfALongStandardError) {
  const auto result = run_command(shell("head -c 1000000 /dev/zero | tr '\\0' e >&2; echo done"), "", {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "done\n");
  EXPECT_EQ(result->said, std::string(2000, 'e'));
}

TEST(ChildProcess, AProgramThatIsNotThereIsUnavailable) {
  const auto missing = output_of_command({.arguments = {"no-such-program"}, .environment = {}}, "", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(missing.error().message, testing::StartsWith("cannot run no-such-program"));
}

TEST(ChildProcess, TooMuchOutputTooMuchTimeAndCancellingEndIt) {
  EXPECT_EQ(output_of_command(shell("yes"), "", {.output_bytes_max = 1000}).error().cause, Cause::kTooLarge);
  EXPECT_EQ(output_of_command(shell("sleep 100"), "", {.at_most = milliseconds(300)}).error().cause, Cause::kTimeout);
  CancelledAfter progress(1);
  EXPECT_EQ(output_of_command(shell("sleep 100"), "", {.progress = &progress}).error().cause, Cause::kCancelled);
}

TEST(ChildProcess, OneThatNeverLetsAnybodyWaitEndsInTimeToo) {
  const auto child = ChildProcess::start({.arguments = {"/usr/bin/yes"}, .environment = {}});
  ASSERT_TRUE(child);
  (*child)->limit_waits(std::chrono::milliseconds(50), nullptr);
  class Nowhere final : public Sink {
   public:
    Result<void> write(std::string_view /*octets*/) override { return {}; }
  } nowhere;
  base::StringSource nothing({});
  const auto ended = (*child)->exchange(nothing, nowhere);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().cause, Cause::kTimeout);
}

TEST(ChildProcess, OneThatHasClosedItsOutputIsStillGivenAllOfItsInput) {
  const std::string file = testing::TempDir() + "child-all" + std::to_string(::getpid());
  const auto child = ChildProcess::start(
      {.arguments = {"/bin/sh", "-c", "exec >\"$0\"; sleep 0.1; cat", file}, .environment = {"PATH=/usr/bin:/bin"}});
  ASSERT_TRUE(child);
  std::string written;
  ASSERT_TRUE((*child)->exchange(std::string(1u << 20, 'x'), written, 0));
  ASSERT_TRUE((*child)->wait());
  struct stat info{};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 1 << 20);
  ::unlink(file.c_str());
}

TEST(ChildProcess, WhatItStartedEndsWithIt) {
  int grandchild = 0;
  {
    const auto child = ChildProcess::start(shell("sleep 1000 & echo $!; wait"));
    ASSERT_TRUE(child);
    std::array<char, 32> text{};
    ASSERT_TRUE((*child)->output().read(text));
    grandchild = std::atoi(text.data());
    ASSERT_GT(grandchild, 0);
  }
  // Its new parent waits for it when it likes.
  const std::string path = "/proc/" + std::to_string(grandchild) + "/stat";
  for (;;) {
    std::string state(200, '\0');
    FILE* file = std::fopen(path.c_str(), "r");
    if (file == nullptr) break;
    state.resize(std::fread(state.data(), 1, state.size(), file));
    std::fclose(file);
    if (state.empty() || state.find(") Z") != std::string::npos) break;
    std::this_thread::yield();
  }
}

TEST(ChildProcess, WhatItStartedEndsAlsoWhenItIsWaitedFor) {
  const auto child = ChildProcess::start(shell("sleep 1000 >/dev/null & echo begun"));
  ASSERT_TRUE(child);
  std::array<char, 32> text{};
  ASSERT_TRUE((*child)->output().read(text));
  const auto exit = (*child)->wait();
  ASSERT_TRUE(exit);
  EXPECT_TRUE(exit->ok());
  while (::kill(-(*child)->pid(), 0) == 0) std::this_thread::yield();  // until the last of the group is gone
}

TEST(ChildProcess, HoldsToItsLimits) {
  ChildOptions options = shell("ulimit -v; ulimit -t; pwd; umask");
  options.address_space_bytes_max = 1u << 30;
  options.processor_time_max = std::chrono::seconds(7);
  options.working_directory = "/usr";
  const auto output = output_of_command(options, "", {});
  ASSERT_TRUE(output);
  EXPECT_EQ(*output, "1048576\n7\n/usr\n0077\n");
}

TEST(ChildProcess, RootRunsItAsAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants root";
  ChildOptions options = shell("id -u; id -g; id -G");
  options.user = UserIds{65534, 65534};
  const auto output = output_of_command(options, "", {});
  ASSERT_TRUE(output);
  EXPECT_THAT(*output, testing::StartsWith("65534\n65534\n65534"));
}

// A directory of the user's below one that is closed to the user is entered; one that only root can reach is not,
// though a link of the user's leads there.
TEST(ChildProcess, RootEntersItsDirectoryWithTheUsersRights) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants root";
  const std::string root = testing::TempDir() + "child" + std::to_string(::getpid());
  const std::string closed = root + "/closed";
  const std::string link = root + "/link";
  for (const std::string& path : {root, closed, closed + "/own", closed + "/open"})
    ASSERT_EQ(::mkdir(path.c_str(), path == closed ? 0700 : 0755), 0);
  ASSERT_EQ(::chown((closed + "/own").c_str(), 65534, 65534), 0);
  ASSERT_EQ(::symlink((closed + "/open").c_str(), link.c_str()), 0);
  ChildOptions options = shell("/bin/pwd -P");
  options.user = UserIds{65534, 65534};
  options.working_directory = closed + "/own";
  const auto own = output_of_command(options, "", {});
  EXPECT_TRUE(own) << own.error().message;
  options.working_directory = link;
  const auto led = output_of_command(options, "", {});
  EXPECT_FALSE(led) << *led;
  ASSERT_TRUE(output_of_command({.arguments = {"/bin/rm", "-rf", root}, .environment = {}}, "", {}));
}

}  // namespace
}  // namespace spl::env
