// The door for other instances, knocked at with requests that were signed, replayed, altered, or made by nobody.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/progress.h"
#include "cli_harness.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "federation/seal.h"
#include "federation/whereabouts.h"
#include "http/client.h"
#include "http/signature.h"
#include "substrate/identity.h"

namespace spl::cli_test {
namespace {

using federation::Request;
using federation::SealedRequest;

class FederationDoorTest : public CliTest {
 protected:
  void SetUp() override {
    make_home("a", 1);
    port_ = start_daemon("a");
    did_ = text_of(json_on("a", {"identity", "show"}), "did");
    make_home("peer", 0);
    peer_ = identity_of("peer");
  }

  env::Env env() { return {fs_, clock_, random_, log_}; }
  substrate::Identity identity_of(const std::string& home) {
    const std::string did = text_of(json_on(home, {"identity", "show"}), "did");
    return substrate::load_identity(env(), path(home) + "/identity", did).value();
  }

  http::Answer send(const Request& request, const http::Fields& fields) {
    const auto url = http::Url::parse("http://127.0.0.1:" + std::to_string(port_)).value();
    const auto tls = http::TlsContext::for_client("").value();
    base::NoProgress none;
    auto client = http::Client::connect(env(), url, *tls, none).value();
    const auto answer = client->ask(request.method, request.target, fields, request.content, 32u << 20);
    EXPECT_TRUE(answer) << (answer ? "" : answer.error().message);
    return answer ? *answer : http::Answer{};
  }
  SealedRequest seal(const Request& request, const substrate::Identity& signer) {
    return federation::seal_request(request, signer, did_, env());
  }
  http::Answer asked(const Request& request, const substrate::Identity& signer) {
    const SealedRequest sealed = seal(request, signer);
    http::Answer answer = send(request, sealed.fields);
    EXPECT_TRUE(federation::check_answer(answer, did_, signer.did, sealed.nonce)) << answer.content;
    return answer;
  }
  static std::string code_of(const http::Answer& answer) { return text_of(json_of(answer.content), "code"); }

  // The pair that the owner of "a" approves.
  void pair() {
    EXPECT_EQ(asked(kPair, peer_).status, 202);
    const std::string id = text_of(json_on("a", {"aitl", "list"}).array()->front(), "id");
    json_on("a", {"aitl", "approve", id});
    EXPECT_EQ(asked(kPair, peer_).status, 200);
  }

  const Request kPair{"POST", "/v1/federation/pair", R"({"namespaces":["default"]})"};
  const Request kChanges{"GET", "/v1/sync/changes?since=0", ""};

  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  std::uint64_t port_ = 0;
  std::string did_;
  substrate::Identity peer_ = substrate::generate_identity(env()).value();
};

TEST_F(FederationDoorTest, TheManifestIsSignedByTheInstanceThatServesIt) {
  const http::Answer answer = send({"GET", "/.well-known/syncropel", ""}, {});
  ASSERT_EQ(answer.status, 200);
  const auto manifest = federation::verified_manifest(answer.content, clock_.now());
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->did, did_);
  EXPECT_EQ(manifest->base_url, "http://127.0.0.1:" + std::to_string(port_));
  EXPECT_NE(json_of(answer.content).find("capabilities_manifest"), nullptr);
}

TEST_F(FederationDoorTest, WhoHasNoPairGetsNothing) {
  const http::Answer answer = asked(kChanges, peer_);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(code_of(answer), "UNPAIRED_PEER");
}

TEST_F(FederationDoorTest, AnUnsignedRequestIsRefusedWhateverTokenItHas) {
  json_on("a", {"service-account", "create", "ci", "--scope", "admin"});
  const std::string token = text_of(json_on("a", {"token", "create", "ci"}), "token");
  for (const Request& request : {kChanges, kPair, Request{"POST", "/v1/federation/announce", "{}"},
                                 Request{"POST", "/v1/federation/revoke", "{}"}}) {
    EXPECT_EQ(send(request, {}).status, 401) << request.target;
    const http::Answer answer = send(request, {{"authorization", "Bearer " + token}});
    EXPECT_EQ(answer.status, 401) << request.target;
    EXPECT_EQ(code_of(answer), "AUTH_REQUIRED");
  }
}

TEST_F(FederationDoorTest, ARequestIsTakenOnce) {
  pair();
  const SealedRequest sealed = seal(kChanges, peer_);
  EXPECT_EQ(send(kChanges, sealed.fields).status, 200);
  const http::Answer again = send(kChanges, sealed.fields);
  EXPECT_EQ(again.status, 410);
  EXPECT_EQ(code_of(again), "NONCE_USED");
  const SealedRequest asking = seal(kPair, peer_);
  EXPECT_EQ(send(kPair, asking.fields).status, 200);
  EXPECT_EQ(send(kPair, asking.fields).status, 410);
}

TEST_F(FederationDoorTest, AnAlteredRequestIsRefused) {
  pair();
  const SealedRequest sealed = seal(kChanges, peer_);
  for (const Request& altered : {Request{"GET", "/v1/sync/changes?since=1", ""}, Request{"GET", "/v1/sync/changes", ""},
                                 Request{"GET", "/v1/sync/changes?since=0", "x"}}) {
    const http::Answer answer = send(altered, sealed.fields);
    EXPECT_EQ(answer.status, 401) << altered.target;
    EXPECT_EQ(code_of(answer), "AUTH_INVALID");
  }
  const substrate::Identity other = substrate::generate_identity(env()).value();
  http::Fields fields = sealed.fields;
  for (auto& [name, value] : fields) {
    if (name == http::kSignatureInputField) value.replace(value.find(peer_.did), peer_.did.size(), other.did);
  }
  EXPECT_EQ(send(kChanges, fields).status, 401) << "another one's name on it";
  EXPECT_EQ(send(kChanges, federation::seal_request(kChanges, peer_, other.did, env()).fields).status, 401)
      << "meant for another";
}

TEST_F(FederationDoorTest, WhatWasSignedBeforeTheDaemonStartedIsRefused) {
  pair();
  const SealedRequest before = seal(kChanges, peer_);
  // Seconds are all that a signature tells.
  const std::int64_t made = federation::unix_seconds(clock_.now());
  on("a", {"stop"});
  while (federation::unix_seconds(clock_.now()) == made) clock_.sleep_for(std::chrono::milliseconds(20));
  port_ = start_daemon("a");
  EXPECT_EQ(send(kChanges, before.fields).status, 401);
  EXPECT_EQ(asked(kChanges, peer_).status, 200);
}

TEST_F(FederationDoorTest, PagesHaveWhatTheContractSays) {
  pair();
  const http::Answer answer = asked({"GET", "/v1/sync/changes?since=0&limit=1", ""}, peer_);
  const codec::Json page = json_of(answer.content);
  EXPECT_EQ(members(page), (Words{"records", "next_cursor", "has_more"}));
  ASSERT_EQ(page.find("records")->array()->size(), 1U);
  EXPECT_TRUE(flag_of(page, "has_more"));
  const std::string next = text_of(page, "next_cursor");
  const codec::Json last = json_of(asked({"GET", "/v1/sync/changes?since=" + next + "&limit=100", ""}, peer_).content);
  EXPECT_EQ(last.find("records")->array()->size(), 1U) << "and nothing of the pair's own thread";
  EXPECT_FALSE(flag_of(last, "has_more"));
  const std::string other_life = std::string(32, '0') + next.substr(32);
  const codec::Json anew = json_of(asked({"GET", "/v1/sync/changes?since=" + other_life, ""}, peer_).content);
  EXPECT_EQ(anew.find("records")->array()->size(), 2U) << "of another incarnation: from the beginning";
  for (const char* query : {"?since=x", "?limit=0", "?limit=10001", "?limit=a", "?what=1"})
    EXPECT_EQ(asked({"GET", "/v1/sync/changes" + std::string(query), ""}, peer_).status, 400) << query;
}

TEST_F(FederationDoorTest, MetricsSayWhatThereIs) {
  pair();
  EXPECT_EQ(send({"GET", "/metrics", ""}, {}).status, 401);
  json_on("a", {"service-account", "create", "monitoring", "--scope", "records:read"});
  const std::string token = text_of(json_on("a", {"token", "create", "monitoring"}), "token");
  const http::Answer answer = send({"GET", "/metrics", ""}, {{"authorization", "Bearer " + token}});
  ASSERT_EQ(answer.status, 200) << answer.content;
  const std::string* type = http::find_field(answer.fields, "content-type");
  ASSERT_NE(type, nullptr);
  EXPECT_THAT(*type, ::testing::HasSubstr("version=0.0.4"));
  EXPECT_THAT(answer.content, ::testing::HasSubstr("spl_pairs{state=\"active\"} 1\n"));
  EXPECT_THAT(answer.content, ::testing::ContainsRegex("\nspl_records [1-9][0-9]*\n"));
}

TEST_F(FederationDoorTest, ADirectoryTellsWhatItWasTold) {
  const Request about{"GET", "/v1/directory/" + peer_.did, ""};
  EXPECT_EQ(send(about, {}).status, 404);
  federation::Announcement announcement;
  announcement.did = peer_.did;
  announcement.base_url = "https://peer.example.org";
  announcement.sequence = 5;
  announcement.incarnation = std::string(32, 'a');
  announcement.issued_at = env::rfc3339(clock_.now());
  const auto tell = [&](const substrate::Identity& signer) {
    const std::string text = federation::sign_document(codec::shape_json(announcement), signer);
    const codec::Json body = codec::Json::Object{{"announcement", text}};
    return asked({"POST", "/v1/federation/announce", body.text()}, peer_).status;
  };
  EXPECT_EQ(tell(peer_), 200);
  EXPECT_EQ(text_of(json_of(send(about, {}).content), "base_url"), "https://peer.example.org");
  announcement.base_url = "https://evil.example.org";
  EXPECT_EQ(tell(peer_), 200);
  EXPECT_EQ(text_of(json_of(send(about, {}).content), "base_url"), "https://peer.example.org") << "not newer";
  announcement.sequence = 6;
  EXPECT_EQ(tell(substrate::generate_identity(env()).value()), 422) << "another one's signature";
  EXPECT_EQ(text_of(json_of(send(about, {}).content), "base_url"), "https://peer.example.org");
  const http::Answer own = send({"GET", "/v1/directory/" + did_, ""}, {});
  EXPECT_TRUE(federation::verified_announcement(own.content, clock_.now()));
}

// A move from a machine whose clock was ahead: the peers know a newer announcement than the one that is made now.
TEST_F(FederationDoorTest, WhoHasSaidSomethingNewerBeforeIsToldAndGoesOnFromThere) {
  const std::uint64_t peer_port = start_daemon("peer");
  federation::Announcement ahead;
  ahead.did = peer_.did;
  ahead.base_url = "http://127.0.0.1:1";
  const auto later = clock_.now() + std::chrono::hours(20);
  ahead.sequence =
      static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(later.time_since_epoch()).count());
  ahead.incarnation = std::string(32, 'a');
  ahead.issued_at = env::rfc3339(later);
  const codec::Json body =
      codec::Json::Object{{"announcement", federation::sign_document(codec::shape_json(ahead), peer_)}};
  const Request tell{"POST", "/v1/federation/announce", body.text()};
  EXPECT_EQ(json_of(asked(tell, peer_).content).find("known"), nullptr);
  ahead.sequence -= 1;
  const codec::Json older =
      codec::Json::Object{{"announcement", federation::sign_document(codec::shape_json(ahead), peer_)}};
  EXPECT_NE(json_of(asked({"POST", tell.target, older.text()}, peer_).content).find("known"), nullptr);
  // The instance itself, at its real address.
  const std::string url = "http://127.0.0.1:" + std::to_string(port_);
  json_on("peer", {"federation", "pair", url, "--wait", "0"});
  json_on("a", {"aitl", "approve", text_of(json_on("a", {"aitl", "list"}).array()->front(), "id")});
  EXPECT_EQ(on("peer", {"sync"}).code, 0);
  const codec::Json listed = json_of(send({"GET", "/v1/directory/" + peer_.did, ""}, {}).content);
  EXPECT_EQ(text_of(listed, "base_url"), "http://127.0.0.1:" + std::to_string(peer_port));
}

TEST_F(FederationDoorTest, StrangersDoNotFillTheLogOrTheOwnersList) {
  const std::uint64_t before = number_of(json_on("a", {"status"}), "record_count");
  int refused = 0;
  for (int i = 0; i < 70; ++i) {
    const substrate::Identity stranger = substrate::generate_identity(env()).value();
    const int status = asked(kPair, stranger).status;
    EXPECT_TRUE(status == 202 || status == 503) << status;
    refused += status == 503 ? 1 : 0;
  }
  EXPECT_EQ(refused, 6);
  EXPECT_EQ(json_on("a", {"aitl", "list"}).array()->size(), 64U);
  EXPECT_EQ(number_of(json_on("a", {"status"}), "record_count"), before);
}

}  // namespace
}  // namespace spl::cli_test
