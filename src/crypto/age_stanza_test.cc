#include "crypto/age_stanza.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/encoding.h"
#include "crypto/age_test_util.h"
#include "crypto/kdf.h"

namespace spl::crypto {
namespace {

std::string base64(std::string_view octets) {
  return base::to_base64(octets, base::Padding::kNone);
}

const SecretBytes kFileKey("0123456789abcdef");
const SecretBytes kPassphrase("passphrase");

AgeStanza good_x25519() {
  return wrap_for_recipient(kFileKey, test_recipients().front(), test_random()).value();
}
AgeStanza good_scrypt() {
  return wrap_under_passphrase(kFileKey, kPassphrase, test_random(), 2).value();
}

// The whole way: a file with these stanzas and a right MAC, opened with the right identity and passphrase.
Result<std::string> open_with(const std::vector<AgeStanza>& stanzas) {
  const auto file = age_assemble(stanzas, kFileKey, {{"text", AgeChunks::Position::kLast}});
  return age_decrypt(file, test_identities(), &kPassphrase);
}

void expect_refused(const std::vector<AgeStanza>& stanzas, std::string_view what) {
  const auto text = open_with(stanzas);
  ASSERT_FALSE(text) << what;
  EXPECT_EQ(text.error().code, ErrorCode::kVerification) << what;
}

TEST(AgeStanzas, OpenWhereTheyAreRight) {
  EXPECT_EQ(open_with({good_x25519()}).value(), "text");
  EXPECT_EQ(open_with({good_scrypt()}).value(), "text");
}

TEST(AgeStanzas, OfUnknownTypesAreIgnored) {
  const std::vector<AgeStanza> unknown = {
      {{"x25519", "lowercase"}, ""},
      {{"X25519-grease"}, std::string(100, 'x')},
      {{"mlkem768x25519", "AAAA"}, std::string(32, 'x')},
      {{"SCRYPT"}, ""},
      {{"scrypt2", "a", "b", "c", "d"}, "e"},
  };
  for (const AgeStanza& stanza : unknown) {
    EXPECT_EQ(open_with({stanza, good_x25519()}).value(), "text");
    EXPECT_EQ(open_with({good_x25519(), stanza}).value(), "text");
    const auto alone = open_with({stanza});
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().message, "no given key opens this bundle");
  }
}

TEST(AgeStanzas, OfOtherRecipientsAreNoHindrance) {
  const auto other = AgeIdentity::parse(to_bech32("AGE-SECRET-KEY-", std::string(32, 'x'))).value();
  const AgeStanza theirs = wrap_for_recipient(kFileKey, other.recipient(), test_random()).value();
  EXPECT_EQ(open_with({theirs, good_x25519(), theirs}).value(), "text");
}

TEST(AgeStanzas, X25519IsRefusedInEveryOtherShape) {
  const AgeStanza good = good_x25519();
  const auto change = [&](auto&& edit) {
    AgeStanza stanza = good;
    edit(stanza);
    return stanza;
  };
  const std::string share = good.arguments[1];
  const std::string octets = base::from_base64(share, base::Padding::kNone).value();
  const std::vector<std::pair<std::string_view, AgeStanza>> cases = {
      {"no share", change([](AgeStanza& s) { s.arguments.pop_back(); })},
      {"extra argument", change([](AgeStanza& s) { s.arguments.emplace_back("x"); })},
      {"short share", change([&](AgeStanza& s) { s.arguments[1] = base64(octets.substr(1)); })},
      {"long share", change([&](AgeStanza& s) { s.arguments[1] = base64(octets + "x"); })},
      {"padded share", change([](AgeStanza& s) { s.arguments[1] += "="; })},
      {"share not canonical", change([&](AgeStanza& s) { s.arguments[1] = share.substr(0, 42) + "/"; })},
      {"short body", change([](AgeStanza& s) { s.body.pop_back(); })},
      {"long file key", change([](AgeStanza& s) { s.body += "x"; })},
      {"empty body", change([](AgeStanza& s) { s.body.clear(); })},
      {"changed body", change([](AgeStanza& s) { s.body[0] = static_cast<char>(s.body[0] ^ 1); })},
  };
  for (const auto& [what, stanza] : cases) {
    expect_refused({stanza}, what);
    if (what == "changed body") continue;  // it might be another recipient's
    expect_refused({stanza, good}, what);
    expect_refused({good, stanza}, what);
  }
}

TEST(AgeStanzas, X25519SharesOfSmallOrderAreRefused) {
  for (const std::string_view hex : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
       }) {
    AgeStanza stanza = good_x25519();
    stanza.arguments[1] = base64(base::from_hex(hex).value());
    expect_refused({stanza}, hex);
    expect_refused({stanza, good_x25519()}, hex);
    const auto after = open_with({good_x25519(), stanza});
    ASSERT_FALSE(after);
    EXPECT_NE(after.error().message.find("small order"), std::string::npos);
  }
}

TEST(AgeStanzas, ScryptStandsAlone) {
  expect_refused({good_scrypt(), good_scrypt()}, "two");
  expect_refused({good_scrypt(), good_x25519()}, "before X25519");
  expect_refused({good_x25519(), good_scrypt()}, "after X25519");
  expect_refused({good_scrypt(), {{"grease"}, ""}}, "before an unknown one");
  expect_refused({{{"grease"}, ""}, good_scrypt()}, "after an unknown one");
}

TEST(AgeStanzas, ScryptIsRefusedInEveryOtherShape) {
  const AgeStanza good = good_scrypt();
  const auto change = [&](auto&& edit) {
    AgeStanza stanza = good;
    edit(stanza);
    return stanza;
  };
  expect_refused({change([](AgeStanza& s) { s.arguments.pop_back(); })}, "no work factor");
  expect_refused({change([](AgeStanza& s) { s.arguments.emplace_back("2"); })}, "extra argument");
  expect_refused({change([](AgeStanza& s) { s.arguments[1] = base64(std::string(15, 'x')); })}, "short salt");
  expect_refused({change([](AgeStanza& s) { s.arguments[1] = base64(std::string(17, 'x')); })}, "long salt");
  expect_refused({change([](AgeStanza& s) { s.arguments[1].back() = '/'; })}, "salt not canonical");
  expect_refused({change([](AgeStanza& s) { s.body += "x"; })}, "long file key");
  expect_refused({change([](AgeStanza& s) { s.body.pop_back(); })}, "short body");
}

TEST(AgeStanzas, ScryptWorkFactorsAreRefusedWithoutWork) {
  AgeStanza stanza = good_scrypt();
  for (const std::string_view factor :
       {"0", "00", "02", "+2", "-2", "2.0", "0x2", "a", "2a", "a2", "18446744073709551618", "4294967298", "23", "30",
        "64", "99999999999999999999999999"}) {
    stanza.arguments[2] = factor;
    EXPECT_FALSE(read_locks({stanza}, kAgeLogNMax)) << factor;
    expect_refused({stanza}, factor);
  }
  for (const std::string_view factor : {"1", "9", "10", "22"}) {
    stanza.arguments[2] = factor;
    const auto locks = read_locks({stanza}, kAgeLogNMax);
    ASSERT_TRUE(locks) << factor;
    EXPECT_EQ(std::to_string(locks->scrypt->log_n), factor);
  }
  EXPECT_FALSE(read_locks({stanza}, 21));
}

}  // namespace
}  // namespace spl::crypto
