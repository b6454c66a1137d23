#include "crypto/did_key.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"

namespace spl::crypto {
namespace {

// The example of the did:key specification.
constexpr std::string_view kDid = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
constexpr std::string_view kKeyHex = "2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6";

TEST(DidKey, ReadsAndWritesAKnownOne) {
  const auto key = parse_did_key(kDid);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(base::to_hex(key->view()), kKeyHex);
  EXPECT_EQ(did_of(*key), kDid);
  EXPECT_EQ(multibase_of(*key), kDid.substr(8));
  EXPECT_EQ(parse_multibase(kDid.substr(8)).value(), *key);
}

TEST(DidKey, RoundTripsManyKeys) {
  for (int i = 0; i < 100; ++i) {
    const auto signing = SigningKey::from_seed(std::string(32, static_cast<char>(i)));
    const std::string did = did_of(signing->public_key());
    EXPECT_EQ(did.size(), kDid.size());
    EXPECT_TRUE(did.starts_with("did:key:z6Mk")) << did;
    EXPECT_EQ(parse_did_key(did).value(), signing->public_key());
  }
}

TEST(DidKey, HasOneLengthForEveryKey) {
  PublicKey all_ones;
  all_ones.octets.fill(0xff);
  EXPECT_EQ(did_of(PublicKey{}).size(), kDid.size());
  EXPECT_EQ(did_of(all_ones).size(), kDid.size());
}

TEST(DidKey, RefusesWhatItWouldNotWrite) {
  const std::string did(kDid);
  const std::string refused[] = {
      "",
      "did:key:",
      "did:key:z",
      "did:web:example.org",
      "DID:KEY:" + did.substr(8),
      did.substr(8),
      did.substr(0, did.size() - 1),
      did + "K",
      did + "#" + did.substr(8),
      did + '\0',
      " " + did,
      "did:key:Z" + did.substr(9),
      "did:key:z1" + did.substr(10),
      "did:key:z" + std::string(47, 'z'),  // does not fit in 34 octets
      "did:key:z" + std::string(47, '1'),
      "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",  // an X25519 key
      "did:key:z" + std::string(1 << 20, '6'),
  };
  for (const std::string& text : refused) {
    const auto key = parse_did_key(text);
    ASSERT_FALSE(key) << text.substr(0, 100);
    EXPECT_EQ(key.error().code, ErrorCode::kVerification);
    EXPECT_LT(key.error().message.size(), 200u);
  }
}

TEST(DidKey, RefusesEveryOtherCharacterInEveryPlaceOrReadsAnotherKey) {
  for (std::size_t at = 0; at < kDid.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string text(kDid);
      text[at] = static_cast<char>(c);
      const auto key = parse_did_key(text);
      if (key) {
        EXPECT_EQ(did_of(*key), text);
      }
    }
  }
}

TEST(DidKey, RefusesKeysThatTheRuleForKeysRefuses) {
  PublicKey identity;
  identity.octets[0] = 1;
  PublicKey not_canonical;
  not_canonical.octets.fill(0xff);
  EXPECT_FALSE(parse_did_key(did_of(identity)));
  EXPECT_FALSE(parse_did_key(did_of(PublicKey{})));
  EXPECT_FALSE(parse_multibase(multibase_of(not_canonical)));
}

}  // namespace
}  // namespace spl::crypto
