// Consent, adapters, rules and trust, as commands on a home without a daemon and with one, and through a bundle.
#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using CliPolicyTest = CliTest;

const Words kGrant = {"consent", "grant", "--source-namespace", "research", "--target-namespace", "default"};

std::uint64_t grants_in_effect(const codec::Json& status) {
  return number_of(status, "consent_grants");
}

TEST_F(CliPolicyTest, AGrantHoldsUntilItIsRevoked) {
  make_home("h", 0);
  Words words = kGrant;
  for (const char* word :
       {"--hash-level", "L1", "--thread", "th_x", "--purpose", "audit", "--expires", "2099-01-31T12:00:00Z"})
    words.emplace_back(word);
  const codec::Json granted = json_on("h", words);
  const std::string id = text_of(granted, "id");
  EXPECT_EQ(text_of(granted, "source_namespace"), "research");
  EXPECT_EQ(grants_in_effect(json_on("h", {"status"})), 1U);
  const codec::Json list = json_on("h", {"consent", "list"});
  ASSERT_EQ(list.array()->size(), 1U);
  EXPECT_FALSE(flag_of((*list.array())[0], "revoked"));
  EXPECT_EQ(text_of(json_on("h", {"consent", "revoke", id.substr(0, 10)}), "id"), id);
  EXPECT_EQ(grants_in_effect(json_on("h", {"status"})), 0U);
  EXPECT_TRUE(flag_of((*json_on("h", {"consent", "list"}).array())[0], "revoked"));
  const Ran again = on("h", {"consent", "revoke", id});
  EXPECT_EQ(again.code, 2) << again.err;
  EXPECT_EQ(on("h", {"record", "get", id}).code, 0) << "it is a record like any other";
}

TEST_F(CliPolicyTest, ABadGrantIsRefusedAndNothingIsWritten) {
  make_home("h", 0);
  for (const Words& words : {Words{"consent", "grant"}, Words{"consent", "grant", "--target-namespace", "No Name"},
                             Words{"consent", "grant", "--target-namespace", "a", "--hash-level", "L4"},
                             Words{"consent", "grant", "--target-namespace", "a", "--expires", "2001-01-01T00:00:00Z"},
                             Words{"consent", "revoke", "0000"}, Words{"consent", "revoke", "00000000"}})
    EXPECT_EQ(on("h", words).code, 2) << words.back();
  EXPECT_EQ(number_of(json_on("h", {"status"}), "record_count"), 0U);
}

TEST_F(CliPolicyTest, AdaptersAreListedUntilTheyAreRemoved) {
  make_home("h", 0);
  json_on("h", {"adapter", "add", "did:web:bot.example", "--binary", "/usr/local/bin/bot", "--argument", "--fast",
                "--timeout", "600", "--max-concurrent", "2"});
  json_on("h", {"adapter", "add", "did:web:api.example", "--family", "proxy", "--url", "https://api.example/v1"});
  const codec::Json list = json_on("h", {"adapter", "list"});
  ASSERT_EQ(list.array()->size(), 2U);
  EXPECT_EQ(text_of((*list.array())[0], "did"), "did:web:api.example");
  EXPECT_EQ(text_of((*list.array())[1], "family"), "cli");
  EXPECT_EQ((*list.array())[1].find("command")->array()->size(), 2U);
  EXPECT_EQ(number_of((*list.array())[1], "timeout_s"), 600U);
  json_on("h", {"adapter", "add", "did:web:bot.example", "--binary", "/bin/other"});
  EXPECT_EQ(json_on("h", {"adapter", "list"}).array()->size(), 2U) << "one of the same DID is replaced";
  json_on("h", {"adapter", "remove", "did:web:api.example"});
  EXPECT_EQ(json_on("h", {"adapter", "list"}).array()->size(), 1U);
  for (const Words& words : {Words{"adapter", "remove", "did:web:api.example"}, Words{"adapter", "add", "bot"},
                             Words{"adapter", "add", "did:x:y"},
                             Words{"adapter", "add", "did:x:y", "--family", "proxy", "--url", "file:///etc/passwd"},
                             Words{"adapter", "add", "did:x:y", "--binary", "x", "--timeout", "0"}})
    EXPECT_EQ(on("h", words).code, 2) << words.back();
}

TEST_F(CliPolicyTest, RulesAreListedInTheOrderInWhichTheyAreAsked) {
  make_home("h", 0);
  json_on("h", {"config", "rule", "add", "last", "--expression", "true", "--action", "deny"});
  json_on("h", {"config", "rule", "add", "first", "--expression", "account == 'ci'", "--action", "allow", "--priority",
                "10"});
  json_on("h", {"config", "rule", "add", "ask", "--kind", "aitl", "--expression", "true", "--action", "ask"});
  const codec::Json list = json_on("h", {"config", "rule", "list", "--kind", "permission"});
  ASSERT_EQ(list.array()->size(), 2U);
  EXPECT_EQ(text_of((*list.array())[0], "name"), "first");
  EXPECT_EQ(json_on("h", {"config", "rule", "list"}).array()->size(), 3U);
  json_on("h", {"config", "rule", "remove", "first"});
  EXPECT_EQ(json_on("h", {"config", "rule", "list"}).array()->size(), 2U);
  EXPECT_TRUE(flag_of(json_on("h", {"config", "permissions", "enable"}), "enabled"));
  const Ran bad = on("h", {"config", "rule", "add", "bad", "--expression", "account ==", "--action", "allow"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_NE(bad.err.find("at character"), std::string::npos) << bad.err;
  EXPECT_EQ(on("h", {"config", "rule", "add", "bad", "--expression", "true", "--action", "maybe"}).code, 2);
  EXPECT_EQ(on("h", {"config", "rule", "remove", "nosuch"}).code, 2);
}

TEST_F(CliPolicyTest, TrustIsCountedOverOthersVerdictsAlone) {
  make_home("h", 0);
  std::string lines = record_text("th_w", 1, "DO", R"({"text":"done"})") + "\n";
  const auto judged = [](int clock, const std::string& judge, const std::string& verdict) {
    return R"({"act":"KNOW","actor":")" + judge + R"(","body":{"domain":"code","verdict":")" + verdict +
           R"("},"clock":)" + std::to_string(clock) + R"(,"data_type":"SCALAR","parents":[],"thread":"th_w"})" + "\n";
  };
  const std::string worker = text_of(json_of(record_text("th_w", 1)), "actor");
  for (int i = 1; i <= 5; ++i) lines += judged(i, "did:web:judge.example", "accept");
  lines += judged(9, worker, "accept");  // about one's own work
  ASSERT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = lines}).code, 0);
  const codec::Json list = json_on("h", {"trust"});
  ASSERT_EQ(list.array()->size(), 1U) << list.text();
  const codec::Json& trust = (*list.array())[0];
  EXPECT_EQ(text_of(trust, "actor"), worker);
  EXPECT_EQ(number_of(trust, "accepted"), 5U);
  EXPECT_NEAR(trust.find("trust")->number().value(), 0.5655, 5e-5);
  EXPECT_EQ(json_on("h", {"trust", "did:web:nobody.example"}).array()->size(), 0U);
}

TEST_F(CliPolicyTest, AllOfItSurvivesAnExportAndAnImport) {
  make_home("a", 0);
  json_on("a", kGrant);
  json_on("a", {"adapter", "add", "did:web:bot.example", "--binary", "/usr/local/bin/bot"});
  json_on("a", {"config", "rule", "add", "first", "--expression", "true", "--action", "allow"});
  json_on("a", {"config", "permissions", "enable"});
  ASSERT_EQ(on("a", {"export", "--out", path("a.spl")}).code, 0);
  ASSERT_EQ(on("b", {"import", path("a.spl")}).code, 0);
  for (const Words& words :
       {Words{"consent", "list"}, Words{"adapter", "list"}, Words{"config", "rule", "list"}, Words{"trust"}})
    EXPECT_EQ(json_on("a", words).text(), json_on("b", words).text()) << words[0];
  EXPECT_EQ(grants_in_effect(json_on("b", {"status"})), 1U);
}

TEST_F(CliPolicyTest, ADaemonAnswersTheSame) {
  make_home("h", 0);
  start_daemon("h");
  const std::string id = text_of(json_on("h", kGrant), "id");
  json_on("h", {"adapter", "add", "did:web:bot.example", "--binary", "/usr/local/bin/bot"});
  json_on("h", {"config", "rule", "add", "first", "--expression", "true", "--action", "allow"});
  EXPECT_EQ(json_on("h", {"consent", "list"}).array()->size(), 1U);
  json_on("h", {"consent", "revoke", id});
  json_on("h", {"adapter", "remove", "did:web:bot.example"});
  json_on("h", {"config", "rule", "remove", "first"});
  EXPECT_TRUE(flag_of(json_on("h", {"config", "permissions", "enable"}), "enabled"));
  EXPECT_EQ(grants_in_effect(json_on("h", {"status"})), 0U);
}

}  // namespace
}  // namespace spl::cli_test
