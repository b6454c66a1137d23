#include "codec/json_size.h"

#include <gtest/gtest.h>

namespace spl::codec {
namespace {

TEST(JsonSize, CountsValuesButNotWhatStandsInText) {
  EXPECT_TRUE(has_few_values(R"([1,2,{"a":3}])", 4));
  EXPECT_FALSE(has_few_values(R"([1,2,{"a":3}])", 3));
  EXPECT_TRUE(has_few_values(R"(["[,{\",,,,"])", 1));
}

}  // namespace
}  // namespace spl::codec
