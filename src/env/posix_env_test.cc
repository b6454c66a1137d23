#include "env/posix_env.h"

#include <gtest/gtest.h>

#include <string>

namespace spl::env {
namespace {

TEST(SystemClock, SteadyTimeDoesNotGoBack) {
  SystemClock clock;
  const auto first = clock.steady();
  EXPECT_GE(clock.steady(), first);
  EXPECT_GT(rfc3339(clock.now()), "2024");
}

TEST(SystemRandom, FillsAllOfIt) {
  SystemRandom random;
  std::string a(100'000, '\0');
  std::string b(100'000, '\0');
  random.fill(a);
  random.fill(b);
  EXPECT_NE(a, b);
  EXPECT_NE(a.substr(a.size() - 32), std::string(32, '\0'));
  random.fill({});
}

}  // namespace
}  // namespace spl::env
