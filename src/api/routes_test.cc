// Records and threads over HTTP.
#include "api/routes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "api/server_test_util.h"
#include "db/sqlite.h"
#include "http/target.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::api {
namespace {

using codec::Json;

class RoutesTest : public ::testing::Test {
 protected:
  RawAnswer ask(std::string_view method, std::string_view target, std::string_view body = {},
                std::string_view fields = {}) {
    auto answer = client_.ask(method, target, body, fields);
    EXPECT_TRUE(answer);
    EXPECT_TRUE(answer && answer->whole);
    return answer.value_or(RawAnswer());
  }
  // The ids of what was put.
  std::vector<std::string> put(int count, std::string_view thread = "th_test") {
    std::vector<std::string> ids;
    for (int n = 0; n < count; ++n) ids.push_back(ask("POST", "/v1/records", record_json(n, thread)).text("id"));
    return ids;
  }

  testing::TempDirectory home_;
  testing::MemoryLog log_;
  TestDaemon daemon_{home_.path() + "/home", log_};
  RawClient client_ = daemon_.local();
};

TEST_F(RoutesTest, PutsARecordAndGivesItBack) {
  const auto made = ask("POST", "/v1/records", record_json(7));
  EXPECT_EQ(made.status, 201);
  const Record record = record::parse_record(record_json(7)).value();
  EXPECT_EQ(made.body, "{\"id\":\"" + record.id.hex() + "\"}");
  const auto got = ask("GET", "/v1/records/" + record.id.hex());
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "{\"object\":\"record\",\"id\":\"" + record.id.hex() + "\"," + record.canonical.substr(1));
  EXPECT_EQ(ask("POST", "/v1/records", record_json(7)).status, 201);
  EXPECT_EQ(daemon_.records(), 1u);
}

TEST_F(RoutesTest, GivesARecordItsClockWhereItHasNone) {
  std::string clockless = record_json(3);
  clockless.erase(clockless.find(",\"clock\":3"), 10);
  const auto first = ask("POST", "/v1/records", clockless);
  const auto second = ask("POST", "/v1/records", clockless);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(ask("GET", "/v1/records/" + first.text("id")).number("clock"), 0u);
  EXPECT_EQ(ask("GET", "/v1/records/" + second.text("id")).number("clock"), 1u);
}

TEST_F(RoutesTest, ASignatureOverNoClockIsRefused) {
  std::string clockless = record_json(3);
  clockless.erase(clockless.find(",\"clock\":3"), 10);
  clockless.insert(1, "\"sig\":\"" + base::to_base64(std::string(64, 's')) + "\",");
  const auto answer = ask("POST", "/v1/records", clockless);
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.text("message").find("signature"), std::string::npos) << answer.body;
  EXPECT_EQ(daemon_.records(), 0u);
}

TEST_F(RoutesTest, TakesASignatureAndAJudge) {
  std::string json = record_json(1);
  const std::string sig = base::to_base64(std::string(64, 's'));
  json.insert(1, "\"sig\":\"" + sig + "\",\"judged_by\":\"did:web:j\",");
  const auto made = ask("POST", "/v1/records", json);
  ASSERT_EQ(made.status, 201);
  const auto got = ask("GET", "/v1/records/" + made.text("id"));
  EXPECT_EQ(got.text("sig"), sig);
  EXPECT_EQ(got.text("judged_by"), "did:web:j");
  const Json listed = ask("GET", "/v1/threads/th_test/records").json();
  const Json& element = (*listed.find("data")->array())[0];
  EXPECT_EQ(*element.find("sig")->string(), sig);
  EXPECT_EQ(*element.find("record")->find("judged_by")->string(), "did:web:j");
  // What is given is taken again.
  EXPECT_EQ(ask("POST", "/v1/records", element.text()).text("id"), made.text("id"));
}

TEST_F(RoutesTest, SaysWhatIsWrongWithARecord) {
  for (const char* body : {"", "{", "[]", "{\"act\":\"DO\"}", "{\"id\":\"00\",\"record\":{}}"}) {
    const auto answer = ask("POST", "/v1/records", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.text("code"), "INVALID_REQUEST");
    EXPECT_EQ(answer.fields.at("spl-exit-code"), "2");
  }
  EXPECT_EQ(daemon_.records(), 0u);
}

TEST_F(RoutesTest, UnknownRecordsAndThreadsAreNotFound) {
  const std::string id(64, '0');
  EXPECT_EQ(ask("GET", "/v1/records/" + id).status, 404);
  EXPECT_EQ(ask("GET", "/v1/records/nonsense").status, 400);
  EXPECT_EQ(ask("GET", "/v1/threads/none/state").status, 404);
  EXPECT_EQ(ask("GET", "/v1/threads/none/records").status, 404);
  EXPECT_EQ(ask("GET", "/v1/threads//state").status, 404);
}

TEST_F(RoutesTest, PutsABatchAllOrNothing) {
  std::string lines;
  for (int n = 0; n < 1000; ++n) lines += record_json(n) + (n % 2 == 0 ? "\n" : "\r\n\n");
  auto answer = ask("POST", "/v1/records", lines, kNdjsonField);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"inserted":1000,"deduplicated":0})");
  EXPECT_EQ(answer.fields.at("spl-report"), R"({"sigs_filled":0,"differing":0})");
  answer = ask("POST", "/v1/records", lines, kNdjsonField);
  EXPECT_EQ(answer.body, R"({"inserted":0,"deduplicated":1000})");

  std::string bad;
  for (int n = 1000; n < 2000; ++n) bad += (n == 1899 ? "{\"act\":1}" : record_json(n)) + "\n";
  answer = ask("POST", "/v1/records", bad, kNdjsonField);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.text("message").substr(0, 10), "line 900: ");
  EXPECT_EQ(daemon_.records(), 1000u);
  EXPECT_EQ(ask("POST", "/v1/records", "", kNdjsonField).body, R"({"inserted":0,"deduplicated":0})");
}

TEST_F(RoutesTest, TakesABatchInChunks) {
  std::string text =
      "POST /v1/records HTTP/1.1\r\nhost: test\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: "
      "chunked\r\n\r\n";
  for (int n = 0; n < 1000; ++n) {
    const std::string line = record_json(n) + "\n";
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", line.size());
    text += size + line + "\r\n";
  }
  ASSERT_TRUE(client_.send(text + "0\r\n\r\n"));
  EXPECT_EQ(client_.receive()->body, R"({"inserted":1000,"deduplicated":0})");
  EXPECT_EQ(ask("GET", "/health").status, 200);
}

TEST_F(RoutesTest, ABatchThatBreaksOffPutsNothing) {
  const std::string line = record_json(1) + "\n";
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", line.size());
  const std::string head = "POST /v1/records HTTP/1.1\r\nhost: test\r\ncontent-type: application/x-ndjson\r\n";
  for (const std::string& text : {head + "transfer-encoding: chunked\r\n\r\n" + size + line + "\r\n",
                                  head + "transfer-encoding: chunked\r\n\r\n" + size + line.substr(0, 20),
                                  head + "transfer-encoding: chunked\r\n\r\n" + size + line + "\r\nnonsense\r\n",
                                  head + "content-length: 100000\r\n\r\n" + line}) {
    RawClient broken = daemon_.local();
    ASSERT_TRUE(broken.send(text));
    broken.end_writing();
    const auto answer = broken.receive();
    EXPECT_TRUE(!answer || answer->status >= 400) << text;
  }
  EXPECT_EQ(daemon_.records(), 0u);
}

TEST_F(RoutesTest, ALongStreamGoesThroughDisk) {
  // More than is parsed at once.
  const std::string filler(8000, 'x');
  std::string lines;
  int count = 0;
  for (; lines.size() <= kBatchBytesMax + (4u << 20); ++count) {
    std::string json = record_json(count);
    json.replace(json.find("{\"n\":"), 1, "{\"filler\":\"" + filler + "\",");
    lines += json + "\n";
  }
  auto answer = ask("POST", "/v1/records", lines, kNdjsonField);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.number("inserted"), static_cast<std::uint64_t>(count));
  lines += "nonsense\n";
  answer = ask("POST", "/v1/records", record_json(-0 + count) + "\n" + lines, kNdjsonField);
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.text("message").find("line " + std::to_string(count + 2)), std::string::npos);
  EXPECT_EQ(daemon_.records(), static_cast<std::uint64_t>(count));
}

TEST_F(RoutesTest, ManyWritersAtOnceAreAllAcknowledgedAndDurable) {
  constexpr int kWriters = 8;
  constexpr int kEach = 50;
  std::vector<std::thread> writers;
  std::array<std::vector<std::string>, kWriters> ids;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w, &ids] {
      RawClient client = daemon_.local();
      for (int n = 0; n < kEach; ++n) {
        const auto answer = client.ask("POST", "/v1/records",
                                       record_json(n, "th_" + std::to_string(w % 3), "did:web:w" + std::to_string(w)));
        if (answer && answer->status == 201) ids[static_cast<std::size_t>(w)].push_back(answer->text("id"));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  daemon_.stop();
  const auto reader = daemon_.instance().store().reader().value();
  for (const auto& written : ids) {
    EXPECT_EQ(written.size(), static_cast<std::size_t>(kEach));
    for (const std::string& id : written) EXPECT_TRUE(*reader->contains(*RecordId::parse(id)));
  }
  EXPECT_EQ(reader->counts()->records, static_cast<std::uint64_t>(kWriters * kEach));
}

TEST_F(RoutesTest, ListsRecordsByArrivalPageByPage) {
  const auto ids = put(5);
  put(2, "th_other");
  std::vector<std::string> seen;
  std::string since = "0";
  for (bool more = true; more;) {
    const auto page = ask("GET", "/v1/records?thread=th_test&limit=2&since=" + since);
    const Json json = page.json();
    EXPECT_EQ(json.object()->size(), 3u) << page.body;
    for (const Json& item : *json.find("records")->array()) {
      EXPECT_EQ(*item.find("object")->string(), "record");
      seen.push_back(*item.find("id")->string());
    }
    more = *json.find("has_more")->boolean();
    since = page.text("cursor");
  }
  EXPECT_EQ(seen, ids);
  const auto end = ask("GET", "/v1/records?thread=th_test&since=" + since);
  EXPECT_EQ(end.text("cursor"), since);
  EXPECT_EQ(end.json().find("records")->array()->size(), 0u);
  EXPECT_EQ(ask("GET", "/v1/records").json().find("records")->array()->size(), 7u);
  for (const char* query : {"limit=0", "limit=10001", "limit=x", "since=-1", "since=", "since=1", "since=5.1",
                            "since=99999999999999999999", "since=00112233445566778899aabbccddeeff.x"})
    EXPECT_EQ(ask("GET", std::string("/v1/records?") + query).status, 400) << query;
}

TEST_F(RoutesTest, ListsRecordsAsLines) {
  const auto ids = put(5);
  put(2, "th_other");
  const auto lines_of = [this](const std::string& query) {
    return ask("GET", "/v1/records" + query, {}, "accept: text/plain;q=0.1, Application/X-NDJSON\r\n");
  };
  const auto count = [](const RawAnswer& answer) { return std::ranges::count(answer.body, '\n'); };
  const auto all = lines_of("");
  EXPECT_EQ(all.status, 200);
  EXPECT_EQ(all.fields.at("content-type"), "application/x-ndjson");
  EXPECT_EQ(count(all), 7);
  const Json first = Json::parse(std::string_view(all.body).substr(0, all.body.find('\n'))).value();
  EXPECT_EQ(*first.find("id")->string(), ids[0]);
  EXPECT_EQ(*first.find("record")->find("clock")->whole_number(), 0u);
  const auto some = lines_of("?thread=th_test&limit=2");
  EXPECT_EQ(count(some), 2);
  EXPECT_EQ(count(lines_of("?thread=th_test&since=" + some.fields.at("spl-cursor"))), 3);
  EXPECT_EQ(lines_of("?since=" + all.fields.at("spl-cursor")).body, "");
  EXPECT_EQ(lines_of("?since=00112233445566778899aabbccddeeff.3").text("code"), "CURSOR_GONE");
  // What is given is taken again.
  EXPECT_EQ(ask("POST", "/v1/records", all.body, kNdjsonField).body, R"({"inserted":0,"deduplicated":7})");
}

TEST_F(RoutesTest, ADamagedRowEndsTheAnswerAndNotTheDaemon) {
  ASSERT_EQ(daemon_.local().ask("POST", "/v1/records", record_json(1))->status, 201);
  auto store = db::Connection::open(home_.path() + "/home/hub.db", db::OpenAs::kReadWrite).value();
  for (const char* damage :
       {R"(canonical=replace(canonical, '"clock"', '"Clock"'))", R"(canonical='{"x":1}', judged_by='j')",
        R"(judged_by=NULL)", "canonical=''", "id=x'00'"}) {
    ASSERT_TRUE(store.execute("UPDATE record_log SET " + std::string(damage)));
    for (const char* path : {"/v1/records", "/v1/threads/th/records"}) {
      const auto answer = daemon_.local().ask("GET", path);
      EXPECT_FALSE(answer && answer->status == 200 && answer->whole) << damage << path;
    }
  }
  EXPECT_EQ(daemon_.local().ask("GET", "/health")->status, 200);
}

TEST_F(RoutesTest, ListsThreadsAndTheirRecords) {
  std::string lines;
  for (int n = 0; n < 2000; ++n) lines += record_json(n, "th_" + std::to_string(n % 1500)) + "\n";
  ASSERT_EQ(ask("POST", "/v1/records", lines, kNdjsonField).status, 200);
  const auto threads = ask("GET", "/v1/threads");
  EXPECT_EQ(threads.fields.at("transfer-encoding"), "chunked");
  const Json listed = threads.json();
  EXPECT_EQ(listed.find("data")->array()->size(), 1500u);
  const Json& one = (*listed.find("data")->array())[0];
  EXPECT_EQ(*one.find("state")->string(), "loose");
  EXPECT_NE(one.find("last_sequence"), nullptr);

  const Json records = ask("GET", "/v1/threads/th_7/records").json();
  const Json::Array& data = *records.find("data")->array();
  ASSERT_EQ(data.size(), 2u);
  EXPECT_EQ(*data[0].find("record")->find("clock")->whole_number(), 7u);
  EXPECT_EQ(*data[1].find("record")->find("clock")->whole_number(), 1507u);
  EXPECT_EQ(data[0].find("sig"), nullptr);
}

TEST_F(RoutesTest, SaysTheStateOfAThread) {
  put(3);
  std::string intend = record_json(9);
  intend.replace(intend.find("LEARN"), 5, "INTEND");
  ASSERT_EQ(ask("POST", "/v1/records", intend).status, 201);
  const auto state = ask("GET", "/v1/threads/th_test/state");
  EXPECT_EQ(state.status, 200);
  EXPECT_EQ(state.text("thread"), "th_test");
  EXPECT_EQ(state.text("state"), "open");
  EXPECT_EQ(state.number("records"), 4u);
  EXPECT_EQ(state.number("last_sequence"), 4u);
  EXPECT_EQ(*state.json().find("actor_clocks")->find("did:web:a")->whole_number(), 9u);
}

TEST_F(RoutesTest, ThreadsOfAnyNameAreReached) {
  const std::vector<std::string> threads = {
      "", "a/b", "../..", "%2F", "a?b#c&d=e+f g", "\xE2\x98\x83 \xF0\x9F\x8C\xB2", "state", std::string(256, '%')};
  for (const std::string& thread : threads) {
    const auto made = ask("POST", "/v1/records", record_json(1, thread));
    ASSERT_EQ(made.status, 201) << thread << made.body;
    const auto state = ask("GET", "/v1/threads/" + http::percent_encode(thread) + "/state");
    EXPECT_EQ(state.status, 200) << thread;
    EXPECT_EQ(state.text("thread"), thread);
    const auto page = ask("GET", "/v1/records?thread=" + http::percent_encode(thread));
    EXPECT_EQ(page.json().find("records")->array()->size(), 1u) << thread;
  }
}

}  // namespace
}  // namespace spl::api
