#include "env/env.h"

#include <gtest/gtest.h>

namespace spl::env {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = std::chrono::system_clock::time_point;

TEST(Rfc3339, IsUtcWithWholeSeconds) {
  EXPECT_EQ(rfc3339(Time(seconds(0))), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(Time(seconds(1769860800))), "2026-01-31T12:00:00Z");
  EXPECT_EQ(rfc3339(Time(milliseconds(951827696999))), "2000-02-29T12:34:56Z");
  EXPECT_EQ(rfc3339(Time(milliseconds(-1))), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace spl::env
