// Records that get their clock here, requests that are sent again, and what errors tell who asks over HTTP.
#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "api/error_json.h"
#include "api/routes.h"
#include "api/server_test_util.h"
#include "crypto/sha256.h"
#include "instance/ingest.h"
#include "store/memory/memory_store.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::api {
namespace {

std::string clockless(int n, std::string_view thread = "th_test", std::string_view actor = "did:web:a") {
  std::string json = record_json(n, thread, actor);
  const std::string clock = ",\"clock\":" + std::to_string(n);
  json.erase(json.rfind(clock + ",\"data_type\""), clock.size());
  return json;
}

std::string key(std::string_view value) {
  return "idempotency-key: " + std::string(value) + "\r\n";
}

class SendingAgainTest : public ::testing::Test {
 protected:
  RawAnswer post(std::string_view body, const std::string& fields = {}) {
    auto answer = daemon_.local().ask("POST", "/v1/records", body, fields);
    EXPECT_TRUE(answer && answer->whole);
    return answer.value_or(RawAnswer());
  }

  testing::TempDirectory home_;
  testing::MemoryLog log_;
  TestDaemon daemon_{home_.path() + "/home", log_};
};

TEST_F(SendingAgainTest, LinesMayLackTheirClocks) {
  const std::string lines = clockless(1) + "\n" + record_json(7) + "\n" + clockless(2) + "\n" + clockless(1) + "\n";
  const auto answer = post(lines, std::string(kNdjsonField) + "accept: application/x-ndjson\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("content-type"), "application/x-ndjson");
  std::vector<std::uint64_t> clocks;
  std::set<std::string> ids;
  for (std::size_t at = 0; at < answer.body.size();) {
    const std::size_t end = answer.body.find('\n', at);
    const auto item = codec::Json::parse(std::string_view(answer.body).substr(at, end - at));
    ASSERT_TRUE(item) << answer.body;
    ids.insert(*item->find("id")->string());
    const auto got = daemon_.local().ask("GET", "/v1/records/" + *item->find("id")->string());
    clocks.push_back(got->number("clock"));
    at = end + 1;
  }
  EXPECT_EQ(clocks, (std::vector<std::uint64_t>{0, 7, 8, 9}));
  EXPECT_EQ(ids.size(), 4u);
  const auto counts = post(clockless(1) + "\n" + record_json(7) + "\n", std::string(kNdjsonField));
  EXPECT_EQ(counts.body, R"({"inserted":1,"deduplicated":1})");
}

TEST_F(SendingAgainTest, AClocklessLineWithASignatureIsRefusedAndNothingIsPut) {
  std::string signed_line = clockless(3);
  signed_line.insert(1, "\"sig\":\"" + base::to_base64(std::string(64, 's')) + "\",");
  const auto answer = post(clockless(1) + "\n" + signed_line + "\n", std::string(kNdjsonField));
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.text("message").find("line 2"), std::string::npos) << answer.body;
  EXPECT_EQ(daemon_.records(), 0u);
}

TEST_F(SendingAgainTest, WhatTheInstanceIsTheActorOfIsSigned) {
  ASSERT_TRUE(daemon_.instance().generate_identity());
  const std::string did = *daemon_.instance().did();
  const auto answer =
      post(clockless(1, "t", did) + "\n", std::string(kNdjsonField) + "accept: application/x-ndjson\r\n");
  const auto id = codec::Json::parse(answer.body);
  ASSERT_TRUE(id) << answer.body;
  const auto got = daemon_.local().ask("GET", "/v1/records/" + *id->find("id")->string());
  EXPECT_NE(got->text("sig"), "");
}

TEST_F(SendingAgainTest, TheSameKeyGetsTheSameAnswer) {
  const auto first = post(clockless(1), key("one"));
  EXPECT_EQ(first.status, 201);
  const auto again = post(clockless(1), key("one"));
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(daemon_.records(), 1u);
  const auto other = post(clockless(1), key("other"));
  EXPECT_NE(other.body, first.body);
  EXPECT_EQ(daemon_.records(), 2u);
  const std::string lines = clockless(1) + "\n" + clockless(2) + "\n";
  const auto many = post(lines, std::string(kNdjsonField) + key("many"));
  EXPECT_EQ(many.body, R"({"inserted":2,"deduplicated":0})");
  EXPECT_EQ(post(lines, std::string(kNdjsonField) + key("many")).body, many.body);
  EXPECT_EQ(daemon_.records(), 4u);
}

TEST_F(SendingAgainTest, AKeyIsForOneRequest) {
  ASSERT_EQ(post(clockless(1), key("one")).status, 201);
  const auto other = post(clockless(2), key("one"));
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(other.text("code"), "REFUSED");
  EXPECT_EQ(daemon_.records(), 1u);
  for (const std::string& bad : {std::string(), std::string(256, 'k'), std::string("k\xC3\xA9")})
    EXPECT_EQ(post(clockless(1), key(bad)).status, 400) << bad;
  EXPECT_EQ(daemon_.records(), 1u);
}

TEST_F(SendingAgainTest, WhatFailedIsNotKept) {
  EXPECT_EQ(post("{}", key("one")).status, 400);
  EXPECT_EQ(post(clockless(1), key("one")).status, 201);
}

TEST_F(SendingAgainTest, ALongBodyIsPutOnceToo) {
  std::string lines;
  while (lines.size() <= kBatchBytesMax)
    lines += clockless(1).insert(1, "\"judged_by\":\"did:web:" + std::string(100'000, 'j') + "\",") + "\n";
  const auto first = post(lines, std::string(kNdjsonField) + key("long"));
  EXPECT_EQ(first.status, 200) << first.body;
  const std::uint64_t records = daemon_.records();
  EXPECT_GT(records, 300u);
  EXPECT_EQ(post(lines, std::string(kNdjsonField) + key("long")).body, first.body);
  EXPECT_EQ(daemon_.records(), records);
}

TEST_F(SendingAgainTest, AKeyOutlivesTheDaemonAndEndsAfterADay) {
  store::KeptAnswer kept;
  {
    const auto once = [&] {
      instance::Once made;
      made.key = crypto::sha256("k");
      made.request = crypto::sha256("r");
      return made;
    };
    testing::FakeClock clock;
    const auto store = store::make_memory_store(std::string(32, '0'), &clock);
    auto writer = store->writer().value();
    instance::Once first = once();
    first.answer = [](const instance::PutReport&) { return std::string("a"); };
    EXPECT_FALSE(instance::answered_before(*writer, clock, &first).value());
    ASSERT_TRUE(instance::keep_answer(*writer, clock, {}, &first));
    clock.advance(std::chrono::hours(24));
    instance::Once second = once();
    EXPECT_TRUE(instance::answered_before(*writer, clock, &second).value());
    EXPECT_EQ(second.given, "a");
    EXPECT_TRUE(second.repeated);
    clock.advance(std::chrono::seconds(1));
    instance::Once third = once();
    EXPECT_FALSE(instance::answered_before(*writer, clock, &third).value());
  }
  const auto first = post(clockless(1), key("one"));
  daemon_.stop();
  const auto reader = daemon_.instance().store().reader().value();
  EXPECT_TRUE(reader->kept_answer(crypto::sha256(std::string(1, '\0') + "one")).value());
}

TEST_F(SendingAgainTest, ErrorsTellWhoAsksOverHttpOfNoFlags) {
  ASSERT_TRUE(daemon_.instance().generate_identity());
  ASSERT_EQ(post(record_json(1)).status, 201);
  EXPECT_EQ(told_over_http({ErrorCode::kRefused, "m", "give --force-overwrite, or -- what -x is -- wait--ing"}).hint,
            "give force_overwrite, or -- what -x is -- wait--ing");
  for (const auto& [method, target, body] :
       {std::tuple("POST", "/v1/portability/export?move=1&no_identity=1", ""),
        std::tuple("POST", "/v1/portability/import", "hello"), std::tuple("POST", "/v1/records", "{}"),
        std::tuple("GET", "/v1/records?limit=0", ""), std::tuple("GET", "/v1/records/zz", ""),
        std::tuple("GET", "/v1/threads/none/state", ""), std::tuple("GET", "/v1/nowhere", "")}) {
    const auto answer = daemon_.local().ask(method, target, body);
    ASSERT_TRUE(answer);
    EXPECT_GE(answer->status, 400) << target;
    EXPECT_NE(answer->text("hint"), "") << answer->body;
    EXPECT_EQ(answer->text("hint").find("--"), std::string::npos) << answer->body;
  }
}

TEST_F(SendingAgainTest, TheDocumentOfTheRoutesIsForEverybody) {
  const auto answer = daemon_.tcp().ask("GET", "/openapi.json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, openapi_text());
}

}  // namespace
}  // namespace spl::api
