// A shell's line and what it writes.
#include "env/shell_command.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

namespace spl::env {
namespace {

Result<SecretBytes> run(const char* line, std::size_t max_bytes, const Interrupt* interrupt) {
  std::string path = "PATH=/usr/bin:/bin";
  const std::array<char*, 2> environment{path.data(), nullptr};
  return secret_output_of(line, environment.data(), max_bytes, interrupt);
}

TEST(ShellCommand, GivesWhatTheLineWrites) {
  EXPECT_EQ(run("printf 'a\\nb'", 100, nullptr)->reveal(), "a\nb");
  EXPECT_EQ(run("cat", 100, nullptr)->reveal(), "");  // it has no input
  EXPECT_EQ(run("x='1 2'; echo \"$x\" | tr -d ' '", 100, nullptr)->reveal(), "12\n");
}

TEST(ShellCommand, ItsFailureDoesNotShowTheOutput) {
  for (const char* line : {"echo hush; exit 7", "echo hush; kill -9 $$", "echo hush; nosuchprogram 2>/dev/null"}) {
    const auto failed = run(line, 100, nullptr);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kFailed);
    EXPECT_EQ((failed.error().message + failed.error().hint).find("hush\n"), std::string::npos);
  }
  EXPECT_EQ(run("yes", 100, nullptr).error().code, ErrorCode::kUsage);
  EXPECT_EQ(run("head -c 100 /dev/zero", 100, nullptr)->size(), 100u);
  EXPECT_FALSE(run("head -c 101 /dev/zero", 100, nullptr));
}

TEST(ShellCommand, EndsWhenItIsInterrupted) {
  const auto interrupt = Interrupt::make();
  ASSERT_TRUE(interrupt);
  std::thread later([&interrupt] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    (*interrupt)->raise();
  });
  const auto ended = run("exec sleep 60", 100, interrupt->get());
  later.join();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().cause, Cause::kCancelled);
}

}  // namespace
}  // namespace spl::env
