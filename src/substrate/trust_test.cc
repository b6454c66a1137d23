#include "substrate/trust.h"

#include <gtest/gtest.h>

namespace spl::substrate {
namespace {

using std::chrono::hours;
using std::chrono::system_clock;

// The plain interval at z = 1.96, to four digits.
TEST(Trust, IsWilsonsLowerBound) {
  const auto bound = [](double accepted, double all) { return wilson_lower_bound(accepted, all); };
  EXPECT_NEAR(bound(1, 1), 0.2065, 5e-5);
  EXPECT_NEAR(bound(5, 5), 0.5655, 5e-5);
  EXPECT_NEAR(bound(10, 10), 0.7225, 5e-5);
  EXPECT_NEAR(bound(50, 50), 0.9286, 5e-5);
  EXPECT_NEAR(bound(10, 12), 0.5520, 5e-5);
  EXPECT_NEAR(bound(45, 50), 0.7864, 5e-5);
  EXPECT_EQ(bound(0, 0), 0);
  EXPECT_EQ(bound(0, 7), 0);
}

TEST(Trust, AVerdictLosesHalfOfItsWeightInNinetyDays) {
  EXPECT_EQ(verdict_weight(hours(0)), 1);
  EXPECT_EQ(verdict_weight(-hours(24)), 1) << "what is to come weighs no more than what is";
  EXPECT_NEAR(verdict_weight(hours(24 * 90)), 0.5, 1e-12);
  EXPECT_NEAR(verdict_weight(hours(24 * 270)), 0.125, 1e-12);
}

TEST(Trust, IsOfAnActorInADomain) {
  const system_clock::time_point now{hours(24 * 20'000)};
  TrustFold fold(now);
  for (int i = 0; i < 5; ++i) fold.add({"did:a", "code", true, std::nullopt});
  fold.add({"did:a", "text", false, now - hours(24 * 90)});
  fold.add({"did:a", "text", true, now});
  const auto all = fold.result();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].domain, "code");
  EXPECT_EQ(all[0].accepted, 5U);
  EXPECT_NEAR(all[0].trust, 0.5655, 5e-5);
  EXPECT_EQ(all[1].rejected, 1U);
  EXPECT_NEAR(all[1].trust, wilson_lower_bound(1, 1.5), 1e-12);
}

}  // namespace
}  // namespace spl::substrate
