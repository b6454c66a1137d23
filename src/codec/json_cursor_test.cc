#include "codec/json_cursor.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "codec/json_test_util.h"

namespace spl::codec {
namespace {

std::string nested(int depth, std::string_view open, std::string_view inner, std::string_view close) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += inner;
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(CanonicalJson, HasNoWhiteSpaceOutsideStrings) {
  EXPECT_EQ(canonical(" \t\r\n{ \"a\" : [ 1 , 2 , { } , [ ] ] , \"b\" : \" x \" } \n"),
            "{\"a\":[1,2,{},[]],\"b\":\" x \"}");
  for (const char* text : {"\v1", "\f1",
                           "\xC2\xA0"
                           "1",
                           "1\v", "// c\n1", "/**/1"})
    EXPECT_TRUE(refused(text)) << text;
}

TEST(CanonicalJson, KeepsWordsAndTheOrderOfArrays) {
  EXPECT_EQ(canonical("[null,true,false,3,1,2]"), "[null,true,false,3,1,2]");
  EXPECT_EQ(canonical("null"), "null");
  EXPECT_EQ(canonical(" \"x\" "), "\"x\"");
}

TEST(CanonicalJson, SortsNamesByTheirUtf8BytesAfterUnescaping) {
  EXPECT_EQ(canonical(R"({"b":1,"a":2,"":3,"aa":4,"A":5})"), R"({"":3,"A":5,"a":2,"aa":4,"b":1})");
  // U+FFFF is before U+10000 in UTF-8 and behind it in UTF-16.
  EXPECT_EQ(canonical(R"({"\ud800\udc00":1,"\uffff":2})"), "{\"\xEF\xBF\xBF\":2,\"\xF0\x90\x80\x80\":1}");
  // By the escape's text \n (5C) would come behind A (41).
  EXPECT_EQ(canonical(R"({"A":1,"\n":2})"), R"({"\n":2,"A":1})");
  EXPECT_EQ(canonical(R"({"\"":1,"!":2,"#":3,"\\":4,"[":5,"]":6})"), R"({"!":2,"\"":1,"#":3,"[":5,"\\":4,"]":6})");
  EXPECT_EQ(canonical(R"({"\u007f":1,"\u0080":2,"\u0000":3})"), "{\"\\u0000\":3,\"\x7F\":1,\"\xC2\x80\":2}");
  EXPECT_EQ(canonical("{\"a\\u0000b\":1,\"a\":2,\"a\\u0000\":3}"), "{\"a\":2,\"a\\u0000\":3,\"a\\u0000b\":1}");
}

TEST(CanonicalJson, SortsInsideOfObjectsThatAreThemselvesMoved) {
  EXPECT_EQ(canonical(R"({"z":{"d":[{"y":1,"x":2}],"c":{}},"\u0061":{"q":1,"p":{"2":0,"1":0}}})"),
            R"({"a":{"p":{"1":0,"2":0},"q":1},"z":{"c":{},"d":[{"x":2,"y":1}]}})");
}

TEST(CanonicalJson, RefusesARepeatedName) {
  for (const char* text :
       {R"({"a":1,"a":1})", R"({"a":1,"\u0061":1})", R"({"\u0061":1,"a":1})", R"({"b":1,"a":2,"b":3})",
        R"({"a":1,"b":2,"c":3,"a":4})", R"({"":1,"":2})", R"([{"x":{"k":1,"k":2}}])", R"({"\n":1,"\u000a":2})",
        R"({"\/":1,"/":2})", R"({"\ud83d\ude00":1,"😀":2})", R"({"c":{"a":1},"b":0,"\u0063":{}})"})
    EXPECT_NE(canonical(text).find("stands twice"), std::string::npos) << text;
  EXPECT_EQ(canonical(R"({"a":{"a":{"a":1}},"b":{"a":1}})"), R"({"a":{"a":{"a":1}},"b":{"a":1}})");
  // Not the same name: no normalisation, and case counts.
  EXPECT_EQ(canonical("{\"\xC3\xA9\":1,\"e\xCC\x81\":2}"), "{\"e\xCC\x81\":2,\"\xC3\xA9\":1}");
}

TEST(CanonicalJson, EscapesOnlyWhatMustBe) {
  EXPECT_EQ(canonical(R"("\"\\\/\b\f\n\r\t")"), R"("\"\\/\b\f\n\r\t")");
  EXPECT_EQ(canonical(R"("\u0022\u005c\u005C\u002f\u0008\u000c\u000a\u000d\u0009")"), R"("\"\\\\/\b\f\n\r\t")");
  EXPECT_EQ(canonical(R"("\u0000\u0001\u000b\u001f\u001F\u0020\u007f\u0080\u2028\u2029\ufeff")"),
            "\"\\u0000\\u0001\\u000b\\u001f\\u001f \x7F\xC2\x80\xE2\x80\xA8\xE2\x80\xA9\xEF\xBB\xBF\"");
  EXPECT_EQ(canonical(R"("\u00e9\u20AC\uD83D\uDE00\uFFFF\udbff\udfff")"),
            "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBF\xF4\x8F\xBF\xBF\"");
}

TEST(CanonicalJson, EveryControlCharacterHasOneForm) {
  for (int c = 0; c < 0x20; ++c) {
    const char octet = static_cast<char>(c);
    char escape[16];
    std::snprintf(escape, sizeof escape, "\"\\u%04X\"", c);
    std::string expected;
    base::append_json_string(expected, {&octet, 1});
    EXPECT_EQ(canonical(escape), expected);
    EXPECT_EQ(decode_json_string(expected).value(), std::string(1, octet));
    EXPECT_TRUE(refused("\"" + std::string(1, octet) + "\"")) << c;
    EXPECT_TRUE(refused("{\"abcdefgh" + std::string(1, octet) + "\":1}")) << c;
    if (c == '\t' || c == '\n' || c == '\r') continue;
    EXPECT_TRUE(refused("1" + std::string(1, octet))) << c;
  }
}

TEST(CanonicalJson, RefusesBrokenEscapes) {
  for (const char* text : {R"("\x41")", R"("\'")", R"("\0")", R"("\U0041")", R"("\u")", R"("\u1")", R"("\u12")",
                           R"("\u123")", R"("\u123g")", R"("\u 123")", R"("\u+123")", R"("\u-001")", R"("\u００61")",
                           R"("\)", R"("\)", R"("\a")", R"("\v")", R"("\N")"})
    EXPECT_TRUE(refused(text)) << text;
}

TEST(CanonicalJson, RefusesUnpairedSurrogates) {
  for (const char* text :
       {R"("\ud800")", R"("\udc00")", R"("\udfff")", R"("\udbff")", R"("\ud800x")", R"("\ud800\n")",
        R"("\ud800\ud800")", R"("\udc00\ud800")", R"("\ud800\u0041")", R"("\ud800\ue000")", R"("\ud800\udc0")",
        R"("\ud800\")", R"("\ud800\u")", R"({"\ud800":1})", R"("\uD83D\uDE00\uDE00")", R"("\ud800 \udc00")"})
    EXPECT_TRUE(refused(text)) << text;
}

TEST(CanonicalJson, RefusesInvalidUtf8) {
  const std::string_view broken[] = {
      "\x80",
      "\xBF",
      "\xC0\x80",
      "\xC1\xBF",
      "\xC2",
      "\xC2\x20",
      "\xC2\xC2",
      "\xE0\x80\x80",
      "\xE0\x9F\xBF",
      "\xE2\x82",
      "\xE2\x28\xA1",
      "\xE2\x82\x28",
      "\xED\xA0\x80",
      "\xED\xBF\xBF",
      "\xED\xA0\xBD\xED\xB8\x80",
      "\xF0\x80\x80\x80",
      "\xF0\x8F\xBF\xBF",
      "\xF0\x9F\x98",
      "\xF0\x28\x8C\xBC",
      "\xF4\x90\x80\x80",
      "\xF5\x80\x80\x80",
      "\xF8\x88\x80\x80\x80",
      "\xFE",
      "\xFF",
      "\xC3\xA9\xA9",
  };
  for (const std::string_view bytes : broken) {
    for (const std::string_view before : {"", "abcdefg", "abcdefgh", "abcdefghijklmnop"}) {
      const std::string text = std::string(before).append(bytes);
      EXPECT_TRUE(refused("\"" + text + "\"")) << base::escaped(bytes);
      EXPECT_TRUE(refused("{\"" + text + "\":1}")) << base::escaped(bytes);
      EXPECT_TRUE(refused("\"" + text)) << base::escaped(bytes);
    }
  }
  for (const std::string_view good : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                                      "\xEF\xBF\xBE", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    const std::string text = "\"" + std::string(good) + "\"";
    EXPECT_EQ(canonical(text), text);
  }
}

TEST(CanonicalJson, RefusesAByteOrderMark) {
  EXPECT_TRUE(refused("\xEF\xBB\xBF{}"));
  EXPECT_TRUE(refused("\xFF\xFE{\0}\0"));
  EXPECT_TRUE(refused("{}\xEF\xBB\xBF"));
}

TEST(CanonicalJson, RefusesWhatIsNoJson) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[",
                           "]",
                           "[1,]",
                           "[,1]",
                           "[,]",
                           "[1 2]",
                           "[1,,2]",
                           "{,}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{\"a\" 1}",
                           "{\"a\":1 \"b\":2}",
                           "{a:1}",
                           "{'a':1}",
                           "{1:1}",
                           "{null:1}",
                           "[1}",
                           "{\"a\":1]",
                           "nul",
                           "nulll",
                           "True",
                           "tru",
                           "falsey",
                           "NaN",
                           "Infinity",
                           "-",
                           "+1",
                           "01",
                           ".5",
                           "1.",
                           "1e",
                           "0x1",
                           "'a'",
                           "\"a",
                           "a\"",
                           "[1]]",
                           "{}{}",
                           "1 2",
                           "\"a\"\"b\"",
                           "{\"a\":1}x",

                           "undefined",
                           "{\"a\":1,,\"b\":2}",
                           "{\"a\"::1}",
                           "[\"a\"",
                           "-a",
                           "--1",
                           "1-1",
                           "1e5.5",
                           "{\"a\":1;}",
                           "[:]"})
    EXPECT_TRUE(refused(text)) << text;
  EXPECT_TRUE(refused(std::string_view("1\0", 2)));
  EXPECT_TRUE(refused(std::string_view("\0", 1)));
  EXPECT_TRUE(refused(std::string_view("[1\0]", 4)));
  EXPECT_TRUE(refused(std::string_view()));
}

TEST(CanonicalJson, RefusesNumbersBeyondADouble) {
  EXPECT_NE(canonical("[1,{\"a\":1e400}]").find("too large"), std::string::npos);
  EXPECT_EQ(canonical("[1e-400,-0,-0.0,1E2,123456789012345678901234567890]"),
            "[0,0,0,100,123456789012345678901234567890]");
}

TEST(CanonicalJson, Nests128DeepAndNoDeeper) {
  const std::string arrays = nested(128, "[", "", "]");
  EXPECT_EQ(canonical(arrays), arrays);
  EXPECT_TRUE(refused(nested(129, "[", "", "]")));
  const std::string objects = nested(128, "{\"a\":", "1", "}");
  EXPECT_EQ(canonical(objects), objects);
  EXPECT_TRUE(refused(nested(129, "{\"a\":", "1", "}")));
  EXPECT_EQ(canonical(nested(64, "[{\"a\":", "{}", "}]")).substr(0, 8), "refused:");
  EXPECT_EQ(canonical(nested(64, "[{\"a\":", "0", "}]")), nested(64, "[{\"a\":", "0", "}]"));
  EXPECT_TRUE(refused(nested(1'000'000, "[", "", "]")));
  EXPECT_TRUE(refused(std::string(1'000'000, '[')));
  // Going out gives back what going in took.
  std::string wide = "[";
  for (int i = 0; i < 1000; ++i) wide += (i > 0 ? "," : "") + nested(127, "[", "", "]");
  wide += "]";
  EXPECT_EQ(canonical(wide), wide);
}

TEST(CanonicalJson, ErrorsHaveTheUsageCodeAndAPlace) {
  std::string out;
  const auto done = canonicalize_json("[1, 2, x]", out);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kUsage);
  EXPECT_NE(done.error().message.find("at byte 7"), std::string::npos) << done.error().message;
}

TEST(CanonicalJson, AppendsToWhatIsThere) {
  std::string out = "before";
  ASSERT_TRUE(canonicalize_json("{\"b\":{\"d\":1,\"c\":2},\"a\":1}", out));
  EXPECT_EQ(out, "before{\"a\":1,\"b\":{\"c\":2,\"d\":1}}");
}

TEST(JsonCursor, WalksObjectsAndArrays) {
  JsonCursor cursor(R"( { "a" : [ 1 , "x" , [ ] , { } ] , "b" : { "\u0063" : null } , "d" : true } )");
  std::string name;
  ASSERT_TRUE(cursor.begin_object());
  ASSERT_TRUE(cursor.next_member(name).value());
  EXPECT_EQ(name, "a");
  EXPECT_EQ(cursor.peek().value(), JsonType::kArray);
  ASSERT_TRUE(cursor.begin_array());
  ASSERT_TRUE(cursor.next_element().value());
  EXPECT_EQ(cursor.number().value(), "1");
  ASSERT_TRUE(cursor.next_element().value());
  EXPECT_EQ(cursor.string().value(), "x");
  ASSERT_TRUE(cursor.next_element().value());
  ASSERT_TRUE(cursor.begin_array());
  EXPECT_FALSE(cursor.next_element().value());
  ASSERT_TRUE(cursor.next_element().value());
  ASSERT_TRUE(cursor.begin_object());
  EXPECT_FALSE(cursor.next_member(name).value());
  EXPECT_FALSE(cursor.next_element().value());
  ASSERT_TRUE(cursor.next_member(name).value());
  EXPECT_EQ(name, "b");
  ASSERT_TRUE(cursor.begin_object());
  ASSERT_TRUE(cursor.next_member(name).value());
  EXPECT_EQ(name, "c");
  EXPECT_TRUE(cursor.null());
  EXPECT_FALSE(cursor.next_member(name).value());
  ASSERT_TRUE(cursor.next_member(name).value());
  EXPECT_EQ(cursor.peek().value(), JsonType::kBoolean);
  EXPECT_EQ(cursor.boolean().value(), true);
  EXPECT_FALSE(cursor.next_member(name).value());
  EXPECT_TRUE(cursor.end());
}

TEST(JsonCursor, WalkNests128DeepAndNoDeeper) {
  for (const int depth : {128, 129}) {
    const std::string arrays = nested(depth, "[", "", "]");
    const std::string objects = nested(depth, "{\"a\":", "1", "}");
    JsonCursor in_arrays(arrays);
    JsonCursor in_objects(objects);
    EXPECT_EQ(walk(in_arrays).has_value(), depth == 128);
    EXPECT_EQ(walk(in_objects).has_value(), depth == 128);
  }
  JsonCursor within("[]", 128);
  EXPECT_FALSE(within.begin_array());
}

TEST(JsonCursor, AValueOfAnotherTypeIsAnError) {
  EXPECT_FALSE(JsonCursor("1").string());
  EXPECT_FALSE(JsonCursor("\"1\"").number());
  EXPECT_FALSE(JsonCursor("nul").null());
  EXPECT_FALSE(JsonCursor("1").boolean());
  EXPECT_FALSE(JsonCursor("[]").begin_object());
  EXPECT_FALSE(JsonCursor("{}").begin_array());
  EXPECT_FALSE(JsonCursor("").peek());
}

TEST(JsonCursor, DecodesStrings) {
  EXPECT_EQ(JsonCursor("\"plain\"").string().value(), "plain");
  EXPECT_EQ(JsonCursor("\"\"").string().value(), "");
  EXPECT_EQ(JsonCursor(R"("\"\\\/\b\f\n\r\tA\u0000\u001f\ud83d\ude00é")").string().value(),
            std::string("\"\\/\b\f\n\r\tA\0\x1F\xF0\x9F\x98\x80\xC3\xA9", 17));
}

}  // namespace
}  // namespace spl::codec
