#include "crypto/ed25519.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>
#include <thread>
#include <vector>

#include "base/encoding.h"

namespace spl::crypto {
namespace {

std::string unhex(std::string_view text) {
  return base::from_hex(text).value();
}

PublicKey raw_key(std::string_view octets) {
  PublicKey key;
  std::copy(octets.begin(), octets.end(), key.octets.begin());
  return key;
}

struct Vector {
  std::string_view seed, key, message, signature;
};

// RFC 8032, section 7.1.
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "b"
     "bd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e"
     "0"
     "303dca179c138ac17ad9bef1177331a704"},
};

// The fourteen encodings of the eight points of small order ("Taming the many EdDSAs", table 6b);
// the first eight are the canonical ones.
constexpr std::string_view kSmallOrder[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

TEST(Ed25519, AgreesWithRfc8032) {
  for (const Vector& vector : kVectors) {
    const auto signing = SigningKey::from_seed(unhex(vector.seed));
    ASSERT_TRUE(signing);
    EXPECT_EQ(base::to_hex(signing->public_key().view()), vector.key);
    EXPECT_EQ(signing->seed().reveal(), unhex(vector.seed));
    const Signature signature = signing->sign(unhex(vector.message));
    EXPECT_EQ(base::to_hex(signature.view()), vector.signature);
    const auto key = parse_public_key(unhex(vector.key));
    ASSERT_TRUE(key);
    EXPECT_TRUE(verify(*key, unhex(vector.message), signature));
  }
}

TEST(Ed25519, RefusesEveryFlippedBitOfASignatureAndAKey) {
  const std::string message = unhex(kVectors[2].message);
  const std::string signature = unhex(kVectors[2].signature);
  const std::string key = unhex(kVectors[2].key);
  for (std::size_t bit = 0; bit < 8 * kSignatureBytes; ++bit) {
    std::string changed = signature;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(verify(raw_key(key), message, Signature::from(changed))) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * kPublicKeyBytes; ++bit) {
    std::string changed = key;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(verify(raw_key(changed), message, Signature::from(signature))) << bit;
  }
  EXPECT_FALSE(verify(raw_key(key), message + "x", Signature::from(signature)));
  EXPECT_FALSE(verify(raw_key(key), "", Signature::from(signature)));
}

TEST(Ed25519, RefusesKeysOfSmallOrderInEveryEncoding) {
  // With such a key and R = A, S = 0 a sloppy verifier takes the signature for many messages.
  for (const std::string_view point : kSmallOrder) {
    const std::string octets = unhex(point);
    const auto parsed = parse_public_key(octets);
    ASSERT_FALSE(parsed) << point;
    EXPECT_EQ(parsed.error().code, ErrorCode::kVerification);
    EXPECT_FALSE(Verifier::make(raw_key(octets))) << point;
    for (int i = 0; i < 16; ++i)
      EXPECT_FALSE(verify(raw_key(octets), std::to_string(i), Signature::from(octets + std::string(32, '\0'))));
  }
}

TEST(Ed25519, RefusesNonCanonicalKeys) {
  // p to p + 18 and both signs.
  for (int low = 0xed; low <= 0xff; ++low) {
    for (const char high : {'\x7f', '\xff'}) {
      std::string octets(32, '\xff');
      octets.front() = static_cast<char>(low);
      octets.back() = high;
      EXPECT_FALSE(parse_public_key(octets)) << low;
      EXPECT_FALSE(Verifier::make(raw_key(octets))) << low;
    }
  }
}

TEST(Ed25519, RefusesKeysOfAnotherLength) {
  const std::string key = unhex(kVectors[0].key);
  EXPECT_FALSE(parse_public_key(""));
  EXPECT_FALSE(parse_public_key(key.substr(1)));
  EXPECT_FALSE(parse_public_key(key + '\0'));
  EXPECT_FALSE(SigningKey::from_seed(key.substr(1)));
  EXPECT_FALSE(SigningKey::from_seed(key + key));
}

TEST(Ed25519, AKeyThatIsNoPointOfTheCurveVerifiesNothing) {
  std::string octets(32, '\0');
  octets.front() = 2;
  const PublicKey key = raw_key(octets);
  EXPECT_FALSE(verify(key, unhex(kVectors[1].message), Signature::from(unhex(kVectors[1].signature))));
}

TEST(Ed25519, RefusesSPlusL) {
  constexpr std::string_view kOrder = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
  const std::string order = unhex(kOrder);
  for (const Vector& vector : kVectors) {
    std::string signature = unhex(vector.signature);
    int carry = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      carry += static_cast<unsigned char>(signature[32 + i]) + static_cast<unsigned char>(order[i]);
      signature[32 + i] = static_cast<char>(carry & 0xff);
      carry >>= 8;
    }
    ASSERT_EQ(carry, 0);
    EXPECT_FALSE(verify(raw_key(unhex(vector.key)), unhex(vector.message), Signature::from(signature)));
  }
}

TEST(Ed25519, RefusesRThatIsSmallOrNotCanonical) {
  const auto signing = SigningKey::from_seed(unhex(kVectors[0].seed));
  for (const std::string_view r : kSmallOrder)
    EXPECT_FALSE(verify(signing->public_key(), "m",
                        Signature::from(unhex(r) + std::string(signing->sign("m").view().substr(32)))));
  // S = k*a made for R = the identity: the equation holds, and only the rule for R refuses it.
  EXPECT_FALSE(verify(signing->public_key(), "m",
                      Signature::from(unhex("0100000000000000000000000000000000000000000000000000000000000000"
                                            "405df41b9b4d026269ab4a35e0c1f21303bb5dc2d2b92ba622df63ec9593fa09"))));
}

struct EdgeCase {
  std::string_view message, key, signature;
  bool verifies;
};

// The vectors of "Taming the many EdDSAs" (github.com/novifinancial/ed25519-speccheck, cases.json),
// in its order.
constexpr EdgeCase kEdgeCases[] = {
    {"8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
     "0000000000000000000000000000000000000000000000000000000000000000",
     false},  // small A and R, S = 0
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     false},  // small A, mixed R
    {"aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
     "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
     false},  // mixed A, small R
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
     "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
     true},  // mixed A and R, good without the cofactor too
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
     "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
     false},  // good with the cofactor only
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
     "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
     false},  // good with the cofactor only, k reduced before
    {"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
     "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
     false},  // S > L
    {"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
     "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
     false},  // S far above L
    {"fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607",
     false},  // R not canonical
    {"84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09",
     false},  // R not canonical, hashed as it is
};

TEST(Ed25519, HasOneAnswerForTheEdgeCasesOnWhichLibrariesDiffer) {
  int number = 0;
  for (const EdgeCase& edge : kEdgeCases) {
    EXPECT_EQ(verify(raw_key(unhex(edge.key)), unhex(edge.message), Signature::from(unhex(edge.signature))),
              edge.verifies)
        << number;
    ++number;
  }
}

TEST(Ed25519, SignsAndVerifiesFromManyThreadsOnOneKey) {
  const auto signing = SigningKey::from_seed(unhex(kVectors[0].seed));
  const auto verifier = Verifier::make(signing->public_key());
  std::vector<std::thread> threads;
  std::vector<int> good(4);
  for (std::size_t t = 0; t < good.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string message = std::to_string(t) + " " + std::to_string(i);
        if (verifier->verify(message, signing->sign(message))) ++good[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<int>(4, 50));
}

TEST(Ed25519, LeavesNoErrorForOtherUsersOfOpenSsl) {
  std::string off_curve(32, '\0');
  off_curve.front() = 2;
  EXPECT_FALSE(verify(raw_key(off_curve), "m", Signature::from(unhex(kVectors[1].signature))));
  EXPECT_FALSE(verify(raw_key(unhex(kVectors[0].key)), "m", Signature::from(unhex(kVectors[1].signature))));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace spl::crypto
