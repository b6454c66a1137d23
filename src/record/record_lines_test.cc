#include "record/record_lines.h"

#include <gtest/gtest.h>

#include <string>

namespace spl::record {
namespace {

std::string line(int clock) {
  return R"({"act":"DO","actor":"did:web:a","body":{},"clock":)" + std::to_string(clock) +
         R"(,"data_type":"VOID","parents":[],"thread":"th"})";
}

TEST(RecordLines, PassOverEmptyLinesAndTakeBothEndings) {
  const ParsedLines parsed = parse_record_lines("\n" + line(1) + "\r\n\r\n" + line(2) + "\n\n" + line(3));
  EXPECT_FALSE(parsed.error);
  EXPECT_EQ(parsed.lines_read, 6u);
  ASSERT_EQ(parsed.records.size(), 3u);
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(parsed.records[i].clock, i + 1);
}

TEST(RecordLines, OfNothingAreNone) {
  const ParsedLines parsed = parse_record_lines("");
  EXPECT_FALSE(parsed.error);
  EXPECT_EQ(parsed.lines_read, 0u);
  EXPECT_TRUE(parsed.records.empty());
}

TEST(RecordLines, EndAtTheFirstThatIsWrong) {
  const ParsedLines parsed = parse_record_lines(line(1) + "\n\nnonsense\n" + line(2) + "\n");
  ASSERT_TRUE(parsed.error);
  EXPECT_EQ(parsed.error->code, ErrorCode::kUsage);
  EXPECT_EQ(parsed.lines_read, 3u);
  EXPECT_EQ(parsed.records.size(), 1u);
}

}  // namespace
}  // namespace spl::record
