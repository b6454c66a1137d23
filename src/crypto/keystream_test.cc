#include "crypto/keystream.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"

namespace spl::crypto {
namespace {

Keystream keystream() {
  return Keystream(SecretBytes(std::string(32, 'k')));
}

std::string stream_at(std::uint64_t offset, std::size_t size) {
  std::string data(size, '\0');
  keystream().apply(offset, data);
  return data;
}

// RFC 8439, appendix A.1, test vectors 1 and 2: key and nonce zero, blocks 0 and 1.
TEST(Keystream, IsChaCha20) {
  Keystream zero(SecretBytes(std::string(32, '\0')));
  std::string data(128, '\0');
  zero.apply(0, data);
  EXPECT_EQ(base::to_hex(data),
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
            "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
            "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
            "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
}

TEST(Keystream, GivesTheSameOctetsAtAnyOffsetAndLength) {
  const std::string whole = stream_at(0, 400);
  for (std::size_t offset = 0; offset < 200; ++offset)
    for (const std::size_t size : {0, 1, 63, 64, 65, 200})
      EXPECT_EQ(stream_at(offset, size), whole.substr(offset, size)) << offset << "+" << size;
}

TEST(Keystream, CountsBlocksIn64Bits) {
  const std::uint64_t edge = std::uint64_t{64} << 32;
  const std::string across = stream_at(edge - 100, 200);
  EXPECT_EQ(across, stream_at(edge - 100, 100) + stream_at(edge, 100));
  EXPECT_NE(stream_at(edge, 100), stream_at(0, 100));
}

TEST(Keystream, AppliedTwiceIsThePlaintext) {
  Keystream stream = keystream();
  std::string data = "what must not lie on the disk";
  const std::string plain = data;
  stream.apply(12345, data);
  EXPECT_NE(data, plain);
  stream.apply(12345, data);
  EXPECT_EQ(data, plain);
}

}  // namespace
}  // namespace spl::crypto
