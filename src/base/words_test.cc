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

TEST(WordsTest, AreCounted) {
  EXPECT_EQ(counted(0, "record"), "0 records");
  EXPECT_EQ(counted(1, "record"), "1 record");
  EXPECT_EQ(counted(2, "record"), "2 records");
}

}  // namespace
}  // namespace spl::base
