#include "store/cursor.h"

#include <gtest/gtest.h>

#include "store/conformance_model.h"
#include "store/memory/memory_store.h"

namespace spl::store {
namespace {

const std::string kIncarnation = "00112233445566778899aabbccddeeff";

TEST(Cursor, IsTheTextThatItGives) {
  EXPECT_EQ(Cursor::parse("0").value().incarnation, "");
  for (const std::uint64_t sequence : {std::uint64_t{0}, std::uint64_t{7}, ~std::uint64_t{0}}) {
    const auto cursor = Cursor::parse(Cursor{kIncarnation, sequence}.text());
    ASSERT_TRUE(cursor);
    EXPECT_EQ(cursor->incarnation, kIncarnation);
    EXPECT_EQ(cursor->sequence, sequence);
  }
}

TEST(Cursor, OfAnyOtherFormIsWrongUse) {
  for (const std::string& text :
       {std::string(), std::string("1"), std::string("00"), std::string("-1"), kIncarnation, kIncarnation + ".",
        kIncarnation + ".x", kIncarnation + ".-1", kIncarnation + ".01", kIncarnation + ".1 ",
        kIncarnation + ".18446744073709551616", "." + std::to_string(1), kIncarnation.substr(1) + ".1",
        "AA" + kIncarnation.substr(2) + ".1", kIncarnation + "0.1"}) {
    const auto cursor = Cursor::parse(text);
    ASSERT_FALSE(cursor) << text;
    EXPECT_EQ(cursor.error().code, ErrorCode::kUsage);
  }
}

TEST(Cursor, IsCurrentWhereTheStoreHasItsRecord) {
  const auto store = make_memory_store(kIncarnation);
  conformance::put(*store, {conformance::nth(1), conformance::nth(2)});
  const auto reader = store->reader().value();
  for (const std::uint64_t sequence : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}})
    EXPECT_TRUE(is_current({kIncarnation, sequence}, *reader).value()) << sequence;
  EXPECT_TRUE(is_current({}, *reader).value());
  for (const std::uint64_t sequence : {std::uint64_t{3}, ~std::uint64_t{0}})
    EXPECT_FALSE(is_current({kIncarnation, sequence}, *reader).value()) << sequence;
  const std::string other(32, 'f');
  for (const std::uint64_t sequence : {std::uint64_t{0}, std::uint64_t{1}})
    EXPECT_FALSE(is_current({other, sequence}, *reader).value()) << sequence;
}

}  // namespace
}  // namespace spl::store
