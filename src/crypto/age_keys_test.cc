#include "crypto/age_keys.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"
#include "crypto/age_test_util.h"
#include "crypto/bech32.h"

namespace spl::crypto {
namespace {

// What age-keygen 1.1.1 prints.
constexpr std::string_view kIdentityFile =
    "# created: 2026-01-31T12:00:00Z\n"
    "# public key: age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n"
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n";

TEST(AgeKeys, ReadTheKeysOfTheSpecification) {
  const auto identity = AgeIdentity::parse(kTestIdentity);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->recipient().text(), kTestRecipient);
  const auto recipient = Recipient::parse(kTestRecipient);
  ASSERT_TRUE(recipient);
  EXPECT_EQ(*recipient, identity->recipient());
  EXPECT_EQ(recipient->text(), kTestRecipient);
}

TEST(AgeKeys, RefuseOtherRecipients) {
  const std::string refused[] = {
      "",
      "age1",
      std::string(kTestRecipient) + "q",
      " " + std::string(kTestRecipient),
      std::string(kTestRecipient) + "\n",
      "AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ",
      "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk",
      std::string(kTestIdentity),
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBTest",
      to_bech32("age", std::string(31, 'x')),
      to_bech32("age", std::string(33, 'x')),
      to_bech32("age", std::string(32, '\0')),           // of small order
      to_bech32("age", "\x01" + std::string(31, '\0')),  // of small order
      to_bech32("age1tag", std::string(33, '\x02')),
  };
  for (const std::string& text : refused) {
    const auto recipient = Recipient::parse(text);
    ASSERT_FALSE(recipient) << text;
    EXPECT_EQ(recipient.error().code, ErrorCode::kUsage);
  }
}

TEST(AgeKeys, RefuseOtherIdentitiesAndDoNotShowThem) {
  std::string mistyped(kTestIdentity);
  mistyped[40] = mistyped[40] == 'Q' ? 'P' : 'Q';
  const std::string refused[] = {
      "",
      mistyped,
      std::string(kTestIdentity) + "Q",
      std::string(kTestRecipient),
      "age-secret-key-1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpq4egaex",
      to_bech32("AGE-SECRET-KEY-PQ-", std::string(32, 'x')),
      to_bech32("AGE-PLUGIN-YUBIKEY-", std::string(32, 'x')),
  };
  for (const std::string& text : refused) {
    const auto identity = AgeIdentity::parse(text);
    ASSERT_FALSE(identity) << text;
    EXPECT_EQ(identity.error().code, ErrorCode::kUsage);
    if (text.size() > 20) {
      EXPECT_EQ(identity.error().message.find(text.substr(20)), std::string::npos);
    }
  }
}

TEST(AgeIdentityFile, TakesWhatAgeKeygenWrites) {
  const auto identities = parse_identity_file(kIdentityFile);
  ASSERT_TRUE(identities) << identities.error().message;
  ASSERT_EQ(identities->size(), 1u);
  EXPECT_EQ(identities->front().recipient().text(), kTestRecipient);
}

TEST(AgeIdentityFile, TakesSeveralCarriageReturnsAndNoLastLineFeed) {
  const std::string identity(kTestIdentity);
  EXPECT_EQ(parse_identity_file(identity)->size(), 1u);
  EXPECT_EQ(parse_identity_file("\r\n#\r\n" + identity + "\r\n\r\n" + identity)->size(), 2u);
}

TEST(AgeIdentityFile, NamesTheLineThatIsNone) {
  const auto identities = parse_identity_file("# mine\n" + std::string(kTestIdentity) + "\nhello\n");
  ASSERT_FALSE(identities);
  EXPECT_EQ(identities.error().code, ErrorCode::kUsage);
  EXPECT_TRUE(identities.error().message.starts_with("line 3: ")) << identities.error().message;
  EXPECT_EQ(identities.error().message.find("hello"), std::string::npos);
}

TEST(AgeIdentityFile, RefusesNoneAndTooMany) {
  EXPECT_FALSE(parse_identity_file(""));
  EXPECT_FALSE(parse_identity_file("# only a comment\n\n"));
  EXPECT_FALSE(parse_identity_file(" " + std::string(kTestIdentity)));
  std::string many;
  for (std::size_t i = 0; i < kAgeIdentitiesMax; ++i) many += std::string(kTestIdentity) + "\n";
  EXPECT_EQ(parse_identity_file(many)->size(), kAgeIdentitiesMax);
  EXPECT_FALSE(parse_identity_file(many + std::string(kTestIdentity)));
  EXPECT_FALSE(parse_identity_file(std::string(kAgeIdentityFileBytesMax + 1, '\n')));
}

}  // namespace
}  // namespace spl::crypto
