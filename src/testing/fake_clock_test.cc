#include "testing/fake_clock.h"

#include <gtest/gtest.h>

namespace spl::testing {
namespace {

TEST(FakeClock, StandsUntilItIsMoved) {
  FakeClock clock;
  EXPECT_EQ(env::rfc3339(clock.now()), "2026-01-31T12:00:00Z");
  const auto before = clock.steady();
  clock.advance(std::chrono::seconds(61));
  EXPECT_EQ(env::rfc3339(clock.now()), "2026-01-31T12:01:01Z");
  EXPECT_EQ(clock.steady() - before, std::chrono::seconds(61));
}

TEST(FakeClock, ATimeThatIsSetDoesNotTouchTheSteadyClock) {
  FakeClock clock;
  const auto before = clock.steady();
  clock.set(FakeClock::kStart - std::chrono::hours(24));
  EXPECT_EQ(env::rfc3339(clock.now()), "2026-01-30T12:00:00Z");
  EXPECT_EQ(clock.steady(), before);
}

TEST(SeededRandom, OneSeedGivesOneSequence) {
  std::string a(20, '\0');
  std::string b(20, '\0');
  std::string c(20, '\0');
  SeededRandom(7).fill(a);
  SeededRandom(7).fill(b);
  SeededRandom(8).fill(c);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
}

TEST(MemoryLog, KeepsEvents) {
  MemoryLog log;
  log.write(env::LogLevel::kWarn, "sync_failed", {{"path", "/f"}});
  EXPECT_TRUE(log.has("sync_failed"));
  EXPECT_FALSE(log.has("other"));
  ASSERT_EQ(log.events().size(), 1u);
  EXPECT_EQ(log.events()[0].level, env::LogLevel::kWarn);
  EXPECT_EQ(log.events()[0].fields[0].second, "/f");
}

}  // namespace
}  // namespace spl::testing
