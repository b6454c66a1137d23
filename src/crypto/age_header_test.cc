#include "crypto/age_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crypto/age_test_util.h"

namespace spl::crypto {
namespace {

const std::string kVersion = "age-encryption.org/v1\n";
const std::string kStanza = "-> one two\nYWJj\n";
const std::string kEnd = "--- fKoUOvXf5VBIfSfxJydra9mIkhXZpt/yQ6V7/Ep59w4\n";
const std::string kGood = kVersion + kStanza + kEnd;
const std::string kFull(64, 'A');  // a full line of a body

TEST(AgeHeader, ReadsAWellFormedOne) {
  const auto header = parse_age_header(kGood + "payload");
  ASSERT_TRUE(header) << header.error().message;
  ASSERT_EQ(header->stanzas.size(), 1u);
  EXPECT_EQ(header->stanzas[0].arguments, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(header->stanzas[0].body, "abc");
  EXPECT_EQ(header->maced, kVersion + kStanza + "---");
  EXPECT_EQ(header->length_bytes, kGood.size());
}

TEST(AgeHeader, ReadsWhatItWroteForEveryLengthOfABody) {
  const SecretBytes file_key("0123456789abcdef");
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string text =
        write_age_header({{{"first"}, std::string(size, 'x')}, {{"second", "\x21\x7e"}, ""}}, file_key);
    const auto header = parse_age_header(text);
    ASSERT_TRUE(header) << size << ": " << header.error().message;
    ASSERT_EQ(header->stanzas.size(), 2u);
    EXPECT_EQ(header->stanzas[0].body, std::string(size, 'x'));
    EXPECT_EQ(header->stanzas[1].arguments[1], "\x21\x7e");
    EXPECT_EQ(header->length_bytes, text.size());
    EXPECT_TRUE(header->authentic(file_key));
    EXPECT_FALSE(header->authentic(SecretBytes("0123456789abcdeg")));
  }
}

TEST(AgeHeader, TakesTheWrappingOfTheSpecificationOnly) {
  const auto with_body = [](const std::string& body) {
    return parse_age_header(kVersion + "-> x\n" + body + kEnd).has_value();
  };
  EXPECT_TRUE(with_body("\n"));
  EXPECT_TRUE(with_body(kFull + "\n\n"));
  EXPECT_TRUE(with_body(kFull + "\nAAAA\n"));
  EXPECT_TRUE(with_body(kFull + "\n" + kFull + "\n\n"));
  EXPECT_FALSE(with_body(""));
  EXPECT_FALSE(with_body(kFull + "\n"));        // no short line at the end
  EXPECT_FALSE(with_body("AAAA\nAAAA\n"));      // short line in the middle
  EXPECT_FALSE(with_body("AAAA\n\n"));          // an empty line too many
  EXPECT_FALSE(with_body(kFull + "AAAA\n"));    // 68 columns
  EXPECT_FALSE(with_body(kFull + "A\nAAA\n"));  // 65 columns
  EXPECT_TRUE(with_body(kFull.substr(1) + "\n"));
  EXPECT_FALSE(with_body(kFull.substr(3) + "\n"));  // 61 digits are no octets
}

TEST(AgeHeader, RefusesBase64ThatIsNotCanonical) {
  const auto with_body = [](const std::string& body) {
    return parse_age_header(kVersion + "-> x\n" + body + "\n" + kEnd).has_value();
  };
  EXPECT_TRUE(with_body("YQ"));
  EXPECT_FALSE(with_body("YQ=="));
  EXPECT_FALSE(with_body("YR"));  // bits beyond the octet
  EXPECT_FALSE(with_body("Y"));
  EXPECT_FALSE(with_body("Y-"));
  EXPECT_FALSE(with_body("Y Q"));
  EXPECT_FALSE(with_body("YQ\r"));
}

TEST(AgeHeader, RefusesEveryOtherForm) {
  const std::string refused[] = {
      "",
      "age-encryption.org/v1",
      kVersion,
      kVersion + kEnd,  // no stanza
      kStanza + kEnd,
      kVersion + kStanza,
      "\n" + kGood,
      "age-encryption.org/v1\r\n" + kStanza + kEnd,
      "age-encryption.org/v2\n" + kStanza + kEnd,
      "age-encryption.org/v10\n" + kStanza + kEnd,
      "age-encryption.org/v1 \n" + kStanza + kEnd,
      "Age-encryption.org/v1\n" + kStanza + kEnd,
      kVersion + "\n" + kStanza + kEnd,
      kVersion + kStanza + "\n" + kEnd,
      kVersion + "->one\nYWJj\n" + kEnd,
      kVersion + "-> \nYWJj\n" + kEnd,
      kVersion + "->\nYWJj\n" + kEnd,
      kVersion + "->  one\nYWJj\n" + kEnd,
      kVersion + "-> one  two\nYWJj\n" + kEnd,
      kVersion + "-> one \nYWJj\n" + kEnd,
      kVersion + "-> one\ttwo\nYWJj\n" + kEnd,
      kVersion + "-> one\r\nYWJj\n" + kEnd,
      kVersion + "-> \xc3\xa4\nYWJj\n" + kEnd,
      kVersion + "-> \x7f\nYWJj\n" + kEnd,
      kVersion + "=> one\nYWJj\n" + kEnd,
      kVersion + kStanza + "---" + kEnd.substr(4),
      kVersion + kStanza + "---  " + kEnd.substr(4),
      kVersion + kStanza + "---\n",
      kVersion + kStanza + "--- \n",
      kVersion + kStanza + kEnd.substr(0, kEnd.size() - 1),
      kVersion + kStanza + kEnd.substr(0, kEnd.size() - 1) + "=\n",
      kVersion + kStanza + kEnd.substr(0, kEnd.size() - 1) + " \n",
      kVersion + kStanza + kEnd.substr(0, kEnd.size() - 1) + "\r\n",
      kVersion + kStanza + kEnd.substr(0, kEnd.size() - 2) + "\n",
      kVersion + kStanza + kEnd.substr(0, kEnd.size() - 2) + "5\n",  // bits beyond the MAC
      kVersion + kStanza + "----" + kEnd,
  };
  for (const std::string& text : refused) {
    const auto header = parse_age_header(text);
    ASSERT_FALSE(header) << text;
    EXPECT_EQ(header.error().code, ErrorCode::kVerification) << text;
  }
}

TEST(AgeHeader, SaysThatArmorAndOtherVersionsAreNotAccepted) {
  const auto armored = parse_age_header("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n");
  ASSERT_FALSE(armored);
  EXPECT_NE(armored.error().message.find("armored"), std::string::npos);
  const auto newer = parse_age_header("age-encryption.org/v2\nanything");
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().message.find("'v2'"), std::string::npos);
}

TEST(AgeHeader, HoldsToItsLimits) {
  std::string most = kVersion;
  for (std::size_t i = 0; i < kAgeStanzasMax; ++i) most += kStanza;
  EXPECT_TRUE(parse_age_header(most + kEnd));
  EXPECT_FALSE(parse_age_header(most + kStanza + kEnd));

  const auto of_size = [](std::size_t size) {
    const std::string rest = "\n\n" + kEnd;
    std::string text = kVersion + "-> ";
    text.append(size - text.size() - rest.size(), 'a');
    return text + rest;
  };
  EXPECT_TRUE(parse_age_header(of_size(kAgeHeaderBytesMax)));
  const auto longer = parse_age_header(of_size(kAgeHeaderBytesMax + 1));
  ASSERT_FALSE(longer);
  EXPECT_NE(longer.error().message.find("longer"), std::string::npos);
  EXPECT_FALSE(parse_age_header(kVersion + std::string(1 << 20, 'a')));
}

}  // namespace
}  // namespace spl::crypto
