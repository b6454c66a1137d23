#include "base/rfc3339.h"

#include <gtest/gtest.h>

namespace spl::base {
namespace {

using std::chrono::seconds;

seconds since_epoch(std::string_view text) {
  const auto time = parse_rfc3339(text);
  EXPECT_TRUE(time) << text;
  return time ? std::chrono::floor<seconds>(time->time_since_epoch()) : seconds(-1);
}

// The examples of RFC 3339, section 5.8.
TEST(Rfc3339, ReadsItsOwnExamples) {
  EXPECT_EQ(since_epoch("1985-04-12T23:20:50.52Z"), seconds(482'196'050));
  EXPECT_EQ(since_epoch("1996-12-19T16:39:57-08:00"), since_epoch("1996-12-20T00:39:57Z"));
  EXPECT_EQ(since_epoch("1990-12-31T23:59:60Z"), since_epoch("1991-01-01T00:00:00Z"));
  EXPECT_EQ(since_epoch("1990-12-31T15:59:60-08:00"), since_epoch("1990-12-31T23:59:60Z"));
  EXPECT_EQ(since_epoch("1937-01-01T12:00:27.87+00:20"), since_epoch("1937-01-01T11:40:27Z"));
  const auto fraction = parse_rfc3339("1970-01-01T00:00:00.123456789012Z");
  ASSERT_TRUE(fraction);
  EXPECT_EQ(fraction->time_since_epoch(), std::chrono::nanoseconds(123'456'789));
}

TEST(Rfc3339, RefusesWhatIsNone) {
  for (const char* text :
       {"", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Zx", "2026-01-01 00:00:00Z", "0001-01-01T00:00:00Z", "+026-01-01T00:00:00Z"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

}  // namespace
}  // namespace spl::base
