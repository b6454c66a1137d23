#include "crypto/x25519.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>

#include "base/encoding.h"

namespace spl::crypto {
namespace {

std::string unhex(std::string_view text) {
  return base::from_hex(text).value();
}

// RFC 7748, sections 5.2 and 6.1.
TEST(X25519, AgreesWithRfc7748) {
  EXPECT_EQ(base::to_hex(x25519(unhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                                unhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))
                             ->reveal()),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");

  const auto alice = unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const auto bob = unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  EXPECT_EQ(base::to_hex(x25519_public(alice)), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(base::to_hex(x25519_public(bob)), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  constexpr std::string_view kShared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  EXPECT_EQ(base::to_hex(x25519(alice, x25519_public(bob))->reveal()), kShared);
  EXPECT_EQ(base::to_hex(x25519(bob, x25519_public(alice))->reveal()), kShared);
}

// The u of every point of small order on the curve and its twist, below 2^255 (cr.yp.to/ecdh.html#validate).
TEST(X25519, RefusesPointsOfSmallOrder) {
  for (const std::string_view point : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
       }) {
    const auto shared = x25519(std::string(32, 's'), unhex(point));
    ASSERT_FALSE(shared) << point;
    EXPECT_EQ(shared.error().code, ErrorCode::kVerification);
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace spl::crypto
