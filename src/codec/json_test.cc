#include "codec/json.h"

#include <gtest/gtest.h>

#include <string>

namespace spl::codec {
namespace {

TEST(Json, ParsesAndWritesCompactKeepingOrderAndDigits) {
  const std::string text =
      R"({"b":[1,-0,1.50,1E400,12345678901234567890123,"x\n/",null,true,false,[],{}],"a":{"c":""}})";
  EXPECT_EQ(Json::parse(text).value().text(), text);
}

TEST(Json, WritesPrettyAsManifestsAre) {
  const Json value = Json::parse(R"({"a":1,"b":[],"c":{},"d":[1,{"e":null}]})").value();
  EXPECT_EQ(value.pretty(), R"({
  "a": 1,
  "b": [],
  "c": {},
  "d": [
    1,
    {
      "e": null
    }
  ]
})");
  EXPECT_EQ(Json::parse(value.pretty()).value().text(), value.text());
}

TEST(Json, IsMadeFromValues) {
  Json value;
  value.add("text", "x");
  value.add("yes", true);
  value.add("small", -5);
  value.add("large", UINT64_MAX);
  value.add("real", 1e21);
  value.add("nothing", Json());
  value.add("list", Json::Array{Json("a"), Json(1)});
  value.add("owned", std::string("a\"b"));
  value.add("empty", Json::Object{});
  EXPECT_EQ(value.text(),
            R"({"text":"x","yes":true,"small":-5,"large":18446744073709551615,"real":1e+21,"nothing":null,)"
            R"("list":["a",1],"owned":"a\"b","empty":{}})");
}

TEST(Json, FindsMembersByDecodedName) {
  const Json value = Json::parse(R"({"\u0061":1,"b":"x"})").value();
  ASSERT_NE(value.find("a"), nullptr);
  EXPECT_EQ(value.find("a")->whole_number().value(), 1u);
  EXPECT_EQ(*value.find("b")->string(), "x");
  EXPECT_EQ(value.find("c"), nullptr);
  EXPECT_EQ(Json("text").find("a"), nullptr);
  EXPECT_EQ(Json().find("a"), nullptr);
}

TEST(Json, GivesAValueOnlyOfItsOwnType) {
  const Json text("x");
  EXPECT_NE(text.string(), nullptr);
  EXPECT_EQ(text.boolean(), nullptr);
  EXPECT_EQ(text.array(), nullptr);
  EXPECT_EQ(text.object(), nullptr);
  EXPECT_FALSE(text.whole_number());
  EXPECT_TRUE(Json().is_null());
  EXPECT_EQ(Json::parse("[]").value().type(), JsonType::kArray);
  EXPECT_EQ(Json::parse("1").value().type(), JsonType::kNumber);
}

TEST(Json, WholeNumbersAreFromZeroTo2To63Minus1) {
  EXPECT_EQ(Json::parse("0").value().whole_number().value(), 0u);
  EXPECT_EQ(Json::parse("9223372036854775807").value().whole_number().value(), 9223372036854775807u);
  for (const char* text :
       {"9223372036854775808", "18446744073709551616", "-1", "-0", "1.0", "1e0", "\"1\"", "null", "true"})
    EXPECT_FALSE(Json::parse(text).value().whole_number()) << text;
}

TEST(Json, RefusesARepeatedName) {
  for (const char* text : {R"({"a":1,"a":2})", R"({"a":1,"\u0061":2})", R"([{"x":{"b":1,"a":1,"b":2}}])"})
    EXPECT_FALSE(Json::parse(text)) << text;
}

TEST(Json, RefusesWhatIsBroken) {
  for (const char* text :
       {"", "{", "[1,]", "{\"a\":1,}", "{\"a\"}", "1 2", "01", "nul", "\"\\ud800\"", "\xEF\xBB\xBF{}", "\"\xFF\""})
    EXPECT_FALSE(Json::parse(text)) << text;
  EXPECT_FALSE(Json::parse(std::string(129, '[') + std::string(129, ']')));
  EXPECT_TRUE(Json::parse(std::string(128, '[') + std::string(128, ']')));
  EXPECT_FALSE(Json::parse(std::string(1'000'000, '[')));
}

TEST(Json, EveryTruncationIsRefused) {
  const std::string text = R"({"a":[1,-2.5e+3,"x\u00e9\ud83d\ude00",null],"b":{"c":[true,false,{}]}})";
  for (std::size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(Json::parse(text.substr(0, n))) << n;
}

}  // namespace
}  // namespace spl::codec
