#include "base/words.h"

#include <gtest/gtest.h>

namespace spl::base {
namespace {

using Words = std::vector<std::string>;

TEST(WordsTest, AreJoinedAndSplit) {
  EXPECT_EQ(join(Words{"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join(Words{"a"}, ", "), "a");
  EXPECT_EQ(join(Words{}, ", "), "");
  EXPECT_EQ(split("a b c", ' '), (Words{"a", "b", "c"}));
  EXPECT_EQ(split("a", ' '), Words{"a"});
  EXPECT_EQ(split("", ' '), Words{});
}

TEST(WordsTest, EmptyOnesStay) {
  EXPECT_EQ(join(Words{"", "b", ""}, ","), ",b,");
  EXPECT_EQ(split(",b,", ','), (Words{"", "b", ""}));
}

}  // namespace
}  // namespace spl::base
