#include "crypto/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

namespace spl::crypto {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

// openssl(1) is who judges: it verifies as a browser does, name constraints among it.
class CertificateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "spl-certificate-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    authority_ = make_authority(request({"box.example.org", "box.local", "203.0.113.7"}, 3650)).value();
    save("ca.pem", authority_.certificate);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static CertificateRequest request(std::vector<std::string> names, int days) {
    const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto random = [](std::span<char> out) {
      std::random_device device;
      for (char& octet : out) octet = static_cast<char>(device());
    };
    return {"a test", std::move(names), now - 60s, now + std::chrono::days(days), random};
  }
  void save(const std::string& name, std::string_view text) {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  // Whether a client that trusts the authority takes a certificate for `names` when it has asked for `name`.
  bool is_taken(const std::vector<std::string>& names, const std::string& option, const std::string& name) {
    save("leaf.pem", issue_certificate(authority_, request(names, 90)).value().certificate);
    const std::string command = "openssl verify -x509_strict -purpose sslserver -CAfile '" +
                                (directory_ / "ca.pem").string() + "' " + option + " " + name + " '" +
                                (directory_ / "leaf.pem").string() + "' > /dev/null 2>&1";
    return std::system(command.c_str()) == 0;
  }

  std::filesystem::path directory_;
  KeyedCertificate authority_;
};

TEST_F(CertificateTest, ItsNamesAndPrivateAddressesAreTaken) {
  EXPECT_TRUE(is_taken({"box.example.org"}, "-verify_hostname", "box.example.org"));
  EXPECT_TRUE(is_taken({"notes.box.example.org"}, "-verify_hostname", "notes.box.example.org"));
  EXPECT_TRUE(is_taken({"box.local", "192.168.1.7"}, "-verify_ip", "192.168.1.7"));
  EXPECT_TRUE(is_taken({"203.0.113.7"}, "-verify_ip", "203.0.113.7"));
  EXPECT_TRUE(is_taken({"fd12::7"}, "-verify_ip", "fd12::7"));
}

TEST_F(CertificateTest, OthersAreNot) {
  EXPECT_FALSE(is_taken({"bank.example.com"}, "-verify_hostname", "bank.example.com"));
  EXPECT_FALSE(is_taken({"box.example.org", "bank.example.com"}, "-verify_hostname", "box.example.org"));
  EXPECT_FALSE(is_taken({"198.51.100.9"}, "-verify_ip", "198.51.100.9"));
  EXPECT_FALSE(is_taken({"2001:db8::1"}, "-verify_ip", "2001:db8::1"));
  EXPECT_FALSE(is_taken({"box.example.org"}, "-verify_hostname", "box.local"));
}

TEST_F(CertificateTest, FactsAreThoseThatWereAskedFor) {
  const CertificateRequest asked = request({"box.local", "10.1.2.3", "::1"}, 90);
  const KeyedCertificate made = issue_certificate(authority_, asked).value();
  const CertificateFacts facts = certificate_facts(made.certificate).value();
  EXPECT_THAT(facts.names, ElementsAre("box.local", "10.1.2.3", "::1"));
  EXPECT_EQ(facts.until, asked.until);
  EXPECT_TRUE(is_key_of(made.certificate, made.key.reveal()));
  EXPECT_FALSE(is_key_of(made.certificate, authority_.key.reveal()));
  EXPECT_FALSE(certificate_facts("no certificate"));
}

TEST_F(CertificateTest, NoTwoAreTheSame) {
  const auto first = issue_certificate(authority_, request({"box.local"}, 90)).value();
  const auto second = issue_certificate(authority_, request({"box.local"}, 90)).value();
  EXPECT_NE(certificate_facts(first.certificate).value().sha256, certificate_facts(second.certificate).value().sha256);
  EXPECT_NE(first.key.reveal(), second.key.reveal());
}

}  // namespace
}  // namespace spl::crypto
