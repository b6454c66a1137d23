// The daemon as a peer on the socket sees it: protocol, limits, ends.
#include "api/server.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "api/routes.h"
#include "api/server_test_util.h"
#include "env/interrupt.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::api {
namespace {

using std::chrono::milliseconds;

class ServerTest : public ::testing::Test {
 protected:
  // Before the first use of daemon().
  ServerOptions options_;

  TestDaemon& daemon() {
    if (!daemon_) daemon_ = std::make_unique<TestDaemon>(home_.path() + "/home", log_, options_);
    return *daemon_;
  }
  // Until a request of this path is in the log: its field of this name.
  std::string logged(std::string_view path, std::string_view field) {
    for (const auto end = std::chrono::steady_clock::now() + kTestPatience; std::chrono::steady_clock::now() < end;) {
      for (const auto& event : log_.events()) {
        bool found = false;
        for (const auto& [name, value] : event.fields) found = found || (name == "path" && value == path);
        for (const auto& [name, value] : event.fields)
          if (found && name == field) return value;
      }
      std::this_thread::yield();
    }
    ADD_FAILURE() << path << " was not logged";
    return "";
  }

  testing::TempDirectory home_;
  testing::MemoryLog log_;
  std::unique_ptr<TestDaemon> daemon_;
};

TEST_F(ServerTest, AnswersOnBothDoorsWithoutAToken) {
  for (const Door door : {Door::kTcp, Door::kUnix}) {
    RawClient client = door == Door::kTcp ? daemon().tcp() : daemon().local();
    const auto health = client.ask("GET", "/health");
    ASSERT_TRUE(health);
    EXPECT_EQ(health->status, 200);
    EXPECT_EQ(health->text("status"), "ok");
    EXPECT_EQ(health->fields.at("content-type"), "application/json");
    const auto manifest = client.ask("GET", "/.well-known/syncropel");
    ASSERT_TRUE(manifest);
    const auto capabilities = *manifest->json().find("capabilities_manifest");
    EXPECT_EQ(*capabilities.find("algebra_version")->string(), "v1");
    EXPECT_EQ(capabilities.find("hashed_fields")->array()->size(), 7u);
  }
}

TEST_F(ServerTest, HealthNamesTheIdentity) {
  EXPECT_TRUE(daemon().local().ask("GET", "/health")->json().find("did")->is_null());
  const auto summary = daemon().instance().generate_identity();
  ASSERT_TRUE(summary);
  EXPECT_EQ(daemon().tcp().ask("GET", "/health")->text("did"), summary->did);
}

TEST_F(ServerTest, ErrorsHaveOneForm) {
  RawClient client = daemon().local();
  const auto answer = client.ask("GET", "/no/such/place?token=secret");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->text("object"), "error");
  EXPECT_EQ(answer->text("code"), "NOT_FOUND");
  EXPECT_FALSE(answer->text("message").empty());
  EXPECT_NE(answer->json().find("hint"), nullptr);
  EXPECT_EQ(answer->fields.at("spl-exit-code"), "1");
  EXPECT_EQ(answer->text("message").find("secret"), std::string::npos);
}

TEST_F(ServerTest, AWrongMethodIsToldTheRightOnes) {
  RawClient client = daemon().local();
  auto answer = client.ask("DELETE", "/v1/records");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 405);
  EXPECT_EQ(answer->fields.at("allow"), "POST, GET, HEAD");
  answer = client.ask("POST", "/health");
  EXPECT_EQ(answer->status, 405);
  EXPECT_EQ(answer->fields.at("allow"), "GET, HEAD");
  answer = client.ask("GET", "/health");
  EXPECT_EQ(answer->status, 200);
}

TEST_F(ServerTest, HeadIsGetWithoutABody) {
  RawClient client = daemon().local();
  const auto get = client.ask("GET", "/health");
  const auto head = client.ask("HEAD", "/health");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->fields.at("content-length"), get->fields.at("content-length"));
  EXPECT_EQ(client.ask("HEAD", "/v1/threads")->status, 200);
  EXPECT_EQ(client.ask("HEAD", "/nothing")->status, 404);
  EXPECT_EQ(client.ask("GET", "/health")->status, 200);
}

TEST_F(ServerTest, ARequestWithoutAHostIsRefusedButInHttp10) {
  RawClient client = daemon().local();
  ASSERT_TRUE(
      client.send("GET /health HTTP/1.1\r\n\r\nGET /health HTTP/1.1\r\nhost:\r\n\r\nGET /health HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(client.receive()->status, 400);
  EXPECT_EQ(client.receive()->status, 200) << "an empty one is one";
  EXPECT_EQ(client.receive()->status, 200);
}

TEST_F(ServerTest, BodiesWithAContentCodingAreNotTaken) {
  const std::string record = record_json(1);
  const auto refused = daemon().local().ask("POST", "/v1/records", record, "content-encoding: gzip\r\n");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 415);
  EXPECT_EQ(refused->fields.at("spl-exit-code"), "2");
  EXPECT_EQ(daemon().local().ask("POST", "/v1/records", record, "content-encoding: Identity\r\n")->status, 201);
}

TEST_F(ServerTest, ABodyThatIsShorterThanItSaidIsTheClientsFault) {
  const std::string head = "POST /v1/records HTTP/1.1\r\nhost: test\r\n";
  for (const std::string_view type : {"application/json", "application/x-ndjson"}) {
    for (const std::string_view rest :
         {"content-length: 100\r\n\r\n{", "content-length: 100000\r\n\r\n", "transfer-encoding: chunked\r\n\r\n10\r\n{",
          "transfer-encoding: chunked\r\n\r\n"}) {
      RawClient client = daemon().local();
      ASSERT_TRUE(client.send(head + "content-type: " + std::string(type) + "\r\n" + std::string(rest)));
      client.end_writing();
      const auto answer = client.receive();
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->status, 400) << rest;
      EXPECT_EQ(answer->text("message"), "the connection ended within a body");
    }
  }
}

TEST_F(ServerTest, UnknownParametersAreRefused) {
  const auto answer = daemon().local().ask("GET", "/v1/records?treads=x");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_EQ(answer->text("code"), "INVALID_REQUEST");
  EXPECT_EQ(answer->fields.at("spl-exit-code"), "2");
}

TEST_F(ServerTest, RequestsThatCameTogetherAreAnsweredInOrder) {
  RawClient client = daemon().local();
  ASSERT_TRUE(
      client.send("GET /health HTTP/1.1\r\nhost: test\r\n\r\nGET /nothing HTTP/1.1\r\nhost: test\r\n\r\nGET /health "
                  "HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"));
  EXPECT_EQ(client.receive()->status, 200);
  EXPECT_EQ(client.receive()->status, 404);
  const auto last = client.receive();
  EXPECT_EQ(last->status, 200);
  EXPECT_EQ(last->fields.at("connection"), "close");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, OldClientsGetTheConnectionsEndForAnEnd) {
  RawClient client = daemon().local();
  ASSERT_TRUE(client.send("GET /health HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(client.receive()->status, 200);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, WhatIsNotHttpIsToldSo) {
  for (const auto& [text, status] : std::vector<std::pair<std::string, int>>{
           {"hello\r\n\r\n", 400},
           {"GET /%zz HTTP/1.1\r\nhost: test\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400},
           {"POST /v1/records HTTP/1.1\r\nhost: test\r\ntransfer-encoding: gzip\r\n\r\n", 501},
           {"GET / HTTP/1.1\r\nhost: test\r\nx: " + std::string(http::kHeadBytesMax, 'x') + "\r\n\r\n", 431},
           {"GET /" + std::string(http::kTargetBytesMax, 'x') + " HTTP/1.1\r\nhost: test\r\n\r\n", 400}}) {
    RawClient client = daemon().tcp();
    client.send(text);
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << text.substr(0, 40);
    EXPECT_EQ(answer->status, status) << text.substr(0, 40);
    EXPECT_EQ(answer->text("object"), "error");
  }
}

TEST_F(ServerTest, AHeadThatDoesNotEndIsTimedOut) {
  options_.times.head = milliseconds(20);
  RawClient client = daemon().tcp();
  ASSERT_TRUE(client.send("GET /health HTTP/1.1\r\nhost: test\r\nx: "));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, ABodyThatDoesNotComeIsTimedOut) {
  options_.times.body = milliseconds(20);
  RawClient client = daemon().local();
  ASSERT_TRUE(client.send("POST /v1/records HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\n{"));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
  options_.times.idle = milliseconds(20);
  RawClient client = daemon().tcp();
  EXPECT_EQ(client.ask("GET", "/health")->status, 200);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, ABodyThatIsTooLongIsNotRead) {
  RawClient client = daemon().local();
  ASSERT_TRUE(client.send("POST /v1/records HTTP/1.1\r\nhost: test\r\ncontent-length: 99999999999\r\n\r\n"));
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->text("code"), "TOO_LARGE");
  EXPECT_TRUE(client.is_closed());
  RawClient chunked = daemon().local();
  ASSERT_TRUE(
      chunked.send("POST /v1/local/emit HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n200000\r\n"));
  chunked.send(std::string(0x200000, ' '));
  answer = chunked.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST_F(ServerTest, AsksForABodyOnlyWhereItWantsIt) {
  RawClient client = daemon().local();
  const std::string record = record_json(1);
  ASSERT_TRUE(client.send("POST /v1/records HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: " +
                          std::to_string(record.size()) + "\r\n\r\n"));
  EXPECT_EQ(client.receive()->status, 100);
  ASSERT_TRUE(client.send(record));
  EXPECT_EQ(client.receive()->status, 201);
  ASSERT_TRUE(client.send("POST /nowhere HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n"));
  const auto refused = client.receive();
  EXPECT_EQ(refused->status, 404);
  EXPECT_EQ(refused->fields.at("connection"), "close");
}

TEST_F(ServerTest, OneConnectionTooManyIsToldSo) {
  options_.connections_max = 2;
  RawClient first = daemon().local();
  RawClient second = daemon().local();
  EXPECT_EQ(first.ask("GET", "/health")->status, 200);
  EXPECT_EQ(second.ask("GET", "/health")->status, 200);
  RawClient third = daemon().local();
  const auto answer = third.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->text("code"), "UNAVAILABLE");
  // The place of one that closes is free once its thread has seen it.
  do {
    first = daemon().local();
  } while (first.ask("GET", "/health").value_or(RawAnswer()).status != 200);
}

TEST_F(ServerTest, StrangersWhoSayNothingCloseTheDoorToNobody) {
  options_.connections_max = 2;
  RawClient oldest = daemon().tcp();
  EXPECT_EQ(oldest.ask("GET", "/health")->status, 200);
  RawClient silent = daemon().tcp();
  RawClient next = daemon().tcp();
  EXPECT_EQ(next.ask("GET", "/health")->status, 200);
  EXPECT_TRUE(oldest.is_closed()) << "it did not say who it is either, and came first";
  RawClient last = daemon().tcp();
  EXPECT_EQ(last.ask("GET", "/health")->status, 200);
  EXPECT_TRUE(silent.is_closed());
}

TEST_F(ServerTest, AStrangerWhoSaysNothingIsWaitedForABriefTime) {
  options_.times.stranger = milliseconds(20);
  RawClient owner = daemon().local();
  EXPECT_EQ(owner.ask("GET", "/health")->status, 200);
  EXPECT_TRUE(daemon().tcp().is_closed());
  RawClient asked = daemon().tcp();
  EXPECT_EQ(asked.ask("GET", "/health")->status, 200);
  EXPECT_TRUE(asked.is_closed()) << "it did not say who it is";
  EXPECT_EQ(owner.ask("GET", "/health")->status, 200);
}

TEST_F(ServerTest, ABodyTakesWhatHasComeOfItAndNotWhatWasSaid) {
  options_.bodies = {.bytes = 4u << 20, .owners_bytes = 1u << 20, .account_bytes = 3u << 20};
  const std::string great = "POST /v1/records HTTP/1.1\r\nhost: localhost\r\ncontent-length: 17000000\r\n\r\n{";
  std::vector<RawClient> waiting;
  for (int i = 0; i < 16; ++i) {
    waiting.push_back(daemon().local());
    ASSERT_TRUE(waiting.back().send(great));
  }
  for (auto& client : waiting) client.wait_until_read();
  EXPECT_EQ(daemon().local().ask("POST", "/v1/records", record_json(1))->status, 201);
}

TEST(BodyBudget, NobodyUsesUpWhatIsAnothers) {
  BodyBudget budget({.bytes = 100, .owners_bytes = 30, .account_bytes = 40});
  const BodyPayer owner;
  const BodyPayer loud("loud");
  const BodyPayer quiet("quiet");
  EXPECT_TRUE(budget.take(loud, 40));
  EXPECT_FALSE(budget.take(loud, 1)) << "that is its share";
  EXPECT_TRUE(budget.take(quiet, 30));
  EXPECT_FALSE(budget.take(quiet, 1)) << "the rest is the owner's";
  EXPECT_TRUE(budget.take(owner, 30));
  EXPECT_FALSE(budget.take(owner, 1));
  budget.give_back(loud, 40);
  EXPECT_TRUE(budget.take(owner, 40)) << "he may have what nobody else has";
  EXPECT_FALSE(budget.take(quiet, 1));
  budget.give_back(owner, 70);
  EXPECT_TRUE(budget.take(quiet, 10));
  EXPECT_TRUE(budget.take(loud, 30));
}

TEST_F(ServerTest, OverPlainTcpNoOtherHostIsServed) {
  const auto status = [&](std::string_view host) {
    RawClient client = daemon().tcp();
    client.send("GET /health HTTP/1.1\r\nhost: " + std::string(host) + "\r\n\r\n");
    return client.receive().value_or(RawAnswer()).status;
  };
  EXPECT_EQ(status("evil.example:9100"), 421);
  EXPECT_EQ(status("evil.example"), 421);
  EXPECT_EQ(status("localhost.evil.example"), 421);
  EXPECT_EQ(status("a b"), 400);
  EXPECT_EQ(status("localhost:" + std::to_string(daemon().server().port())), 200);
  EXPECT_EQ(status("LOCALHOST"), 200);
  EXPECT_EQ(status("127.0.0.1:1"), 200);
  EXPECT_EQ(status("[::1]:1"), 200);
  std::ofstream(home_.path() + "/home/config.toml") << "base_url = \"https://spl.example\"\n";
  EXPECT_EQ(status("spl.example"), 200) << "a proxy may keep the name";
}

TEST_F(ServerTest, AnotherExpectationIsNotMet) {
  RawClient client = daemon().local();
  EXPECT_EQ(client.ask("GET", "/health", "", "expect: something\r\n")->status, 417);
  EXPECT_EQ(daemon().local().ask("GET", "/health", "", "expect: 100-Continue\r\n")->status, 200);
}

TEST_F(ServerTest, StrangersDoNotFillTheLog) {
  RawClient client = daemon().tcp();
  for (int i = 0; i < 300; ++i) ASSERT_EQ(client.ask("GET", "/health")->status, 200);
  EXPECT_EQ(daemon().local().ask("GET", "/v1/threads")->status, 200);
  EXPECT_EQ(logged("/v1/threads", "status"), "200");
  EXPECT_LT(log_.events().size(), 200u);
}

TEST_F(ServerTest, LogsRequestsWithoutQueriesAndTokens) {
  daemon().tcp().ask("GET", "/v1/threads?hidden=1", "", "authorization: Bearer spl_secret\r\n");
  EXPECT_EQ(logged("/v1/threads", "status"), "401");
  EXPECT_EQ(logged("/v1/threads", "method"), "GET");
  EXPECT_NE(logged("/v1/threads", "ms"), "");
  EXPECT_NE(logged("/v1/threads", "bytes"), "0");
  for (const auto& event : log_.events()) {
    for (const auto& [name, value] : event.fields) {
      EXPECT_EQ(value.find("secret"), std::string::npos);
      EXPECT_EQ(value.find("hidden"), std::string::npos);
    }
  }
}

TEST_F(ServerTest, ConnectionsThatSendNothingDoNotHoldUpTheStop) {
  RawClient silent = daemon().tcp();
  RawClient idle = daemon().local();
  EXPECT_EQ(idle.ask("GET", "/health")->status, 200);
  daemon().stop();
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(silent.is_closed());
  EXPECT_FALSE(std::filesystem::exists(home_.path() + "/home/run/spl.sock"));
}

TEST_F(ServerTest, ADescriptorThatCanBeReadStopsIt) {
  const auto event = env::Interrupt::make().value();
  options_.stop_descriptor = event->descriptor();
  RawClient idle = daemon().local();
  EXPECT_EQ(idle.ask("GET", "/health")->status, 200);
  event->raise();
  EXPECT_TRUE(idle.is_closed());
  daemon().stop();
}

TEST_F(ServerTest, ARequestThatRunsEndsBeforeTheStop) {
  RawClient client = daemon().local();
  const std::string record = record_json(1);
  ASSERT_TRUE(client.send("POST /v1/records HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: " +
                          std::to_string(record.size()) + "\r\n\r\n"));
  EXPECT_EQ(client.receive()->status, 100);
  daemon().server().stop();
  ASSERT_TRUE(client.send(record));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201);
  EXPECT_TRUE(client.is_closed());
  daemon().stop();
  EXPECT_EQ(daemon().records(), 1u);
}

TEST_F(ServerTest, ARequestThatDoesNotEndIsCutAfterTheGrace) {
  options_.grace = milliseconds(20);
  RawClient client = daemon().local();
  ASSERT_TRUE(
      client.send("POST /v1/records HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 1000\r\n\r\n"));
  EXPECT_EQ(client.receive()->status, 100);
  daemon().stop();
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(daemon().records(), 0u);
}

TEST_F(ServerTest, ASecondDaemonOfTheHomeAndATakenPortAreRefused) {
  ServerOptions options;
  options.port = 0;
  const auto second = Server::start(daemon().instance(), options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  options.port = daemon().server().port();
  const auto taken = Server::start(daemon().instance(), options);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(daemon().local().ask("GET", "/health")->status, 200);
}

TEST_F(ServerTest, PlainHttpStaysOnLoopback) {
  ServerOptions options;
  options.host = "0.0.0.0";
  options.port = 0;
  const auto server = Server::start(daemon().instance(), options);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::kUsage);
}

TEST(OpenApi, DescribesTheRoutesThatThereAre) {
  const auto document = codec::Json::parse(openapi_text());
  ASSERT_TRUE(document) << document.error().message;
  std::set<std::string> described;
  for (const auto& [path, item] : *document->find("paths")->object()) {
    for (const auto& [method, operation] : *item.object()) {
      std::string name = method;
      for (char& c : name) c = static_cast<char>(std::toupper(c));
      described.insert(name + " " + path);
    }
  }
  std::set<std::string> served;
  for (const Route& route : routes()) served.insert(std::string(route.method) + " " + std::string(route.pattern));
  EXPECT_EQ(described, served);
}

}  // namespace
}  // namespace spl::api
