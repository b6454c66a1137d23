#include "spool/sorted_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "testing/temp_directory.h"

namespace spl::spool {
namespace {

class SortedRunsTest : public ::testing::Test {
 protected:
  SortedRuns make(std::size_t held) {
    auto made = SortedRuns::make(env_, {directory_.path(), Secrecy::kEncrypted, 4096}, held);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }

  static std::vector<std::pair<std::string, std::string>> all_of(SortedRuns& runs) {
    std::vector<std::pair<std::string, std::string>> all;
    EXPECT_TRUE(runs.rewind());
    std::string_view key;
    std::string_view content;
    for (;;) {
      const auto more = runs.next(key, content);
      EXPECT_TRUE(more);
      if (!more || !*more) return all;
      all.emplace_back(key, content);
    }
  }

  testing::TempDirectory directory_;
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  env::Env env_{fs_, clock_, random_, log_};
};

TEST_F(SortedRunsTest, NothingIsNothing) {
  SortedRuns runs = make(1000);
  EXPECT_TRUE(all_of(runs).empty());
  EXPECT_EQ(runs.entries(), 0U);
}

TEST_F(SortedRunsTest, EveryEntryComesOnceInOrderWhateverMemoryHolds) {
  std::vector<std::pair<std::string, std::string>> wanted;
  for (int i = 0; i < 5000; ++i) {
    const int n = i * 7919 % 5000;
    wanted.emplace_back("key " + std::to_string(n), std::string(static_cast<std::size_t>(n % 300), 'x'));
  }
  wanted.emplace_back("", "the empty key");
  wanted.emplace_back(std::string("\0\xff", 2), std::string(200'000, 'y'));
  wanted.emplace_back("z", "");
  for (const std::size_t held : {std::size_t{1}, std::size_t{5000}, std::size_t{100'000}, std::size_t{1} << 30}) {
    SortedRuns runs = make(held);
    for (const auto& [key, content] : wanted) ASSERT_TRUE(runs.add(key, content));
    EXPECT_EQ(runs.entries(), wanted.size());
    auto sorted = wanted;
    std::ranges::sort(sorted);
    EXPECT_EQ(all_of(runs), sorted) << held;
    EXPECT_EQ(all_of(runs), sorted) << "again, " << held;
  }
}

}  // namespace
}  // namespace spl::spool
