#include "crypto/kdf.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>

#include "base/encoding.h"

namespace spl::crypto {
namespace {

std::string hkdf_hex(std::string_view key, std::string_view salt, std::string_view info) {
  return base::to_hex(hkdf_sha256(key, salt, info).reveal());
}

TEST(Hmac, AgreesWithRfc4231) {
  EXPECT_EQ(base::to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There").view()),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(base::to_hex(hmac_sha256("Jefe", "what do ya want for nothing?").view()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// RFC 5869, appendix A.1 and A.3; the first 32 of their 42 octets.
TEST(Hkdf, AgreesWithRfc5869) {
  EXPECT_EQ(hkdf_hex(std::string(22, '\x0b'), base::from_hex("000102030405060708090a0b0c").value(),
                     base::from_hex("f0f1f2f3f4f5f6f7f8f9").value()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
  EXPECT_EQ(hkdf_hex(std::string(22, '\x0b'), {}, {}),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(Hkdf, TakesNoSaltAsAnEmptyOne) {
  EXPECT_EQ(hkdf_hex("key", {}, "info"), hkdf_hex("key", "", "info"));
  EXPECT_NE(hkdf_hex("key", {}, "info"), hkdf_hex("key", "salt", "info"));
}

// RFC 7914, section 12, third vector; the first 32 of its 64 octets.
TEST(Scrypt, AgreesWithRfc7914) {
  const auto key = scrypt("pleaseletmein", "SodiumChloride", 14);
  ASSERT_TRUE(key);
  EXPECT_EQ(base::to_hex(key->reveal()), "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

TEST(Scrypt, TakesTheSmallestWorkFactorAndNoPassphrase) {
  const auto key = scrypt({}, {}, 1);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->reveal(), scrypt("", "", 1)->reveal());
  EXPECT_NE(key->reveal(), scrypt("", "", 2)->reveal());
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace spl::crypto
