#include "substrate/expression.h"

#include <gtest/gtest.h>

#include <string>

namespace spl::substrate {
namespace {

using codec::Json;

constexpr char kVariables[] =
    R"({"account":"ci","actor":"did:web:ci.example","record":{"act":"DO","body":{"n":7,"big":9007199254740993,)"
    R"("tags":["a","b"],"text":"grüße","none":null,"flag":true,"object":{"a":1}},"thread":"th_x"}})";

// "true", "false", or "error".
std::string outcome(std::string_view text) {
  const auto expression = Expression::parse(text);
  if (!expression) return "no expression: " + expression.error().message;
  const auto holds = expression->holds(Json::parse(kVariables).value());
  if (!holds) return "error";
  return *holds ? "true" : "false";
}

TEST(Expression, ComparesMembersWithConstants) {
  EXPECT_EQ(outcome("account == 'ci'"), "true");
  EXPECT_EQ(outcome("record.act != \"DO\""), "false");
  EXPECT_EQ(outcome("record.body.n >= 7 && record.body.n < 7.5"), "true");
  EXPECT_EQ(outcome("record['body'][\"tags\"][1] == 'b'"), "true");
  EXPECT_EQ(outcome("record.body.none == null"), "true");
  EXPECT_EQ(outcome("record.body.flag"), "true");
  EXPECT_EQ(outcome("!record.body.flag || -1 < 0"), "true");
  EXPECT_EQ(outcome("record.body.n == '7'"), "false") << "a number is no text";
  EXPECT_EQ(outcome("'b' > 'a'"), "true");
}

TEST(Expression, ComparesWholeNumbersDigitByDigit) {
  EXPECT_EQ(outcome("record.body.big == 9007199254740993"), "true");
  EXPECT_EQ(outcome("record.body.big == 9007199254740992"), "false");
}

TEST(Expression, AsksListsAndTexts) {
  EXPECT_EQ(outcome("record.act in ['DO', 'CALL']"), "true");
  EXPECT_EQ(outcome("'c' in record.body.tags"), "false");
  EXPECT_EQ(outcome("'n' in record.body"), "true");
  EXPECT_EQ(outcome("record.thread.startsWith('th_') && record.thread.endsWith('x')"), "true");
  EXPECT_EQ(outcome("actor.contains(':web:')"), "true");
  EXPECT_EQ(outcome("size(record.body.text) == 5 && record.body.tags.size() == 2"), "true");
  EXPECT_EQ(outcome("has(record.body.n) && !has(record.body.m)"), "true");
  EXPECT_EQ(outcome("-7 in [-7, 1]"), "true");
}

TEST(Expression, BindsAsItsOperatorsSay) {
  EXPECT_EQ(outcome("true || false && false"), "true");
  EXPECT_EQ(outcome("(true || false) && false"), "false");
  EXPECT_EQ(outcome("!false && false"), "false");
  EXPECT_EQ(outcome("1 < 2 == true"),
            "no expression: the expression is wrong at character 7: "
            "an operator or the end is wanted");
}

TEST(Expression, WhatIsMissingIsAnErrorUnlessTheOtherSideDecides) {
  EXPECT_EQ(outcome("record.body.missing == 1"), "error");
  EXPECT_EQ(outcome("record.body.missing == 1 || true"), "true");
  EXPECT_EQ(outcome("record.body.missing == 1 && false"), "false");
  EXPECT_EQ(outcome("record.body.missing == 1 || false"), "error");
  EXPECT_EQ(outcome("record.body.n"), "error") << "a number is neither true nor false";
  EXPECT_EQ(outcome("record.body.n < 'a'"), "error");
  EXPECT_EQ(outcome("record.body.tags[2] == 'c'"), "error");
  EXPECT_EQ(outcome("nobody == 1"), "error");
  EXPECT_EQ(outcome("record.body.object == record.body.object"), "false") << "an object is equal to nothing";
}

TEST(Expression, RefusesWhatIsNone) {
  for (const char* text : {"", "a ==", "== a", "(a", "a)", "a &&", "'open", "[1, 2", "a.", "a.b(", "a.run('x')",
                           "1.2.3", "'\\q'", "a b", "has(a)", "[record]", "@"}) {
    const auto expression = Expression::parse(text);
    ASSERT_FALSE(expression) << text;
    EXPECT_EQ(expression.error().code, ErrorCode::kUsage) << text;
  }
}

TEST(Expression, NeitherLengthNorDepthEndsTheProgram) {
  EXPECT_FALSE(Expression::parse(std::string(kExpressionBytesMax + 1, '!')));
  EXPECT_FALSE(Expression::parse(std::string(2000, '!') + "true"));
  EXPECT_FALSE(Expression::parse(std::string(1000, '(') + "true" + std::string(1000, ')')));
  EXPECT_FALSE(Expression::parse(std::string(4000, '[')));
  std::string members = "record";
  for (int i = 0; i < 500; ++i) members += ".a";
  EXPECT_FALSE(Expression::parse(members));
  std::string many = "true";
  while (many.size() + 8 < kExpressionBytesMax) many += " && true";
  EXPECT_EQ(outcome(many), "true");
}

}  // namespace
}  // namespace spl::substrate
