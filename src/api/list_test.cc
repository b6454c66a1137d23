// Lists and those who read them slowly.
#include "api/list.h"

#include <gtest/gtest.h>

#include <atomic>

#include "api/server_test_util.h"
#include "db/sqlite.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::api {
namespace {

using std::chrono::milliseconds;

class ListTest : public ::testing::Test {
 protected:
  // Before the first use of daemon().
  ServerOptions options_;

  TestDaemon& daemon() {
    if (!daemon_) daemon_ = std::make_unique<TestDaemon>(home_.path() + "/home", log_, options_);
    return *daemon_;
  }
  // Far more than sockets hold: about 20 MB on one thread.
  void put_much() {
    std::string lines;
    const std::string filler(10'000, 'x');
    for (int n = 0; n < 2000; ++n) {
      std::string json = record_json(n);
      lines += json.replace(json.find("{\"n\":"), 1, "{\"filler\":\"" + filler + "\",") + "\n";
    }
    ASSERT_EQ(daemon().local().ask("POST", "/v1/records", lines, kNdjsonField)->status, 200);
  }
  // A client that has asked, has seen that the answer begins, and reads no more.
  RawClient slow(std::string_view target, const std::string& fields = {}) {
    RawClient client = daemon().local();
    EXPECT_TRUE(client.send("GET " + std::string(target) + " HTTP/1.1\r\nhost: test\r\n" + fields + "\r\n"));
    EXPECT_TRUE(client.receive_some().starts_with("HTTP/1.1 200"));
    return client;
  }

  testing::TempDirectory home_;
  testing::MemoryLog log_;
  std::unique_ptr<TestDaemon> daemon_;
};

TEST_F(ListTest, ASlowReaderKeepsNoReaderOfTheStore) {
  put_much();
  for (const char* target : {"/v1/threads/th_test/records", "/v1/records?limit=2000", "/v1/records"}) {
    const RawClient reader = slow(target, "accept: application/x-ndjson\r\n");
    ASSERT_EQ(daemon().local().ask("POST", "/v1/records", record_json(5000, target))->status, 201);
    auto store = db::Connection::open(home_.path() + "/home/hub.db", db::OpenAs::kReadWrite).value();
    EXPECT_EQ(store.query_integer("PRAGMA wal_checkpoint(TRUNCATE)").value(), 0) << "busy: " << target;
  }
}

TEST_F(ListTest, AListIsOfOneMomentAndWhole) {
  put_much();
  RawClient reader = slow("/v1/threads/th_test/records");
  ASSERT_EQ(daemon().local().ask("POST", "/v1/records", record_json(5000))->status, 201);
  const auto answer = reader.receive();
  ASSERT_TRUE(answer && answer->whole);
  const codec::Json listed = answer->json();
  const auto& data = *listed.find("data")->array();
  ASSERT_EQ(data.size(), 2000u);
  for (std::size_t n = 0; n < data.size(); ++n) ASSERT_EQ(*data[n].find("record")->find("clock")->whole_number(), n);
}

TEST_F(ListTest, ListsThatNobodyReadsAreFew) {
  options_.lists.unsent_bytes = 1;
  options_.lists.patience = milliseconds(1);
  put_much();
  {
    const RawClient reader = slow("/v1/threads/th_test/records");
    const auto answer = daemon().local().ask("GET", "/v1/threads");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 503);
    EXPECT_EQ(answer->text("code"), "UNAVAILABLE");
    EXPECT_TRUE(answer->fields.contains("retry-after"));
    EXPECT_EQ(daemon().local().ask("GET", "/health")->status, 200);
  }
  // The place of one that goes is free once its thread has seen it.
  while (daemon().local().ask("GET", "/v1/threads")->status != 200) {
  }
}

TEST_F(ListTest, AClientThatReadsALittleAtATimeIsCutOff) {
  options_.times.body = milliseconds(300);
  options_.times.answer_bytes_per_second = 1u << 30;
  put_much();
  RawClient reader = slow("/v1/threads/th_test/records");
  std::size_t octets = 0;
  for (std::size_t n = 1; n > 0; octets += n) n = reader.receive_some(16).size();
  EXPECT_LT(octets, 20'000'000u);
}

// A long record waits in a file for who reads it slowly, and not in memory; a short one waits for nobody.
TEST_F(ListTest, LongRecordsThatNobodyReadsAreFew) {
  options_.lists.unsent_bytes = 1;
  options_.lists.patience = milliseconds(1);
  const auto put = [&](int clock, std::size_t bytes) {
    std::string json = record_json(clock);
    json.replace(json.find("{\"n\":"), 1, "{\"filler\":\"" + std::string(bytes, 'x') + "\",");
    return "/v1/records/" + daemon().local().ask("POST", "/v1/records", json)->text("id");
  };
  const std::string large = put(1, 8u << 20);
  const std::string small = put(2, 10);
  {
    const RawClient reader = slow(large);
    EXPECT_EQ(daemon().local().ask("GET", large)->status, 503);
    EXPECT_EQ(daemon().local().ask("GET", small)->status, 200);
  }
  while (daemon().local().ask("GET", large)->status != 200) {
  }
}

class Asker final : public base::Progress {
 public:
  void update(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
  bool cancelled() override { return gone; }
  std::atomic<bool> gone = false;
};

TEST(ListTurns, AFewReadAtATimeAndTheOthersWait) {
  env::SystemClock clock;
  ListTurns turns({2, 100, kTestPatience});
  Asker asker;
  ASSERT_TRUE(turns.begin(clock, asker).value());
  ASSERT_TRUE(turns.begin(clock, asker).value());
  std::atomic<bool> begun = false;
  std::thread third([&] {
    EXPECT_TRUE(turns.begin(clock, asker).value());
    begun = true;
  });
  EXPECT_FALSE(begun);
  turns.end();
  third.join();
  Asker gone;
  gone.gone = true;
  EXPECT_FALSE(turns.begin(clock, gone)) << "nobody waits for it";
}

TEST(ListTurns, ATurnThatDoesNotComeIsNotWaitedForLong) {
  env::SystemClock clock;
  ListTurns turns({2, 100, milliseconds(1)});
  Asker asker;
  turns.add_unsent(100);
  EXPECT_FALSE(turns.begin(clock, asker).value());
  turns.drop_unsent(1);
  EXPECT_TRUE(turns.begin(clock, asker).value());
}

}  // namespace
}  // namespace spl::api
