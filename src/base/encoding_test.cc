#include "base/encoding.h"

#include <gtest/gtest.h>

#include <string>

#include "base/utf8.h"

namespace spl::base {
namespace {

std::string every_octet() {
  std::string text;
  for (int i = 0; i < 256; ++i) text.push_back(static_cast<char>(i));
  return text;
}

TEST(Hex, IsLowercaseAndRoundTrips) {
  EXPECT_EQ(to_hex(std::string_view("\0\x1f\xAB\xff", 4)), "001fabff");
  EXPECT_EQ(from_hex(to_hex(every_octet())).value(), every_octet());
  EXPECT_EQ(from_hex("").value(), "");
  std::string out = "x";
  append_hex(out, "\xFE");
  EXPECT_EQ(out, "xfe");
}

TEST(Hex, RefusesEverythingElse) {
  for (const std::string_view text : {"a", "0g", "AB", "0x", " 0", "00 ", "0\n", "a\xC3\xA9"})
    EXPECT_FALSE(from_hex(text)) << text;
  EXPECT_FALSE(from_hex(std::string_view("0\0", 2)));
  // Every octet that is no digit, at both places.
  for (const char c : every_octet()) {
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    EXPECT_EQ(from_hex(std::string{c, '0'}).has_value(), digit);
    EXPECT_EQ(from_hex(std::string{'0', c}).has_value(), digit);
  }
}

TEST(Hex, DigestsAreOfOneLength) {
  const std::string text(64, 'a');
  Digest digest;
  ASSERT_TRUE(parse_hex_digest(text, digest));
  EXPECT_EQ(to_hex(digest.view()), text);
  EXPECT_FALSE(parse_hex_digest(text.substr(1), digest));
  EXPECT_FALSE(parse_hex_digest(text.substr(2), digest));
  EXPECT_FALSE(parse_hex_digest(text + "aa", digest));
  EXPECT_FALSE(parse_hex_digest("", digest));
  EXPECT_FALSE(parse_hex_digest(std::string(63, 'a') + "A", digest));
}

TEST(Base64, IsThatOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"},
                                                                   {"\xFB\xFF\xBF", "+/+/"}};
  for (const auto& [octets, text] : vectors) {
    EXPECT_EQ(to_base64(octets), text);
    EXPECT_EQ(from_base64(text).value(), octets);
    const std::string_view bare = text.substr(0, text.find('='));
    EXPECT_EQ(to_base64(octets, Padding::kNone), bare);
    EXPECT_EQ(from_base64(bare, Padding::kNone).value(), octets);
  }
  for (std::size_t bytes = 0; bytes < 256; ++bytes) {
    const std::string octets = every_octet().substr(0, bytes);
    EXPECT_EQ(from_base64(to_base64(octets)).value(), octets);
  }
}

TEST(Base64, HasOneTextForOneValue) {
  for (const std::string_view text : {"Zg", "Zg=", "Zg===", "Z", "Z===", "====", "=", "Zm9v====", "Zh==", "Zm9=",
                                      "Zm8-", "Zm8_", "Zm 8", "Zm8=\n", " Zg==", "Zg==Zg==", "Z=g=", "Zm9vY", "=Zg="})
    EXPECT_FALSE(from_base64(text)) << text;
  for (const std::string_view text : {"Zg==", "Z", "Zh", "Zm9", "Zm9vY", "Zm9v=", "="})
    EXPECT_FALSE(from_base64(text, Padding::kNone)) << text;
  // Of all texts of four characters, each value has the one that to_base64 makes.
  for (const char c : every_octet()) {
    for (const std::string& text : {std::string("AA") + c + "A", std::string("AAA") + c, c + std::string("AAA"),
                                    std::string("A") + c + "==", std::string("AA") + c + "="}) {
      const auto octets = from_base64(text);
      if (octets) {
        EXPECT_EQ(to_base64(*octets), text);
      }
    }
  }
}

TEST(JsonString, EscapesAsRecordsDo) {
  std::string out = "x";
  append_json_string(out, std::string_view("a\"\\\b\f\n\r\t\0\x1f\x7f/\xC3\xA9", 14));
  EXPECT_EQ(out, "x\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\x7f/\xC3\xA9\"");
  out.clear();
  append_json_string(out, "");
  EXPECT_EQ(out, "\"\"");
}

TEST(Escaped, ShowsTextAndHidesWhatWouldAct) {
  EXPECT_EQ(escaped("plain text/\xC3\xA9\xE4\xB8\xAD"), "plain text/\xC3\xA9\xE4\xB8\xAD");
  EXPECT_EQ(escaped("\x1b[2J\n"), "\\x1b[2J\\x0a");
  EXPECT_EQ(escaped(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(escaped("\"\\\x7f"), "\\x22\\x5c\\x7f");
  EXPECT_EQ(escaped("\xC2\x85"), "\\xc2\\x85");  // a control of Latin 1
  EXPECT_EQ(escaped("\xE2\x80\xAE"
                    "abc"),
            "\\xe2\\x80\\xaeabc");  // turns the rest round
  EXPECT_EQ(escaped("\xE2\x81\xA6"), "\\xe2\\x81\\xa6");
  EXPECT_EQ(escaped("\xC3"), "\\xc3");
  EXPECT_EQ(escaped("\xFFok"), "\\xffok");
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // half of a surrogate pair
}

TEST(Escaped, LeavesNoLineBreakThatATerminalKnows) {
  EXPECT_EQ(escaped("\xE2\x80\xA8"), "\\xe2\\x80\\xa8");  // line separator
  EXPECT_EQ(escaped("\xE2\x80\xA9"), "\\xe2\\x80\\xa9");  // paragraph separator
  EXPECT_EQ(escaped("a\xE2\x80\x8B"
                    "b"),
            "a\\xe2\\x80\\x8b"
            "b");                                                              // no width
  EXPECT_EQ(escaped("\xEF\xBB\xBF"), "\\xef\\xbb\\xbf");                       // a byte order mark
  EXPECT_EQ(escaped("\xF3\xA0\x81\x81"), "\\xf3\\xa0\\x81\\x81");              // a tag
  EXPECT_EQ(escaped("\xC2\xAD"), "\\xc2\\xad");                                // a hyphen that is not there
  EXPECT_EQ(escaped("\xC2\xA0\xF0\x9F\x98\x80"), "\xC2\xA0\xF0\x9F\x98\x80");  // what is seen stays
}

TEST(Escaped, CutsWhatIsLongButNotInACharacter) {
  EXPECT_EQ(escaped("abcdef", 6), "abcdef");
  EXPECT_EQ(escaped("abcdefg", 6), "abcdef...");
  EXPECT_EQ(escaped("ab\xC3\xA9", 3), "ab...");
  EXPECT_EQ(escaped(std::string(1000, 'a')), std::string(256, 'a') + "...");
}

TEST(Escaped, IsAlwaysUtf8WithoutControls) {
  std::uint32_t x = 1;
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (int k = 0; k < 20; ++k) {
      x = x * 1664525u + 1013904223u;
      text.push_back(static_cast<char>(x >> 24));
    }
    const std::string shown = escaped(text, 15);
    EXPECT_TRUE(is_utf8(shown));
    for (const char c : shown) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
  }
}

}  // namespace
}  // namespace spl::base
