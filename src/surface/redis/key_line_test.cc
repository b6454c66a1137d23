#include "surface/redis/key_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "codec/enum_names.h"
#include "crypto/sha256.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;

const std::string kDigestText(64, 'a');
const std::string kPlain = R"({"key":"aw==","type":"string","expires_at_ms":null,"dump":"AAF2"})";

void expect_refused(std::string_view line, std::string_view why) {
  const auto parsed = parse_key_line(line);
  ASSERT_FALSE(parsed) << line.substr(0, 200);
  EXPECT_EQ(parsed.error().code, ErrorCode::kVerification);
  EXPECT_EQ(parsed.error().cause, Cause::kMalformed);
  EXPECT_THAT(parsed.error().message, HasSubstr(why)) << line.substr(0, 200);
}

std::string with_end(std::string_view number) {
  return R"({"key":"aw==","type":"string","expires_at_ms":)" + std::string(number) + R"(,"dump":"AAF2"})";
}

TEST(KeyLine, WhatIsWrittenIsRead) {
  const std::string binary("\0\xff\n\"", 4);
  for (const RedisType type : {RedisType::kString, RedisType::kList, RedisType::kSet, RedisType::kSortedSet,
                               RedisType::kHash, RedisType::kStream}) {
    for (const std::optional<std::int64_t> ends : {std::optional<std::int64_t>(), {1}, {INT64_MAX}}) {
      const KeyHead head{binary, type, ends};
      std::string line = key_line_begin(head) + base::to_base64(binary) + std::string(kKeyLineEnd);
      ASSERT_TRUE(line.ends_with("}\n"));
      line.pop_back();
      const auto parsed = parse_key_line(line);
      ASSERT_TRUE(parsed) << parsed.error().message;
      EXPECT_EQ(parsed->head, head);
      EXPECT_EQ(parsed->dump, binary);
      EXPECT_FALSE(parsed->large);

      const Digest digest = crypto::sha256("x");
      std::string large = large_key_line(head, digest);
      large.pop_back();
      const auto other = parse_key_line(large);
      ASSERT_TRUE(other) << other.error().message;
      EXPECT_EQ(other->head, head);
      EXPECT_EQ(other->large, digest);
      EXPECT_EQ(other->dump, "");
    }
  }
}

TEST(KeyLine, ItsLengthIsKnownBeforeItsBody) {
  for (std::size_t bytes = 0; bytes < 10; ++bytes)
    EXPECT_EQ(base64_bytes(bytes), base::to_base64(std::string(bytes, 'x')).size());
}

TEST(KeyLine, MembersInAnotherOrderMissingExtraOrRepeatedAreRefused) {
  ASSERT_TRUE(parse_key_line(kPlain));
  expect_refused("", "");
  expect_refused("{}", "has no member key");
  expect_refused("[]", "");
  expect_refused("null", "");
  expect_refused(R"({"type":"string","key":"aw==","expires_at_ms":null,"dump":"AAF2"})", "has no member key");
  expect_refused(R"({"key":"aw==","expires_at_ms":null,"type":"string","dump":"AAF2"})", "has no member type");
  expect_refused(R"({"key":"aw==","type":"string","dump":"AAF2","expires_at_ms":null})", "no member expires_at_ms");
  expect_refused(R"({"key":"aw==","type":"string","dump":"AAF2"})", "has no member expires_at_ms");
  expect_refused(R"({"key":"aw==","type":"string","expires_at_ms":null})", "has no body");
  expect_refused(R"({"key":"aw==","key":"aw==","type":"string","expires_at_ms":null,"dump":"AAF2"})",
                 "has no member type");
  expect_refused(R"({"key":"aw==","type":"string","expires_at_ms":null,"dump":"AAF2","dump":"AAF2"})",
                 "has a member too many");
  expect_refused(R"({"key":"aw==","type":"string","expires_at_ms":null,"dump":"AAF2","large":")" + kDigestText + "\"}",
                 "has a member too many");
  expect_refused(R"({"key":"aw==","type":"string","expires_at_ms":null,"idle":"AAF2"})", "none of a key's");
  expect_refused(R"({"KEY":"aw==","type":"string","expires_at_ms":null,"dump":"AAF2"})", "has no member key");
  expect_refused(kPlain + kPlain, "");
  expect_refused(kPlain + "x", "");
  for (std::size_t bytes = 0; bytes < kPlain.size(); ++bytes) expect_refused(kPlain.substr(0, bytes), "");
}

TEST(KeyLine, ValuesOfAnotherKindAreRefused) {
  expect_refused(R"({"key":1,"type":"string","expires_at_ms":null,"dump":"AAF2"})", "");
  expect_refused(R"({"key":"aw==","type":null,"expires_at_ms":null,"dump":"AAF2"})", "");
  expect_refused(R"({"key":"aw==","type":"string","expires_at_ms":"1","dump":"AAF2"})", "");
  expect_refused(R"({"key":"aw==","type":"string","expires_at_ms":true,"dump":"AAF2"})", "");
  expect_refused(R"({"key":"aw==","type":"string","expires_at_ms":null,"dump":null})", "");
  expect_refused(R"({"key":"aw==","type":"string","expires_at_ms":null,"dump":["AAF2"]})", "");
}

TEST(KeyLine, Base64ThatIsNotTheOnlyOneIsRefused) {
  for (const char* text : {"aw", "aw=", "ax==", "a===", "a", "aw==\\n", " aw==", "a-8=", "\\u00e4", "aw==aw=="}) {
    expect_refused(R"({"key":")" + std::string(text) + R"(","type":"string","expires_at_ms":null,"dump":"AAF2"})", "");
    expect_refused(R"({"key":"aw==","type":"string","expires_at_ms":null,"dump":")" + std::string(text) + "\"}", "");
  }
}

TEST(KeyLine, ATimeIsAWholeNumberOfMilliseconds) {
  EXPECT_EQ(parse_key_line(with_end("1"))->head.expires_at_ms, 1);
  EXPECT_EQ(parse_key_line(with_end("9223372036854775807"))->head.expires_at_ms, INT64_MAX);
  for (const char* number : {"1.0", "1.5", "1e3", "9223372036854775808", "1E0", "123456789012345678901234567890"})
    expect_refused(with_end(number), "no whole number");
  // RESTORE would take 0 for a key without an end.
  for (const char* number : {"0", "-0", "-1", "-9223372036854775808"})
    expect_refused(with_end(number), "a time before 1970");
  for (const char* number : {"01", "+1", "0x10", "", "NaN", "1 2"}) expect_refused(with_end(number), "");
}

TEST(KeyLine, ATypeIsOneOfRedis) {
  for (const char* type : {"", "String", "none", "module", "sortedset", "string ", "ReJSON-RL"})
    expect_refused(R"({"key":"aw==","type":")" + std::string(type) + R"(","expires_at_ms":null,"dump":"AAF2"})",
                   "a type that Redis does not have");
}

TEST(KeyLine, ALargeBodyIsNamedByADigest) {
  const auto line = [](const std::string& name) {
    return R"({"key":"aw==","type":"string","expires_at_ms":null,"large":")" + name + "\"}";
  };
  EXPECT_TRUE(parse_key_line(line(kDigestText)));
  for (const std::string& name : {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'),
                                  std::string(64, 'g'), "../" + std::string(61, 'a'), "large/" + kDigestText})
    expect_refused(line(name), "by no digest");
}

TEST(KeyLine, ABodyThatShouldBeAFileIsRefused) {
  const KeyHead head{"k", RedisType::kString, {}};
  expect_refused(key_line_begin(head) + std::string(base64_bytes(kLineBodyBytesMax) + 4, 'A') + "\"}",
                 "should be a file of its own");
}

}  // namespace
}  // namespace spl::surface
