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

TEST(RecordLines, MayLackTheClock) {
  const std::string bare = R"({"act":"DO","actor":"did:web:a","body":{"x":{"clock":0,"data_type":1}},)"
                           R"("data_type":"VOID","judged_by":"did:web:b","parents":[],"thread":"th"})";
  const ParsedLines parsed = parse_record_lines(line(7) + "\n" + bare + "\n");
  EXPECT_FALSE(parsed.error);
  ASSERT_EQ(parsed.records.size(), 2u);
  EXPECT_FALSE(parsed.records[0].lacks_clock);
  EXPECT_TRUE(parsed.records[1].lacks_clock);
  const auto clocked = with_clock(parsed.records[1], 42);
  ASSERT_TRUE(clocked);
  EXPECT_EQ(clocked->clock, 42u);
  EXPECT_FALSE(clocked->lacks_clock);
  EXPECT_EQ(clocked->judged_by, "did:web:b");
  EXPECT_EQ(clocked->body(), R"({"x":{"clock":0,"data_type":1}})");
}

TEST(RecordLines, WithASignatureHaveAClock) {
  const std::string sig(86, 'A');
  const ParsedLines parsed = parse_record_lines(R"({"act":"DO","actor":"did:web:a","body":{},"data_type":"VOID",)"
                                                R"("parents":[],"sig":")" +
                                                sig + R"(==","thread":"th"})");
  ASSERT_TRUE(parsed.error);
  EXPECT_NE(parsed.error->message.find("without a clock"), std::string::npos) << parsed.error->message;
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
