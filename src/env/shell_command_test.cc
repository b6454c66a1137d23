// A shell's line and what it writes.
#include "env/shell_command.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace spl::env {
namespace {

TEST(ShellCommand, GivesWhatTheLineWrites) {
  EXPECT_EQ(secret_output_of("printf 'a\\nb'", 100, nullptr)->reveal(), "a\nb");
  EXPECT_EQ(secret_output_of("cat", 100, nullptr)->reveal(), "");  // it has no input
  EXPECT_EQ(secret_output_of("x='1 2'; echo \"$x\" | tr -d ' '", 100, nullptr)->reveal(), "12\n");
}

TEST(ShellCommand, ItsFailureDoesNotShowTheOutput) {
  for (const char* line : {"echo hush; exit 7", "echo hush; kill -9 $$", "echo hush; nosuchprogram 2>/dev/null"}) {
    const auto failed = secret_output_of(line, 100, nullptr);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kFailed);
    EXPECT_EQ((failed.error().message + failed.error().hint).find("hush\n"), std::string::npos);
  }
  EXPECT_EQ(secret_output_of("yes", 100, nullptr).error().code, ErrorCode::kUsage);
  EXPECT_EQ(secret_output_of("head -c 100 /dev/zero", 100, nullptr)->size(), 100u);
  EXPECT_FALSE(secret_output_of("head -c 101 /dev/zero", 100, nullptr));
}

TEST(ShellCommand, EndsWhenItIsInterrupted) {
  const auto interrupt = Interrupt::make();
  ASSERT_TRUE(interrupt);
  std::thread later([&interrupt] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    (*interrupt)->raise();
  });
  const auto ended = secret_output_of("exec sleep 60", 100, interrupt->get());
  later.join();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().cause, Cause::kCancelled);
}

}  // namespace
}  // namespace spl::env
