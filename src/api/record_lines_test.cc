#include "api/record_lines.h"

#include <gtest/gtest.h>

namespace spl::api {
namespace {

std::string line(int n) {
  return "{\"act\":\"DO\",\"actor\":\"did:web:a\",\"body\":{},\"clock\":" + std::to_string(n) +
         ",\"data_type\":\"VOID\",\"parents\":[],\"thread\":\"th\"}";
}

TEST(LineParser, KeepsTheOrderWhateverTheThreads) {
  std::string lines;
  for (int n = 0; n < 5000; ++n) lines += line(n) + (n % 7 == 0 ? "\r\n\n" : "\n");
  lines.pop_back();
  for (const std::size_t helpers : {0u, 1u, 3u}) {
    LineParser parser(helpers);
    for (int round = 0; round < 5; ++round) {
      const auto records = parser.parse(lines);
      ASSERT_TRUE(records) << records.error().message;
      ASSERT_EQ(records->size(), 5000u);
      for (std::uint64_t n = 0; n < 5000; ++n) EXPECT_EQ((*records)[n].clock, n);
    }
  }
}

TEST(LineParser, NamesTheFirstLineThatIsWrong) {
  std::string lines;
  for (int n = 0; n < 5000; ++n) lines += (n == 3210 || n == 4567 ? "nonsense" : line(n)) + "\n";
  for (const std::size_t helpers : {0u, 3u}) {
    LineParser parser(helpers);
    const auto records = parser.parse(lines);
    ASSERT_FALSE(records);
    EXPECT_EQ(records.error().code, ErrorCode::kUsage);
    EXPECT_EQ(records.error().message.substr(0, 11), "line 3211: ");
  }
}

TEST(LineParser, ServesManyAtOnce) {
  std::string lines;
  for (int n = 0; n < 2000; ++n) lines += line(n) + "\n";
  LineParser parser(2);
  std::vector<std::jthread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 5; ++round) EXPECT_EQ(parser.parse(lines)->size(), 2000u);
    });
  }
}

TEST(LineParser, NothingIsNothing) {
  LineParser parser(1);
  EXPECT_TRUE(parser.parse("")->empty());
  EXPECT_TRUE(parser.parse("\n\r\n\n")->empty());
}

}  // namespace
}  // namespace spl::api
