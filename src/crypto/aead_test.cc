#include "crypto/aead.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>

#include "base/encoding.h"

namespace spl::crypto {
namespace {

constexpr AeadNonce kNonce{0, 0, 0, 0, 0, 0, 0, 0x4a, 0, 0, 0, 0};

std::string key() {
  std::string octets;
  for (int i = 0; i < 32; ++i) octets.push_back(static_cast<char>(i));
  return octets;
}

std::string sealed(std::string text, const AeadNonce& nonce = kNonce) {
  text.resize(text.size() + kAeadTagBytes);
  Aead(key(), Aead::Direction::kSeal).seal(nonce, text);
  return text;
}

// RFC 8439, section 2.4.2: there too the first block of the stream that is used is block 1.
TEST(Aead, EncryptsAsRfc8439) {
  const std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  EXPECT_EQ(base::to_hex(std::string_view(sealed(text)).substr(0, text.size())),
            "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b"
            "f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8"
            "07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
            "5af90bbf74a35be6b40b8eedf2785e42874d");
}

TEST(Aead, OpensWhatItSealedWithOneObjectForManyNonces) {
  Aead opener(key(), Aead::Direction::kOpen);
  for (std::size_t size = 0; size < 300; ++size) {
    AeadNonce nonce{};
    nonce[3] = static_cast<std::uint8_t>(size);
    std::string buffer = sealed(std::string(size, 'x'), nonce);
    ASSERT_TRUE(opener.open(nonce, buffer)) << size;
    EXPECT_EQ(buffer.substr(0, size), std::string(size, 'x'));
  }
}

TEST(Aead, RefusesEveryFlippedBitAndWipesTheBuffer) {
  Aead opener(key(), Aead::Direction::kOpen);
  const std::string good = sealed("some text");
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string buffer = good;
    buffer[bit / 8] = static_cast<char>(buffer[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(opener.open(kNonce, buffer)) << bit;
    EXPECT_EQ(buffer, std::string(good.size(), '\0'));
  }
  std::string buffer = good;
  EXPECT_FALSE(opener.open(AeadNonce{}, buffer));
  buffer = good;
  EXPECT_TRUE(opener.open(kNonce, buffer)) << "a failure must not spoil the next";
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace spl::crypto
