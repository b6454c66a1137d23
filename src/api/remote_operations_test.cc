#include "api/remote_operations.h"

#include <gtest/gtest.h>

#include "api/routes.h"
#include "api/server_test_util.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::api {
namespace {

class RemoteOperationsTest : public ::testing::Test {
 protected:
  testing::TempDirectory home_;
  testing::MemoryLog log_;
  base::NoProgress progress_;
  TestDaemon daemon_{home_.path() + "/home", log_};
  std::unique_ptr<RemoteOperations> made_ =
      std::move(*RemoteOperations::connect(daemon_.env(), daemon_.instance().paths(), nullptr));
  RemoteOperations& client_ = *made_;
};

TEST_F(RemoteOperationsTest, FindsNoDaemonWhereThereIsNone) {
  const auto none = RemoteOperations::connect(daemon_.env(), {home_.path() + "/nowhere"}, nullptr);
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_FALSE(*none);
  daemon_.stop();
  EXPECT_FALSE(*RemoteOperations::connect(daemon_.env(), daemon_.instance().paths(), nullptr));
  EXPECT_EQ(client_.emit({}).error().code, ErrorCode::kUnavailable);
}

TEST_F(RemoteOperationsTest, LooksIntoTheStoreBesideTheDaemon) {
  ASSERT_EQ(daemon_.local().ask("POST", "/v1/records", record_json(1))->status, 201);
  const auto status = client_.status();
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->record_count, 1u);
  EXPECT_EQ(status->did, std::nullopt);
  EXPECT_EQ(status->home, home_.path() + "/home");
  EXPECT_FALSE(status->version.empty());
  EXPECT_EQ(client_.identity().error().cause, Cause::kNoIdentity);
}

TEST_F(RemoteOperationsTest, EmitsAndEndorses) {
  const auto nobody = client_.emit({});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().message, "this instance has no identity to act as");
  EXPECT_EQ(nobody.error().hint, "spl identity generate makes one; or give --actor DID");
  const auto identity = client_.generate_identity();
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(client_.generate_identity().error().code, ErrorCode::kRefused);

  instance::Emission emission;
  emission.text = "move \"house\"\n";
  emission.body = R"({"n":1e2,"deep":{"z":1,"a":[]}})";
  emission.name_space = "home";
  const auto intend = client_.emit(emission);
  ASSERT_TRUE(intend) << intend.error().message;
  emission = {};
  emission.act = record::Act::kKnow;
  emission.thread = intend->thread;
  emission.fulfills = {intend->id};
  ASSERT_TRUE(client_.emit(emission));
  const auto reader = daemon_.instance().store().reader().value();
  EXPECT_EQ(reader->thread(intend->thread).value()->state, record::ThreadState::kClosed);
  const auto record = reader->find(intend->id).value();
  EXPECT_EQ(record->actor, identity->did);
  EXPECT_TRUE(record::signature_is_valid(*record));
  EXPECT_EQ(record->body(), R"({"deep":{"a":[],"z":1},"n":100,"namespace":"home","text":"move \"house\"\n"})");

  emission.body = "not json";
  EXPECT_EQ(client_.emit(emission).error().code, ErrorCode::kUsage);
  EXPECT_EQ(client_.endorse({{intend->id}}).error().code, ErrorCode::kUsage);
  const auto foreign = record::parse_record(record_json(1, "th_consent")).value();
  base::StringSource lines(foreign.canonical);
  ASSERT_TRUE(client_.put_ndjson(lines, progress_));
  const auto endorsed = client_.endorse({{foreign.id}});
  ASSERT_TRUE(endorsed) << endorsed.error().message;
  EXPECT_EQ(endorsed->endorsed, std::vector{foreign.id});
  EXPECT_EQ(endorsed->records.size(), 1u);
}

TEST_F(RemoteOperationsTest, MakesAccountsAndTokens) {
  ASSERT_TRUE(client_.generate_identity());
  const auto account = client_.create_account({"ci", {"records:write", "records:read"}, {"did:web:a"}, true});
  ASSERT_TRUE(account) << account.error().message;
  EXPECT_TRUE(account->active);
  EXPECT_EQ(account->actors, std::vector<std::string>{"did:web:a"});
  EXPECT_EQ(client_.create_account({"ci", {}, {}, true}).error().code, ErrorCode::kRefused);
  EXPECT_EQ(client_.create_account({"No Name", {}, {}, true}).error().code, ErrorCode::kUsage);
  const auto made = client_.create_token({"ci", "dev", {"records:read"}, "2099-01-01T00:00:00Z"});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(made->token.reveal().starts_with("spl_dev_ci_"));
  EXPECT_EQ(made->summary.scopes, std::vector<std::string>{"records:read"});
  EXPECT_EQ(made->summary.expires_at, "2099-01-01T00:00:00Z");
  EXPECT_EQ(instance::list_tokens(daemon_.instance())->size(), 1u);
  ASSERT_TRUE(client_.revoke_token({base::to_hex(made->summary.id.view()).substr(0, 12)}));
  EXPECT_TRUE(instance::list_tokens(daemon_.instance())->empty());
  EXPECT_FALSE(client_.revoke_token({"00000000"}));
  ASSERT_TRUE(client_.revoke_account({"ci"}));
  EXPECT_EQ(client_.revoke_account({"ci"}).error().code, ErrorCode::kUsage);
}

TEST_F(RemoteOperationsTest, PutsLinesOfAnyLength) {
  std::string lines;
  for (int n = 0; n < 100; ++n) lines += record_json(n) + "\n";
  base::StringSource in(lines);
  const auto report = client_.put_ndjson(in, progress_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->inserted, 100u);
  std::string judged = record_json(5);
  judged.insert(1, "\"judged_by\":\"did:web:j\",");
  base::StringSource again(judged);
  const auto second = client_.put_ndjson(again, progress_);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->deduplicated, 1u);
  EXPECT_EQ(second->details.differing, 1u);

  const std::string filler(100'000, 'y');
  int n = 100;
  for (lines.clear(); lines.size() <= kBatchBytesMax + (1u << 20); ++n) {
    std::string json = record_json(n);
    lines += json.replace(json.find("{\"n\":"), 1, "{\"filler\":\"" + filler + "\",") + "\n";
  }
  base::StringSource large(lines);
  const auto third = client_.put_ndjson(large, progress_);
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_EQ(third->inserted, static_cast<std::uint64_t>(n) - 100);
  lines += "nonsense";
  base::StringSource broken(lines);
  const auto failed = client_.put_ndjson(broken, progress_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kUsage);
  EXPECT_EQ(failed.error().message.substr(0, 5), "line ");
}

TEST_F(RemoteOperationsTest, SecretsAreNotLogged) {
  ASSERT_TRUE(client_.generate_identity());
  ASSERT_TRUE(client_.create_account({"ci", {"records:read"}, {}, true}));
  const auto made = client_.create_token({"ci", "dev", {}, {}});
  ASSERT_TRUE(made);
  for (const auto& event : log_.events()) {
    for (const auto& [name, value] : event.fields) EXPECT_EQ(value.find(made->token.reveal()), std::string::npos);
  }
}

}  // namespace
}  // namespace spl::api
