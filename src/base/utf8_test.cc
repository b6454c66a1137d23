#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace spl::base {
namespace {

bool is_scalar(std::uint32_t c) {
  return c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
}

TEST(Utf8, EveryScalarValueRoundTrips) {
  for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
    if (!is_scalar(c)) continue;
    std::string text;
    append_utf8(text, c);
    std::uint32_t back = ~0u;
    ASSERT_EQ(decode_utf8(text + "\x80tail", back), text.size()) << c;
    ASSERT_EQ(back, c);
    for (std::size_t bytes = 0; bytes < text.size(); ++bytes)
      ASSERT_EQ(decode_utf8(std::string_view(text).substr(0, bytes), back), 0u) << c;
  }
}

// All octets three deep, then at the borders of the fourth: what is accepted is what append_utf8 makes.
TEST(Utf8, AcceptsOnlyWhatItMakes) {
  std::uint64_t accepted = 0;
  const auto check = [&](const std::string& text) {
    std::uint32_t c = 0;
    const std::size_t length = decode_utf8(text, c);
    if (length == 0) return;
    ASSERT_TRUE(is_scalar(c));
    std::string made;
    append_utf8(made, c);
    ASSERT_EQ(made, text.substr(0, length));
    if (length == text.size()) ++accepted;
  };
  std::string text(3, '\0');
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      for (int c = 0; c < 256; ++c) {
        text[0] = static_cast<char>(a);
        text[1] = static_cast<char>(b);
        text[2] = static_cast<char>(c);
        check(text);
      }
    }
  }
  EXPECT_EQ(accepted, 0x10000u - 0x800u - 0x800u);  // U+0800 to U+FFFF without the surrogates
  for (int a = 0xEF; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      for (const int c : {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF}) {
        for (const int d : {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF}) {
          check({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c), static_cast<char>(d)});
        }
      }
    }
  }
}

TEST(Utf8, RefusesTheFormsThatAttackersUse) {
  for (const std::string_view text : {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC0\xAF",
                                      "\xC1\xBF",
                                      "\xE0\x80\xAF",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xF0\x80\x80\xAF",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xF8\x88\x80\x80\x80",
                                      "\xFC\x84\x80\x80\x80\x80",
                                      "\xFE",
                                      "\xFF",
                                      "a\xC3",
                                      "\xC3(",
                                      "\xE2\x82",
                                      "\xF0\x9F\x98"})
    EXPECT_FALSE(is_utf8(text));
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
  EXPECT_TRUE(is_utf8("\xEF\xBB\xBF\xEF\xBF\xBE\xEF\xBF\xBF"));  // a mark and two that are no characters
}

}  // namespace
}  // namespace spl::base
