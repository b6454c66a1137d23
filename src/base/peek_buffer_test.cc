#include "base/peek_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace spl::base {
namespace {

// Gives a few octets at a time.
class Drops final : public Source {
 public:
  explicit Drops(std::string_view octets) : rest_(octets) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = rest_.copy(out.data(), std::min<std::size_t>(out.size(), 3));
    rest_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view rest_;
};

std::string text_of(std::span<char> octets) {
  return {octets.data(), octets.size()};
}

TEST(PeekBuffer, GivesAtLeastWhatIsWantedAndTheSameAgain) {
  Drops in("abcdefghij");
  PeekBuffer buffer(in, 8);
  EXPECT_EQ(text_of(buffer.held()), "");
  EXPECT_EQ(text_of(buffer.peek(2).value()), "abc");
  EXPECT_EQ(text_of(buffer.peek(4).value()), "abcdef");
  EXPECT_EQ(text_of(buffer.held()), "abcdef");
  buffer.take(5);
  EXPECT_EQ(text_of(buffer.peek(0).value()), "f");
  EXPECT_EQ(text_of(buffer.peek(5).value()), "fghij");
}

TEST(PeekBuffer, GivesWhatIsLeftAtTheEnd) {
  Drops in("abcd");
  PeekBuffer buffer(in, 8);
  EXPECT_EQ(text_of(buffer.peek(8).value()), "abcd");
  buffer.take(4);
  EXPECT_EQ(text_of(buffer.peek(1).value()), "");
  EXPECT_EQ(text_of(buffer.peek(1).value()), "");
}

TEST(PeekBuffer, PassesTheErrorOfItsSourceOn) {
  class Broken final : public Source {
    Result<std::size_t> read(std::span<char>) override { return fail("broken"); }
  } in;
  PeekBuffer buffer(in, 8);
  const auto peeked = buffer.peek(1);
  ASSERT_FALSE(peeked);
  EXPECT_EQ(peeked.error().message, "broken");
}

TEST(PeekBuffer, HoldsWhatIsWrittenInPlace) {
  Drops in("abc");
  PeekBuffer buffer(in, 4);
  buffer.peek(3).value()[1] = 'B';
  EXPECT_EQ(text_of(buffer.held()), "aBc");
  EXPECT_EQ(buffer.storage().size(), 4u);
  EXPECT_EQ(buffer.storage().data(), buffer.held().data());
}

}  // namespace
}  // namespace spl::base
