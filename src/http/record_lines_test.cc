#include "http/record_lines.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace spl::http {
namespace {

std::string line(int n, std::string_view actor = "did:web:a") {
  return "{\"act\":\"DO\",\"actor\":\"" + std::string(actor) + "\",\"body\":{},\"clock\":" + std::to_string(n) +
         ",\"data_type\":\"VOID\",\"parents\":[],\"thread\":\"th\"}";
}

// A source that gives little at a time.
class Slow final : public Source {
 public:
  Slow(std::string_view octets, std::size_t piece_bytes) : in_(octets), piece_bytes_(piece_bytes) {}
  Result<std::size_t> read(std::span<char> out) override {
    return in_.read(out.first(std::min(out.size(), piece_bytes_)));
  }

 private:
  base::StringSource in_;
  std::size_t piece_bytes_;
};

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

TEST(ActorGuard, PassesOnWhatIsAllowed) {
  std::string lines;
  for (int n = 0; n < 30'000; ++n) lines += line(n) + "\n";
  lines += "nonsense\n" + line(1);
  for (const std::size_t piece_bytes : {1000u, 1u << 20}) {
    Slow slow(lines, piece_bytes);
    ActorGuard guard(slow, [](std::string_view actor) { return actor == "did:web:a"; });
    const auto passed = base::read_all(guard, 64u << 20);
    ASSERT_TRUE(passed);
    EXPECT_TRUE(*passed == lines);
    EXPECT_FALSE(guard.refused());
  }
}

TEST(ActorGuard, StopsBeforeWhatIsNot) {
  for (const std::string& foreign :
       {line(1, "did:web:b"), line(1, "did:web:b") + "\n", "\n\n" + line(1, "did:web:b") + "\r\n"}) {
    base::StringSource in(foreign);
    ActorGuard guard(in, [](std::string_view actor) { return actor == "did:web:a"; });
    EXPECT_FALSE(base::read_all(guard, 1u << 20));
    EXPECT_TRUE(guard.refused());
  }
}

TEST(ActorGuard, ALineHasALimit) {
  const std::string endless(40u << 20, 'x');
  base::StringSource in(endless);
  ActorGuard guard(in, [](std::string_view) { return true; });
  EXPECT_EQ(base::read_all(guard, 64u << 20).error().code, ErrorCode::kUsage);
  EXPECT_FALSE(guard.refused());
}

}  // namespace
}  // namespace spl::http
