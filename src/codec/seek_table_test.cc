#include "codec/seek_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "codec/little_endian.h"

namespace spl::codec {
namespace {

SeekTable three_frames() {
  SeekTable table;
  table.add(100, 1000);
  table.add(40, 0);
  table.add(7, 0xFFFFFFFF);
  return table;
}

std::string text_of(const SeekTable& table) {
  std::string text;
  table.append_to(text);
  return text;
}

std::string why(std::string_view tail) {
  const auto table = parse_seek_table(tail);
  if (table) return "accepted";
  EXPECT_EQ(table.error().code, ErrorCode::kVerification);
  return table.error().message;
}

TEST(SeekTable, IsByteForByteWhatTheFormatSays) {
  SeekTable table;
  table.add(0x0102, 0x030405);
  EXPECT_EQ(text_of(table), std::string("\x5E\x2A\x4D\x18\x11\0\0\0"
                                        "\x02\x01\0\0\x05\x04\x03\0"
                                        "\x01\0\0\0\0\xB1\xEA\x92\x8F",
                                        25));
}

TEST(SeekTable, RoundTrips) {
  for (const SeekTable& table : {SeekTable(), three_frames()}) {
    const std::string text = "frames before it" + text_of(table);
    const auto bytes = seek_table_bytes(std::string_view(text).substr(text.size() - kSeekFooterBytes));
    ASSERT_TRUE(bytes);
    EXPECT_EQ(*bytes, text_of(table).size());
    const auto parsed = parse_seek_table(text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_TRUE(std::ranges::equal(parsed->frames(), table.frames()));
  }
}

TEST(SeekTable, FindsTheFrameOfAnOffset) {
  const SeekTable table = three_frames();
  EXPECT_EQ(table.find(0), (SeekPosition{0, 0, 0}));
  EXPECT_EQ(table.find(999), (SeekPosition{0, 0, 0}));
  EXPECT_EQ(table.find(1000), (SeekPosition{2, 140, 1000}));
  EXPECT_EQ(table.find(1000 + 0xFFFFFFFEull), (SeekPosition{2, 140, 1000}));
  EXPECT_EQ(table.find(1000 + 0xFFFFFFFFull), std::nullopt);
  EXPECT_EQ(SeekTable().find(0), std::nullopt);
}

TEST(SeekTable, ReadsATableWithChecksums) {
  std::string text;
  append_le32(text, 0x184D2A5E);
  append_le32(text, 12 + 9);
  append_le32(text, 5);
  append_le32(text, 6);
  append_le32(text, 0xDEADBEEF);
  append_le32(text, 1);
  text.push_back('\x80');
  append_le32(text, 0x8F92EAB1);
  const auto table = parse_seek_table(text);
  ASSERT_TRUE(table) << table.error().message;
  ASSERT_EQ(table->frames().size(), 1u);
  EXPECT_EQ(table->frames()[0], (SeekFrame{5, 6}));
}

TEST(SeekTable, RefusesWhatIsNotOne) {
  const std::string good = text_of(three_frames());
  EXPECT_EQ(why(""), "zstd: seek table: shorter than its footer");
  EXPECT_EQ(why(good + "x"), "zstd: seek table: not there");
  EXPECT_EQ(why(good.substr(1)), "zstd: seek table: its beginning is missing");
  EXPECT_EQ(why(good.substr(good.size() - kSeekFooterBytes)), "zstd: seek table: its beginning is missing");
  const auto with = [&](std::size_t at, char octet) {
    std::string text = good;
    text[at] = octet;
    return why(text);
  };
  EXPECT_EQ(with(0, '\x5D'), "zstd: seek table: it is not in a skippable frame");
  EXPECT_EQ(with(4, '\x20'), "zstd: seek table: its size is wrong");
  EXPECT_EQ(with(7, '\x20'), "zstd: seek table: its size is wrong");
  EXPECT_EQ(with(8, '\0'), "zstd: seek table: a frame of no bytes");
  EXPECT_EQ(with(good.size() - 5, '\x04'), "zstd: seek table: reserved bits are set");
  EXPECT_EQ(with(good.size() - 5, '\x40'), "zstd: seek table: reserved bits are set");
  EXPECT_EQ(with(good.size() - 1, '\0'), "zstd: seek table: not there");
  EXPECT_EQ(with(good.size() - 9, '\x02'), "zstd: seek table: it is not in a skippable frame");
}

TEST(SeekTable, DoesNotTrustTheNumberOfFrames) {
  for (const std::uint32_t count : {0xFFFFFFFFu, 0x20000000u, 0x80000000u, 1u << 20, (1u << 20) + 1}) {
    std::string footer;
    append_le32(footer, count);
    footer.push_back('\0');
    append_le32(footer, 0x8F92EAB1);
    EXPECT_NE(why(footer), "accepted");
    EXPECT_EQ(seek_table_bytes(footer).has_value(), count <= kSeekFramesMax);
  }
}

TEST(SeekTable, IsLeftOutWhereItWouldBeTooLong) {
  SeekTable table;
  for (std::size_t i = 0; i < kSeekFramesMax; ++i) table.add(1, 1);
  EXPECT_TRUE(parse_seek_table(text_of(table)));
  table.add(1, 1);
  EXPECT_EQ(text_of(table), "");
}

}  // namespace
}  // namespace spl::codec
