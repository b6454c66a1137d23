#include "substrate/body_members.h"

#include <gtest/gtest.h>

namespace spl::substrate {
namespace {

using codec::Json;
using Texts = std::vector<std::string>;

const Json kBody =
    Json::parse(R"({"empty":[],"list":["a","b"],"mixed":["a",1,null,"b"],"number":7,"text":"x"})").value();

TEST(BodyMembers, ATextIsEmptyWhereItIsNone) {
  EXPECT_EQ(text_in(kBody, "text"), "x");
  for (const char* name : {"absent", "number", "list"}) EXPECT_EQ(text_in(kBody, name), "") << name;
  EXPECT_EQ(text_in(Json("x"), "text"), "");
}

TEST(BodyMembers, OfAVeryLargeBodyTheSmallMembersCount) {
  std::string values = "0";
  for (int i = 0; i < 400'000; ++i) values += ",0";
  const Record record =
      record::parse_record(R"({"act":"KNOW","actor":"did:x:a","body":{"kind":"k","values":[)" + values +
                           R"(],"z":["a","b"]},"clock":0,"data_type":"VOID","parents":[],"thread":""})")
          .value();
  const Json body = body_of(record);
  EXPECT_EQ(text_in(body, "kind"), "k");
  EXPECT_EQ(texts_in(body, "z"), (Texts{"a", "b"}));
  EXPECT_EQ(body.find("values"), nullptr);
}

TEST(BodyMembers, ATextThatIsVeryLongIsNone) {
  EXPECT_EQ(text_in(Json(Json::Object{{"text", std::string(65'537, 'x')}}), "text"), "");
}

TEST(BodyMembers, TextsAreAListOfNothingElse) {
  EXPECT_EQ(texts_in(kBody, "list"), (Texts{"a", "b"}));
  EXPECT_EQ(texts_in(kBody, "empty"), Texts());
  for (const char* name : {"absent", "number", "text", "mixed"}) EXPECT_EQ(texts_in(kBody, name), std::nullopt) << name;
}

TEST(BodyMembers, OneOrMoreAreAStringOrAList) {
  EXPECT_EQ(one_or_more_in(kBody, "text"), Texts{"x"});
  EXPECT_EQ(one_or_more_in(kBody, "list"), (Texts{"a", "b"}));
  EXPECT_EQ(one_or_more_in(kBody, "mixed"), (Texts{"a", "b"}));
  for (const char* name : {"absent", "number", "empty"}) EXPECT_EQ(one_or_more_in(kBody, name), Texts()) << name;
}

}  // namespace
}  // namespace spl::substrate
