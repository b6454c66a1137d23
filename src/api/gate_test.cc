// Who may do what over TCP.
#include "api/gate.h"

#include <gtest/gtest.h>

#include "api/remote_operations.h"
#include "api/routes.h"
#include "api/server_test_util.h"
#include "env/env.h"
#include "record/thread.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::api {
namespace {

class GateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.instance().generate_identity());
    owner_ = std::move(*RemoteOperations::connect(daemon_.env(), daemon_.instance().paths(), nullptr));
  }
  std::string token(const std::string& name, std::vector<std::string> scopes, std::vector<std::string> actors = {},
                    std::optional<std::string> expires_at = {}) {
    const auto account = owner_->create_account({name, std::move(scopes), std::move(actors), true});
    EXPECT_TRUE(account) << account.error().message;
    const auto made = owner_->create_token({name, "test", {}, std::move(expires_at)});
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::string(made->token.reveal()) : "";
  }
  RawAnswer ask(std::string_view token, std::string_view method, std::string_view target, std::string_view body = {},
                std::string fields = {}) {
    if (!token.empty()) fields += "authorization: Bearer " + std::string(token) + "\r\n";
    return daemon_.tcp().ask(method, target, body, fields).value_or(RawAnswer());
  }

  testing::TempDirectory home_;
  testing::MemoryLog log_;
  TestDaemon daemon_{home_.path() + "/home", log_};
  std::unique_ptr<RemoteOperations> owner_;
};

TEST_F(GateTest, WithoutATokenNothingIsServedOverTcp) {
  for (const Route& route : routes()) {
    if (route.access == Access::kOpen) continue;
    std::string path(route.pattern);
    if (const std::size_t brace = path.find("{id}"); brace != std::string::npos)
      path.replace(brace, 4, std::string(64, '0'));
    for (const std::string_view method : {route.method, std::string_view("PATCH")}) {
      const auto answer = ask("", method, path);
      EXPECT_EQ(answer.status, 401) << path;
      EXPECT_EQ(answer.text("code"), "AUTH_REQUIRED") << path;
      EXPECT_TRUE(answer.fields.contains("www-authenticate"));
      EXPECT_FALSE(answer.fields.contains("allow"));
    }
  }
  EXPECT_EQ(ask("", "GET", "/nowhere").status, 401);
  EXPECT_EQ(ask("", "POST", "/health").status, 405);
}

TEST_F(GateTest, WithATokenOneLearnsWhatThereIsNot) {
  const std::string reader = token("reader", {"records:read"});
  EXPECT_EQ(ask(reader, "GET", "/nowhere").status, 404);
  EXPECT_EQ(ask(reader, "DELETE", "/v1/records").status, 405);
  EXPECT_EQ(ask(reader + "0", "GET", "/nowhere").text("code"), "AUTH_INVALID");
  for (const Route& route : routes()) {
    if (is_at_tcp(route.access)) continue;
    EXPECT_EQ(ask(reader, route.method, route.pattern).status, 404);
  }
}

TEST_F(GateTest, WrongTokensAreNotValid) {
  const std::string good = token("reader", {"records:read"});
  EXPECT_EQ(ask(good, "GET", "/v1/threads").status, 200);
  for (const std::string& bad :
       {std::string("x"), good + "0", good.substr(0, good.size() - 1), std::string(5000, 'x')}) {
    const auto answer = ask(bad, "GET", "/v1/threads");
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.text("code"), "AUTH_INVALID");
  }
  EXPECT_EQ(ask("", "GET", "/v1/threads", "", "authorization: Basic " + good + "\r\n").text("code"), "AUTH_REQUIRED");
  EXPECT_EQ(ask("", "GET", "/v1/threads", "", "authorization: bearer  " + good + "\r\n").status, 200);
}

TEST_F(GateTest, ScopesAreHeld) {
  const std::string reader = token("reader", {"records:read"});
  const std::string writer = token("writer", {"records:write"}, {"did:web:a"});
  const std::string admin = token("root", {"admin"});
  auto answer = ask(reader, "POST", "/v1/records", record_json(1));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.text("code"), "SCOPE_FORBIDDEN");
  EXPECT_EQ(answer.text("required_scope"), "records:write");
  EXPECT_EQ(answer.fields.at("spl-exit-code"), "3");
  EXPECT_EQ(ask(writer, "POST", "/v1/records", record_json(1)).status, 201);
  EXPECT_EQ(ask(writer, "GET", "/v1/threads").status, 403);
  EXPECT_EQ(ask(writer, "POST", "/v1/portability/export", "{}").status, 403);
  EXPECT_EQ(ask(reader, "POST", "/v1/portability/import", "x").status, 403);
  EXPECT_EQ(ask(admin, "GET", "/v1/threads").status, 200);
  EXPECT_EQ(ask(admin, "POST", "/v1/portability/export", "{}").status, 200);
}

TEST_F(GateTest, ATokenWritesAsItsActorsOnly) {
  const std::string writer = token("writer", {"records:write"}, {"did:web:a"});
  auto answer = ask(writer, "POST", "/v1/records", record_json(1, "th", "did:web:b"));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.text("code"), "ACTOR_FORBIDDEN");
  const std::uint64_t before = daemon_.records();
  const std::string mixed = record_json(1) + "\n" + record_json(2, "th", "did:web:b") + "\n";
  answer = ask(writer, "POST", "/v1/records", mixed, std::string(kNdjsonField));
  EXPECT_EQ(answer.text("code"), "ACTOR_FORBIDDEN");
  EXPECT_EQ(daemon_.records(), before);
  std::string clockless = record_json(3, "th", "did:web:b");
  clockless.erase(clockless.find(",\"clock\":3"), 10);
  EXPECT_EQ(ask(writer, "POST", "/v1/records", clockless).text("code"), "ACTOR_FORBIDDEN");
  EXPECT_EQ(ask(token("root", {"admin"}), "POST", "/v1/records", mixed, std::string(kNdjsonField)).status, 200);
}

// What takes effect on a reserved thread is what the instance signs: only who could take its key signs in its name.
TEST_F(GateTest, TheInstanceSignsWhatItsOwnerAndAdminsHaveItSay) {
  const std::string did = daemon_.instance().did().value();
  const std::string bot = token("bot", {"records:write"}, {did});
  const std::string admin = token("root", {"admin"});
  std::string clockless = record_json(3, "th", did);
  clockless.erase(clockless.find(",\"clock\":3"), 10);
  const auto is_signed = [this](const std::string& id) {
    const auto record = daemon_.instance().store().reader().value()->find(RecordId::parse(id).value()).value();
    return record && record->sig && record::signature_is_valid(*record);
  };
  EXPECT_FALSE(is_signed(ask(bot, "POST", "/v1/records", clockless).text("id")));
  EXPECT_TRUE(is_signed(ask(admin, "POST", "/v1/records", clockless).text("id")));
  const auto local = daemon_.local().ask("POST", "/v1/records", clockless);
  EXPECT_TRUE(is_signed(local->text("id")));
  EXPECT_FALSE(is_signed(ask(admin, "POST", "/v1/records", record_json(99, "th", did)).text("id"))) << "as it is given";
}

TEST_F(GateTest, ALongStreamIsHeldToTheActorsToo) {
  const std::string writer = token("writer", {"records:write"}, {"did:web:a"});
  const std::uint64_t before = daemon_.records();
  std::string lines;
  int n = 0;
  for (const std::string filler(50'000, 'x'); lines.size() <= kBatchBytesMax; ++n) {
    std::string json = record_json(n);
    lines += json.replace(json.find("{\"n\":"), 1, "{\"filler\":\"" + filler + "\",") + "\n";
  }
  auto answer =
      ask(writer, "POST", "/v1/records", lines + record_json(1, "th", "did:web:b"), std::string(kNdjsonField));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.text("code"), "ACTOR_FORBIDDEN");
  EXPECT_EQ(daemon_.records(), before);
  answer = ask(writer, "POST", "/v1/records", lines + record_json(n), std::string(kNdjsonField));
  EXPECT_EQ(answer.number("inserted"), static_cast<std::uint64_t>(n) + 1);
}

TEST_F(GateTest, WhatIsRevokedIsOfNoUseFromThenOn) {
  const std::string first = token("reader", {"records:read"});
  const auto second = owner_->create_token({"reader", "test", {}, {}});
  ASSERT_TRUE(second);
  EXPECT_EQ(ask(first, "GET", "/v1/threads").status, 200);
  EXPECT_EQ(ask(second->token.reveal(), "GET", "/v1/threads").status, 200);
  ASSERT_TRUE(owner_->revoke_token({base::to_hex(second->summary.id.view())}));
  EXPECT_EQ(ask(second->token.reveal(), "GET", "/v1/threads").status, 401);
  EXPECT_EQ(ask(first, "GET", "/v1/threads").status, 200);
  ASSERT_TRUE(owner_->revoke_account({"reader"}));
  EXPECT_EQ(ask(first, "GET", "/v1/threads").status, 401);
  EXPECT_TRUE(instance::list_tokens(daemon_.instance())->empty());
  // Another account of the name takes no tokens over.
  const std::string third = token("reader", {"records:read"});
  EXPECT_EQ(ask(first, "GET", "/v1/threads").status, 401);
  EXPECT_EQ(ask(third, "GET", "/v1/threads").status, 200);
}

TEST_F(GateTest, ARevocationThatIsPutAsARecordCountsAtOnce) {
  const std::string reader = token("reader", {"records:read"});
  EXPECT_EQ(ask(reader, "GET", "/v1/threads").status, 200);
  const auto identity = daemon_.instance().identity();
  std::string json = "{\"act\":\"LEARN\",\"actor\":\"" + identity->did +
                     "\",\"body\":" + substrate::account_body({"reader", {}, {}, false}) +
                     ",\"clock\":1000,\"data_type\":\"SCALAR\",\"parents\":[],\"thread\":\"th_service_accounts\"}";
  // Without a signature it is data only.
  EXPECT_EQ(daemon_.local().ask("POST", "/v1/records", json)->status, 201);
  EXPECT_EQ(ask(reader, "GET", "/v1/threads").status, 200);
  const Record record = record::parse_record(json).value();
  json.insert(1, "\"sig\":\"" + base::to_base64(identity->key.sign(record.canonical).view()) + "\",");
  EXPECT_EQ(daemon_.local().ask("POST", "/v1/records", json)->status, 201);
  EXPECT_EQ(ask(reader, "GET", "/v1/threads").status, 401);
  // Its token is still there until an account of the name is made.
  EXPECT_EQ(instance::list_tokens(daemon_.instance())->size(), 1u);
  const std::string another = token("reader", {"records:read"});
  EXPECT_EQ(ask(reader, "GET", "/v1/threads").status, 401);
  EXPECT_EQ(ask(another, "GET", "/v1/threads").status, 200);
}

TEST_F(GateTest, AnAccountIsRevokedThoughItsThreadHasARecordOfTheLastClock) {
  const std::string reader = token("reader", {"records:read"});
  const std::string json = "{\"act\":\"LEARN\",\"actor\":\"" + daemon_.instance().identity()->did +
                           "\",\"body\":{},\"clock\":9223372036854775807,\"data_type\":\"SCALAR\","
                           "\"parents\":[],\"thread\":\"th_service_accounts\"}";
  EXPECT_EQ(daemon_.local().ask("POST", "/v1/records", json)->status, 201);
  EXPECT_TRUE(owner_->revoke_account({"reader"}));
  EXPECT_EQ(ask(reader, "GET", "/v1/threads").status, 401);
}

// A revocation that another wrote takes effect by an endorsement, which may stand on any reserved thread.
TEST_F(GateTest, ARevocationThatIsEndorsedElsewhereCountsAtOnce) {
  const std::string reader = token("reader", {"records:read"});
  EXPECT_EQ(ask(reader, "GET", "/v1/threads").status, 200);
  const std::string revocation =
      "{\"act\":\"LEARN\",\"actor\":\"did:web:b\",\"body\":" + substrate::account_body({"reader", {}, {}, false}) +
      ",\"clock\":1000,\"data_type\":\"SCALAR\",\"parents\":[],"
      "\"thread\":\"th_service_accounts\"}";
  const auto put = daemon_.local().ask("POST", "/v1/records", revocation);
  EXPECT_EQ(put->status, 201);
  EXPECT_EQ(ask(reader, "GET", "/v1/threads").status, 200);
  const auto identity = daemon_.instance().identity();
  std::string json = "{\"act\":\"KNOW\",\"actor\":\"" + identity->did + "\",\"body\":{\"endorses\":[\"" +
                     put->text("id") + "\"]},\"clock\":1,\"data_type\":\"SCALAR\",\"parents\":[],\"thread\":\"" +
                     std::string(record::kConsentThread) + "\"}";
  const Record record = record::parse_record(json).value();
  json.insert(1, "\"sig\":\"" + base::to_base64(identity->key.sign(record.canonical).view()) + "\",");
  EXPECT_EQ(daemon_.local().ask("POST", "/v1/records", json + "\n", kNdjsonField)->status, 200);
  EXPECT_EQ(ask(reader, "GET", "/v1/threads").status, 401);
}

TEST_F(GateTest, WhoHoldsWhichTokenIsReadAnewOnlyWhenThatMayHaveChanged) {
  const std::string reader = token("reader", {"records:read"});
  EXPECT_EQ(ask(reader, "GET", "/v1/threads").status, 200);
  // Behind the daemon's back, so that a look at the store would show.
  const auto made = instance::create_token(daemon_.instance(), {"reader", "test", {}, {}});
  ASSERT_TRUE(made);
  const std::string other(made->text.reveal());
  EXPECT_EQ(ask(other, "GET", "/v1/threads").status, 401);
  EXPECT_EQ(daemon_.local().ask("POST", "/v1/records", record_json(1))->status, 201);
  EXPECT_EQ(ask(other, "GET", "/v1/threads").status, 401);
  ASSERT_TRUE(owner_->create_token({"reader", "test", {}, {}}));
  EXPECT_EQ(ask(other, "GET", "/v1/threads").status, 200);
}

TEST_F(GateTest, ATokenIsOfNoUseFromTheMomentOfItsEnd) {
  env::Clock& clock = daemon_.env().clock;
  const std::string end = env::rfc3339(clock.now() + std::chrono::seconds(2));
  const std::string reader = token("reader", {"records:read"}, {}, end);
  for (int status = 200; status == 200;) {
    const std::string before = env::rfc3339(clock.now());
    status = ask(reader, "GET", "/v1/threads").status;
    if (status == 200) {
      EXPECT_LT(before, end);
    } else {
      EXPECT_EQ(status, 401);
      EXPECT_GE(env::rfc3339(clock.now()), end);
    }
  }
}

TEST_F(GateTest, AnExpiredTokenIsOfNoUse) {
  const std::string text = token("reader", {"records:read"}, {}, "2100-01-01T00:00:00Z");
  {
    auto writer = daemon_.instance().store().writer().value();
    store::Token kept = writer->tokens().value().at(0);
    kept.expires_at = "2020-01-01T00:00:00Z";
    ASSERT_TRUE(writer->put_token(kept));
    ASSERT_TRUE(writer->commit());
  }
  EXPECT_EQ(ask(text, "GET", "/v1/threads").status, 401);
  EXPECT_FALSE(owner_->create_token({"reader", "test", {}, "2020-01-01T00:00:00Z"})) << "it would be over already";
}

// Bodies that do not end take their account's part of the memory for bodies, and neither another's nor the owner's.
TEST_F(GateTest, BodiesThatDoNotEndAreTheirAccountsAffair) {
  ServerOptions options;
  options.bodies = {.bytes = 4u << 20, .owners_bytes = 1u << 20, .account_bytes = 2u << 20};
  TestDaemon daemon(home_.path() + "/small", log_, options);
  ASSERT_TRUE(daemon.instance().generate_identity());
  owner_ = std::move(*RemoteOperations::connect(daemon.env(), daemon.instance().paths(), nullptr));
  const auto bearer = [&](const std::string& name) {
    return "authorization: Bearer " + token(name, {"records:write"}, {"did:web:a"}) + "\r\n";
  };
  const std::string loud = bearer("loud");
  const std::string quiet = bearer("quiet");
  std::vector<RawClient> waiting;
  // Until one is told that there is no more room.
  for (int refused = 0; refused == 0;) {
    ASSERT_LT(waiting.size(), 20u);
    RawClient client = daemon.tcp();
    ASSERT_TRUE(client.send("POST /v1/records HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n" + loud +
                            "content-length: 17000000\r\n\r\n"));
    ASSERT_EQ(client.receive()->status, 100);
    client.send("{\"a\":\"" + std::string(300'000, 'x'));
    client.wait_until_read();
    const auto status = [&] { return daemon.tcp().ask("POST", "/v1/records", record_json(1), loud)->status; };
    refused = status() == 503 ? 1 : 0;
    waiting.push_back(std::move(client));
  }
  EXPECT_EQ(daemon.tcp().ask("POST", "/v1/records", record_json(2), quiet)->status, 201);
  EXPECT_EQ(daemon.local().ask("POST", "/v1/records", record_json(3))->status, 201);
  EXPECT_TRUE(owner_->revoke_account({"loud"}));
}

TEST_F(GateTest, APassphraseIsNotTakenOverTcp) {
  const auto answer =
      ask(token("root", {"admin"}), "POST", "/v1/portability/export", R"({"passphrase":"correct horse"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body.find("horse"), std::string::npos);
}

}  // namespace
}  // namespace spl::api
