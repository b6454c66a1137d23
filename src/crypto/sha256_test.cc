#include "crypto/sha256.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"

namespace spl::crypto {
namespace {

std::string hex(const Digest& digest) {
  return base::to_hex(digest.view());
}

TEST(Sha256, AgreesWithTheExamplesOfFips180) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(sha256(std::string(1000000, 'a'))), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PieceByPieceIsTheSameAsWhole) {
  std::string text;
  for (int i = 0; i < 300; ++i) text.push_back(static_cast<char>(i * 7));
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += piece) hash.update(std::string_view(text).substr(at, piece));
    EXPECT_EQ(hash.finish(), sha256(text)) << piece;
  }
}

TEST(Sha256, BeginsAnewAfterFinish) {
  Sha256 hash;
  hash.update("something else");
  (void)hash.finish();
  EXPECT_EQ(hash.finish(), sha256(""));
  hash.update("abc");
  EXPECT_EQ(hash.finish(), sha256("abc"));
}

TEST(Sha256, ACopyGoesItsOwnWay) {
  Sha256 one;
  one.update("ab");
  Sha256 two = one;
  one.update("c");
  two.update("d");
  EXPECT_EQ(one.finish(), sha256("abc"));
  EXPECT_EQ(two.finish(), sha256("abd"));
}

TEST(Sha256, TakesAnEmptyViewOfNothing) {
  Sha256 hash;
  hash.update({});
  EXPECT_EQ(hash.finish(), sha256({}));
}

}  // namespace
}  // namespace spl::crypto
