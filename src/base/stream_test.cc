#include "base/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

namespace spl::base {
namespace {

// Gives at most `piece` octets a read, then the end or an error.
class PieceSource final : public Source {
 public:
  PieceSource(std::string_view octets, std::size_t piece, bool fails = false)
      : rest_(octets), piece_(piece), fails_(fails) {}
  Result<std::size_t> read(std::span<char> out) override {
    EXPECT_FALSE(out.empty()) << "nobody asks for nothing";
    const std::size_t n = rest_.copy(out.data(), std::min(out.size(), piece_));
    rest_.remove_prefix(n);
    if (n == 0 && fails_) return fail("the disk is gone");
    return n;
  }

 private:
  std::string_view rest_;
  std::size_t piece_;
  bool fails_;
};

TEST(ReadFull, FillsUnlessTheSourceEnds) {
  std::array<char, 5> out{};
  for (const std::size_t piece : {1u, 2u, 100u}) {
    PieceSource long_one("abcdefg", piece);
    EXPECT_EQ(read_full(long_one, out).value(), 5u);
    EXPECT_EQ(std::string_view(out.data(), 5), "abcde");
    EXPECT_EQ(read_full(long_one, out).value(), 2u);
    EXPECT_EQ(read_full(long_one, out).value(), 0u);
  }
  PieceSource untouched("abc", 1, true);
  EXPECT_EQ(read_full(untouched, {}).value(), 0u);
  EXPECT_FALSE(read_full(untouched, out));
}

TEST(ReadAll, ReadsToTheEndWithinItsLimit) {
  std::string text(200'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7);
  for (const std::size_t piece : {999u, 65'536u, 1u << 20}) {
    for (const std::size_t more : {0u, 1u, 100'000u}) {
      PieceSource source(text, piece);
      const auto all = read_all(source, text.size() + more);
      ASSERT_TRUE(all) << all.error().message;
      EXPECT_TRUE(*all == text);
    }
    PieceSource source(text, piece);
    const auto all = read_all(source, text.size() - 1);
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().message, "more than 199999 bytes");
  }
}

TEST(ReadAll, TakesNothingAsNothing) {
  PieceSource empty("", 1);
  EXPECT_EQ(read_all(empty, 0).value(), "");
  PieceSource one("x", 1);
  EXPECT_FALSE(read_all(one, 0));
  PieceSource failing("x", 1, true);
  EXPECT_EQ(read_all(failing, 10).error().message, "the disk is gone");
}

TEST(ReadAll, HasNoLimitWhereTheLimitIsTheLargestNumber) {
  PieceSource source("abc", 2);
  EXPECT_EQ(read_all(source, ~std::size_t{0}).value(), "abc");
}

TEST(StringStreams, GiveWhatTheyTook) {
  StringSink sink;
  ASSERT_TRUE(sink.write("ab"));
  ASSERT_TRUE(sink.write(""));
  ASSERT_TRUE(sink.write("c"));
  EXPECT_EQ(sink.text, "abc");
  StringSource source(sink.text);
  std::array<char, 2> out{};
  EXPECT_EQ(source.read(out).value(), 2u);
  EXPECT_EQ(source.read(out).value(), 1u);
  EXPECT_EQ(source.read(out).value(), 0u);
}

}  // namespace
}  // namespace spl::base
