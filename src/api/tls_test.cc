#include "http/tls.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "api/server_test_util.h"
#include "http/channel.h"
#include "http/wire.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::api {
namespace {

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    // A certificate that is its own authority, by the openssl program.
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout " + key() +
        " -out " + certificate() + " -subj /CN=spl -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null";
    SPL_CHECK(std::system(command.c_str()) == 0);
    options_.tls_certificate_file = certificate();
    options_.tls_key_file = key();
  }
  [[nodiscard]] std::string certificate() const { return home_.path() + "/cert.pem"; }
  [[nodiscard]] std::string key() const { return home_.path() + "/key.pem"; }
  // The status of GET /health, or the error.
  Result<int> health(TestDaemon& daemon, const http::TlsContext& context, const std::string& host) {
    http::Channel channel(TRY(http::connect_tcp("127.0.0.1", daemon.server().port())), clock_, nullptr);
    TRY(channel.connect_tls(context, host));
    http::Wire wire(channel, clock_, {});
    int status = 0;
    for (int i = 0; i < 2; ++i) {
      TRY(channel.write_all({"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"}));
      status = TRY(wire.read_answer(kTestPatience)).status;
      http::BodySource body(wire);
      TRY(base::read_all(body, 10'000));
    }
    return status;
  }

  testing::TempDirectory home_;
  testing::MemoryLog log_;
  env::SystemClock clock_;
  ServerOptions options_;
};

TEST_F(TlsTest, ServesThoseWhoTrustTheCertificate) {
  TestDaemon daemon(home_.path() + "/home", log_, options_);
  const auto trusting = http::TlsContext::for_client(certificate());
  ASSERT_TRUE(trusting) << trusting.error().message;
  const auto by_name = health(daemon, **trusting, "localhost");
  ASSERT_TRUE(by_name) << by_name.error().message;
  EXPECT_EQ(*by_name, 200);
  EXPECT_TRUE(health(daemon, **trusting, "127.0.0.1"));
  EXPECT_FALSE(health(daemon, **trusting, "other.example"));
  const auto machine = http::TlsContext::for_client("");
  ASSERT_TRUE(machine);
  const auto stranger = health(daemon, **machine, "localhost");
  ASSERT_FALSE(stranger);
  EXPECT_NE(stranger.error().message.find("certificate"), std::string::npos) << stranger.error().message;
  // The owner's door stays plain.
  EXPECT_EQ(daemon.local().ask("GET", "/health")->status, 200);
}

TEST_F(TlsTest, ServesOtherAddressesThanLoopback) {
  options_.host = "0.0.0.0";
  TestDaemon daemon(home_.path() + "/home", log_, options_);
  const auto trusting = http::TlsContext::for_client(certificate());
  EXPECT_TRUE(health(daemon, **trusting, "127.0.0.1"));
}

TEST_F(TlsTest, PlainHttpAndOldTlsAreNoTls) {
  options_.times.head = std::chrono::milliseconds(200);
  TestDaemon daemon(home_.path() + "/home", log_, options_);
  EXPECT_FALSE(daemon.tcp().ask("GET", "/health"));
  const std::string old = "openssl s_client -connect 127.0.0.1:" + std::to_string(daemon.server().port()) +
                          " -tls1_1 -cipher DEFAULT@SECLEVEL=0 </dev/null >/dev/null 2>&1";
  EXPECT_NE(std::system(old.c_str()), 0);
  RawClient silent = daemon.tcp();
  EXPECT_TRUE(silent.is_closed());
}

TEST_F(TlsTest, OfTheCiphersOfTls12OnlyThoseWithForwardSecrecyAndAead) {
  TestDaemon daemon(home_.path() + "/home", log_, options_);
  const auto speaks = [&daemon](const std::string& cipher) {
    const std::string client = "openssl s_client -connect 127.0.0.1:" + std::to_string(daemon.server().port()) +
                               " -tls1_2 -cipher " + cipher + " </dev/null >/dev/null 2>&1";
    return std::system(client.c_str()) == 0;
  };
  EXPECT_TRUE(speaks("ECDHE-ECDSA-AES128-GCM-SHA256"));
  EXPECT_TRUE(speaks("ECDHE-ECDSA-CHACHA20-POLY1305"));
  EXPECT_FALSE(speaks("ECDHE-ECDSA-AES128-SHA256"));
  EXPECT_FALSE(speaks("ECDHE-ECDSA-AES256-SHA"));
}

TEST_F(TlsTest, LargeBodiesComeThroughBothWays) {
  TestDaemon daemon(home_.path() + "/home", log_, options_);
  ASSERT_TRUE(daemon.instance().generate_identity());
  const auto trusting = http::TlsContext::for_client(certificate());
  http::Channel channel(http::connect_tcp("127.0.0.1", daemon.server().port()).value(), clock_, nullptr);
  ASSERT_TRUE(channel.connect_tls(**trusting, "localhost"));
  const std::string large(3 << 20, ' ');
  ASSERT_TRUE(channel.write_all(
      {"POST /v1/records HTTP/1.1\r\nhost: x\r\ncontent-length: " + std::to_string(large.size()) + "\r\n\r\n"}));
  http::Wire wire(channel, clock_, {});
  const auto refused = wire.read_answer(kTestPatience);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
}

TEST_F(TlsTest, AKeyOfAnotherCertificateIsSaidToBeThat) {
  const std::string other = home_.path() + "/other.pem";
  for (const char* kind : {"EC -pkeyopt ec_paramgen_curve:prime256v1", "RSA"}) {
    const std::string command = std::string("openssl genpkey -algorithm ") + kind + " -out " + other + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
    const auto made = http::TlsContext::for_server(certificate(), other);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kUsage);
    EXPECT_EQ(made.error().message, "key " + other + " does not belong to certificate " + certificate());
    EXPECT_EQ(made.error().hint.find("PEM"), std::string::npos) << made.error().hint;
  }
}

// In a session without a terminal OpenSSL would ask on standard error, so what it writes there is looked at, too.
TEST_F(TlsTest, AnEncryptedKeyIsAnErrorAndNoQuestion) {
  for (const char* kind : {"-aes256", "-aes256 -traditional"}) {
    const std::string locked = home_.path() + "/locked.pem";
    const std::string command =
        "openssl pkey -in " + key() + " -out " + locked + " -passout pass:secret " + kind + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
    ::testing::internal::CaptureStderr();
    const auto made = http::TlsContext::for_server(certificate(), locked);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kUsage);
    EXPECT_EQ(made.error().message, "key " + locked + " is encrypted, and a daemon has nobody to ask");
    EXPECT_NE(made.error().hint.find("without a passphrase"), std::string::npos) << made.error().hint;
  }
}

TEST_F(TlsTest, CertificatesThatCannotBeUsedAreNamed) {
  const auto missing = http::TlsContext::for_server(home_.path() + "/none.pem", key());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kUsage);
  EXPECT_NE(missing.error().message.find("none.pem"), std::string::npos);
  std::ofstream(home_.path() + "/bad.pem") << "nonsense";
  const auto bad = http::TlsContext::for_server(certificate(), home_.path() + "/bad.pem");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().hint, "a PEM file is wanted");
  EXPECT_FALSE(http::TlsContext::for_client(home_.path() + "/bad.pem"));
}

}  // namespace
}  // namespace spl::api
