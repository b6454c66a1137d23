#include "door/failures.h"

#include <gtest/gtest.h>

#include <string>

namespace spl::door {
namespace {

using namespace std::chrono_literals;

class FailuresTest : public ::testing::Test {
 protected:
  void fail(const std::string& address, int times) {
    for (int i = 0; i < times; ++i) failures_.note(address, now_);
  }
  [[nodiscard]] std::chrono::seconds wait(const std::string& address) const { return failures_.wait_of(address, now_); }
  Failures failures_;
  Failures::TimePoint now_{1000h};
};

TEST_F(FailuresTest, FiveAreFreeThenEachWaitIsTwiceTheOneBefore) {
  fail("192.0.2.1", 5);
  EXPECT_EQ(wait("192.0.2.1"), 0s);
  for (const auto expected : {2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 512s, 900s, 900s}) {
    fail("192.0.2.1", 1);
    EXPECT_EQ(wait("192.0.2.1"), expected);
  }
  EXPECT_EQ(wait("192.0.2.2"), 0s);
  now_ += 900s;
  EXPECT_EQ(wait("192.0.2.1"), 0s);
  fail("192.0.2.1", 1);
  EXPECT_EQ(wait("192.0.2.1"), 900s) << "it is remembered for a while";
  now_ += 31min;
  fail("192.0.2.1", 1);
  EXPECT_EQ(wait("192.0.2.1"), 0s) << "and not for ever";
}

TEST_F(FailuresTest, AHouseholdIsOneAddress) {
  for (int i = 0; i < 6; ++i) failures_.note("2001:db8:1:2::" + std::to_string(i + 1), now_);
  EXPECT_EQ(wait("2001:db8:1:2:ffff::9"), 2s);
  EXPECT_EQ(wait("2001:db8:1:3::1"), 0s);
}

TEST_F(FailuresTest, MadeUpAddressesTakeNoMemoryAndFreeNobody) {
  fail("192.0.2.1", 12);
  const auto before = wait("192.0.2.1");
  ASSERT_GT(before, 100s);
  for (unsigned i = 0; i < 3 * kAddressesMax; ++i) {
    const std::string made_up =
        "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255);
    fail(made_up, 6);
  }
  EXPECT_EQ(wait("192.0.2.1"), before);
}

}  // namespace
}  // namespace spl::door
