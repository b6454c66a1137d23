#include "instance/committer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "store/memory/memory_store.h"

namespace spl::instance {
namespace {

class CommitterTest : public ::testing::Test {
 protected:
  // How many of the settings "0" to "count - 1" are there.
  int settings(int count) {
    const auto reader = store_->reader();
    int there = 0;
    for (int i = 0; i < count; ++i) there += (*reader)->setting(std::to_string(i)).value() ? 1 : 0;
    return there;
  }

  std::unique_ptr<store::RecordStore> store_ = store::make_memory_store("00");
  Committer committer_{*store_};
};

Committer::Unit sets(int i) {
  return [i](store::StoreWriter& writer) { return writer.set_setting(std::to_string(i), "x"); };
}

TEST_F(CommitterTest, AUnitThatFailsOrThrowsTakesNobodyElseWithIt) {
  constexpr int kUnits = 300;  // more than one group
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kUnits; ++i) {
      threads.emplace_back([&, i] {
        const Result<void> done = committer_.run([i](store::StoreWriter& writer) -> Result<void> {
          TRY(sets(i)(writer));
          if (i % 3 == 1) return fail("no");
          if (i % 3 == 2) throw std::runtime_error("thrown");
          return {};
        });
        failed += done ? 0 : 1;
      });
    }
  }
  EXPECT_EQ(failed, 2 * kUnits / 3);
  EXPECT_EQ(settings(kUnits), kUnits / 3);
}

TEST_F(CommitterTest, GoesOnAfterAThrowWithItsMessageAsTheError) {
  const auto thrown = committer_.run([](store::StoreWriter&) -> Result<void> { throw std::runtime_error("thrown"); });
  ASSERT_FALSE(thrown.has_value());
  EXPECT_NE(thrown.error().message.find("thrown"), std::string::npos);
  EXPECT_TRUE(committer_.run(sets(0)));
  EXPECT_EQ(settings(1), 1);
}

}  // namespace
}  // namespace spl::instance
