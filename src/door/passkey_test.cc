// An authenticator made of OpenSSL: what Web Authentication (level 2, 6.5 and 7) has it send.
#include "door/passkey.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <memory>

#include "crypto/sha256.h"
#include "env/posix_file_system.h"
#include "testing/fake_clock.h"

namespace spl::door {
namespace {

using namespace std::chrono_literals;

constexpr char kPresentAndVerified = 0x05;
constexpr char kWithKey = 0x40;
const Site kSite{"https://box.test:8443", "box.test"};

class Authenticator {
 public:
  Authenticator() : key_(EVP_EC_gen("P-256")) {}
  ~Authenticator() { EVP_PKEY_free(key_); }
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  Registration registration(const std::string& client_data) {
    const std::string data = head(static_cast<char>(kPresentAndVerified | kWithKey)) + std::string(16, 'a') +
                             std::string("\0\x04", 2) + id + cose_key();
    // {"fmt": "none", "attStmt": {}, "authData": data}
    const std::string object = std::string("\xA3\x63") + "fmt" + "\x64" + "none" + "\x67" + "attStmt" + "\xA0" +
                               "\x68" + "authData" + "\x58" + static_cast<char>(data.size()) + data;
    return {client_data, object};
  }
  Assertion assertion(const std::string& client_data) {
    ++count;
    const std::string data = head(flags);
    const std::string digest(crypto::sha256(client_data).view());
    return {client_data, data, signed_text(data + digest)};
  }

  std::string id = "id42";
  std::string rp_id = kSite.rp_id;
  char flags = kPresentAndVerified;
  unsigned char count = 0;

 private:
  [[nodiscard]] std::string head(char with) const {
    return std::string(crypto::sha256(rp_id).view()) + with + std::string("\0\0\0", 3) + static_cast<char>(count);
  }
  [[nodiscard]] std::string cose_key() const {
    unsigned char point[65];
    std::size_t length = 0;
    EXPECT_EQ(EVP_PKEY_get_octet_string_param(key_, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &length), 1);
    EXPECT_EQ(length, sizeof point);
    const std::string octets(reinterpret_cast<const char*>(point), sizeof point);
    // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
    return std::string("\xA5\x01\x02\x03\x26\x20\x01\x21\x58\x20", 10) + octets.substr(1, 32) +
           std::string("\x22\x58\x20", 3) + octets.substr(33, 32);
  }
  [[nodiscard]] std::string signed_text(const std::string& text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_), 1);
    std::string signature(128, '\0');
    std::size_t length = signature.size();
    EXPECT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()),
              1);
    signature.resize(length);
    return signature;
  }
  EVP_PKEY* key_;
};

class PasskeyTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string client_data(const std::string& type, const std::string& challenge,
                                        const std::string& origin = kSite.origin) const {
    return R"({"type":")" + type + R"(","challenge":")" + challenge + R"(","origin":")" + origin +
           R"(","crossOrigin":false})";
  }
  PasskeyKey registered() {
    return read_registration(authenticator_.registration(client_data("webauthn.create", challenges_.make())), kSite,
                             challenges_)
        .value();
  }
  Result<std::uint32_t> signed_in(const PasskeyKey& key, const std::string& data) {
    return check_assertion(key, authenticator_.assertion(data), kSite, challenges_);
  }
  Result<std::uint32_t> signed_in(const PasskeyKey& key) {
    return signed_in(key, client_data("webauthn.get", challenges_.make()));
  }

  env::PosixFileSystem fs_;
  testing::FakeClock clock_;
  testing::SeededRandom random_;
  testing::MemoryLog log_;
  Challenges challenges_{{fs_, clock_, random_, log_}};
  Authenticator authenticator_;
};

TEST_F(PasskeyTest, WhatWasRegisteredSignsIn) {
  PasskeyKey key = registered();
  EXPECT_EQ(key.id, "id42");
  EXPECT_EQ(key.algorithm, -7);
  const auto count = signed_in(key);
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(*count, 1U);
  key.sign_count = 1;
  EXPECT_EQ(signed_in(key).value(), 2U);
}

TEST_F(PasskeyTest, AChallengeIsTakenOnceAndInTime) {
  const PasskeyKey key = registered();
  const std::string data = client_data("webauthn.get", challenges_.make());
  EXPECT_TRUE(signed_in(key, data));
  EXPECT_FALSE(signed_in(key, data));
  EXPECT_FALSE(signed_in(key, client_data("webauthn.get", to_base64url(std::string(32, 'x')))));
  const std::string late = challenges_.make();
  clock_.advance(kChallengeLifetime);
  EXPECT_FALSE(signed_in(key, client_data("webauthn.get", late)));
}

TEST_F(PasskeyTest, WhatIsOfAnotherSiteKindOrKeyIsWrong) {
  const PasskeyKey key = registered();
  EXPECT_FALSE(signed_in(key, client_data("webauthn.create", challenges_.make())));
  EXPECT_FALSE(signed_in(key, client_data("webauthn.get", challenges_.make(), "https://evil.test")));
  EXPECT_FALSE(signed_in(key, "no JSON"));
  authenticator_.rp_id = "evil.test";
  EXPECT_FALSE(signed_in(key));
  authenticator_.rp_id = kSite.rp_id;
  authenticator_.flags = 0x01;
  EXPECT_FALSE(signed_in(key)) << "nobody was looked at";
  authenticator_.flags = kPresentAndVerified;
  EXPECT_TRUE(signed_in(key));
  Authenticator other;
  EXPECT_FALSE(
      check_assertion(key, other.assertion(client_data("webauthn.get", challenges_.make())), kSite, challenges_));
}

TEST_F(PasskeyTest, ACountThatGoesBackIsACopy) {
  PasskeyKey key = registered();
  key.sign_count = 7;
  const auto copied = signed_in(key);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().cause, Cause::kAuthInvalid);
}

TEST_F(PasskeyTest, ABrokenRegistrationIsAnErrorAndNothingElse) {
  const Registration good = authenticator_.registration(client_data("webauthn.create", challenges_.make()));
  for (std::size_t length = 0; length < good.attestation_object.size(); ++length) {
    const Registration cut{client_data("webauthn.create", challenges_.make()),
                           good.attestation_object.substr(0, length)};
    EXPECT_FALSE(read_registration(cut, kSite, challenges_)) << length;
  }
  EXPECT_TRUE(read_registration(good, kSite, challenges_));
}

}  // namespace
}  // namespace spl::door
