#include "crypto/bech32.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"

namespace spl::crypto {
namespace {

struct Valid {
  std::string_view prefix, text, octets_hex;
};

// BIP 173's valid strings whose data are whole octets, and the keys of the age specification.
constexpr Valid kValid[] = {
    {"A", "A12UEL5L", ""},
    {"a", "a12uel5l", ""},
    {"an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio",
     "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs", ""},
    {"abcdef", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "00443214c74254b635cf84653a56d7c675be77df"},
    {"age", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
     "132c442be010fbd57e72603328aa76e71fccc1503aae219327d14d9c9993f472"},
    {"AGE-SECRET-KEY-", "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
     "4242424242424242424242424242424242424242424242424242424242424242"},
};

constexpr const Valid& kKey = kValid[4];

TEST(Bech32, ReadsAndWritesKnownStrings) {
  for (const Valid& valid : kValid) {
    const std::string octets = base::from_hex(valid.octets_hex).value();
    const auto decoded = from_bech32(valid.prefix, valid.text, octets.size());
    ASSERT_TRUE(decoded) << valid.text;
    EXPECT_EQ(base::to_hex(decoded->reveal()), valid.octets_hex);
    EXPECT_EQ(to_bech32(valid.prefix, octets), valid.text);
  }
}

TEST(Bech32, RoundTripsEveryLength) {
  std::string octets;
  for (int i = 0; i < 100; ++i) {
    const std::string text = to_bech32("test", octets);
    const auto decoded = from_bech32("test", text, octets.size());
    ASSERT_TRUE(decoded) << text;
    EXPECT_EQ(decoded->reveal(), octets);
    octets.push_back(static_cast<char>(i * 37));
  }
}

TEST(Bech32, RefusesEveryOtherCharacterInEveryPlace) {
  for (std::size_t at = 0; at < kKey.text.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string text(kKey.text);
      if (text[at] == static_cast<char>(c)) continue;
      text[at] = static_cast<char>(c);
      EXPECT_FALSE(from_bech32("age", text, 32)) << text;
    }
  }
}

TEST(Bech32, RefusesTheOtherCaseAndMixedCase) {
  std::string upper;
  for (const char c : kKey.text) upper.push_back(static_cast<char>(std::toupper(c)));
  EXPECT_FALSE(from_bech32("age", upper, 32));
  EXPECT_TRUE(from_bech32("AGE", upper, 32));
  EXPECT_FALSE(from_bech32("age", "age" + upper.substr(3), 32));
  EXPECT_FALSE(from_bech32("AGE", "AGE" + std::string(kKey.text.substr(3)), 32));
  EXPECT_FALSE(from_bech32("A", "A1G7SGD8", 0));  // its checksum is over the uppercase prefix
}

TEST(Bech32, RefusesAnotherLengthOrPrefix) {
  const std::string text(kKey.text);
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(from_bech32("age", text.substr(0, size), 32));
  EXPECT_FALSE(from_bech32("age", text + "q", 32));
  EXPECT_FALSE(from_bech32("age", text, 31));
  EXPECT_FALSE(from_bech32("age", text, 33));
  EXPECT_FALSE(from_bech32("ag", text, 32));
  EXPECT_FALSE(from_bech32("age1", text, 32));
  EXPECT_FALSE(from_bech32("age", to_bech32("agf", std::string(32, 'x')), 32));
}

TEST(Bech32, RefusesPaddingThatIsNotZero) {
  // One octet is two digits, of which the last two bits are padding; all of these have a right checksum.
  EXPECT_TRUE(from_bech32("test", "test1qq2htfgz", 1));
  EXPECT_TRUE(from_bech32("test", "test1qy9af08c", 1));
  EXPECT_FALSE(from_bech32("test", "test1qphplu4s", 1));
  EXPECT_FALSE(from_bech32("test", "test1qzej22m0", 1));
  EXPECT_FALSE(from_bech32("test", "test1qryy7lxa", 1));
}

TEST(Bech32, DoesNotShowTheTextInItsMessage) {
  const auto decoded = from_bech32("AGE-SECRET-KEY-", std::string(74, 'Q'), 32);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().message.find("QQQ"), std::string::npos);
}

}  // namespace
}  // namespace spl::crypto
