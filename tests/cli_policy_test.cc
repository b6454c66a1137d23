// Consent, adapters, rules and trust, as commands on a home without a daemon and with one, and through a bundle.
#include <gmock/gmock.h>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CliPolicyTest : public CliTest {
 protected:
  void add_rule(const std::string& home, const std::string& name, const std::string& expression,
                const std::string& action, int priority) {
    json_on(home, {"config", "rule", "add", name, "--expression", expression, "--action", action, "--priority",
                   std::to_string(priority)});
  }
  std::uint64_t records(const std::string& home) { return number_of(json_on(home, {"status"}), "record_count"); }
};

// What comes in over TCP with a token.
class CliRulesTest : public CliPolicyTest {
 protected:
  void SetUp() override {
    if (shell("command -v curl >/dev/null") != 0) GTEST_SKIP() << "curl is not installed";
    make_home("h", 0);
    url_ = "http://127.0.0.1:" + std::to_string(start_daemon("h")) + "/v1/records";
  }
  std::string token(const std::string& account) {
    json_on("h", {"service-account", "create", account, "--scope", "records:write", "--actor",
                  text_of(json_of(record_text("t", 1)), "actor")});
    return text_of(json_on("h", {"token", "create", account}), "token");
  }
  // The status and the answer.
  std::string post(const std::string& token, const std::string& body, const std::string& type = "application/json") {
    write_file(path("body"), body);
    EXPECT_EQ(
        shell("curl -s -o " + path("answer") + " -w '%{http_code}' -H 'authorization: Bearer " + token +
              "' -H 'content-type: " + type + "' --data-binary @" + path("body") + " " + url_ + " >" + path("status")),
        0);
    return read_file(path("status")) + " " + read_file(path("answer"));
  }

 private:
  std::string url_;
};

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

TEST_F(CliPolicyTest, StatusSaysWhatIsLaidDown) {
  make_home("h", 0);
  for (const char* name : {"adapters", "rules", "service_accounts"})
    EXPECT_EQ(json_on("h", {"status"}).find(name), nullptr) << name;
  json_on("h", {"adapter", "add", "did:web:bot.example", "--binary", "/bin/bot"});
  json_on("h", {"config", "rule", "add", "r", "--expression", "true", "--action", "allow"});
  json_on("h", {"service-account", "create", "ci", "--scope", "admin"});
  for (const char* name : {"adapters", "rules", "service_accounts"})
    EXPECT_EQ(number_of(json_on("h", {"status"}), name), 1U) << name;
  EXPECT_NE(on("h", {"status"}).out.find("adapters: 1"), std::string::npos);
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

TEST_F(CliPolicyTest, RulesAreShownAsTheyWereWritten) {
  make_home("h", 0);
  add_rule("h", "ci-only", "account == \"ci\" && record.act == 'DO'", "allow", 10);
  const Ran list = on("h", {"config", "rule", "list"});
  EXPECT_THAT(list.out, HasSubstr("where account == \"ci\" && record.act == 'DO'\n"));
  add_rule("h", "odd", "account == \"\xE2\x80\xAE\"", "deny", 1);
  EXPECT_THAT(on("h", {"config", "rule", "list"}).out, HasSubstr("account == \"\\xe2\\x80\\xae\"\n"));
}

TEST_F(CliPolicyTest, TheOwnerIsAskedToo) {
  make_home("h", 0);
  json_on("h", {"config", "permissions", "enable"});
  const std::uint64_t before = records("h");
  for (const bool with_daemon : {false, true}) {
    if (with_daemon) start_daemon("h");
    const Ran made = on("h", {"do", "something"});
    EXPECT_EQ(made.code, 3) << made.err;
    EXPECT_THAT(made.err, HasSubstr("no permission rule allows it"));
    const codec::Json put =
        json_on("h", {"record", "put", "--ndjson"}, {.text = record_text("t", 1) + "\n" + record_text("t", 2)}, 3);
    EXPECT_EQ(text_of(*put.find("error"), "code"), "RULE_DENIED") << put.text();
    EXPECT_EQ(records("h"), before);
  }
  // What the instance lays down is not asked.
  json_on("h", kGrant);
  add_rule("h", "owner", "account == \"\"", "allow", 1);
  EXPECT_EQ(on("h", {"do", "something"}).code, 0);
  add_rule("h", "no-second", "record.clock == 2", "deny", 5);
  const Ran put =
      on("h", {"record", "put", "--ndjson"}, {.text = record_text("t", 1) + "\n" + record_text("t", 2) + "\n"});
  EXPECT_EQ(put.code, 3);
  EXPECT_THAT(put.err, HasSubstr("the rule no-second denies it"));
  EXPECT_EQ(records("h"), before + 4) << "a grant, two rules and what was done: all of a call or nothing";
  json_on("h", {"config", "permissions", "disable"});
  EXPECT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = record_text("t", 2) + "\n"}).code, 0);
}

TEST_F(CliPolicyTest, AnImportIsNotAskedAndItsRulesHoldAtOnce) {
  make_home("a", 1);
  ASSERT_EQ(on("a", {"export", "--out", path("a.spl")}).code, 0);
  ASSERT_EQ(on("b", {"import", path("a.spl")}).code, 0);
  EXPECT_EQ(on("a", {"do", "something"}).code, 0);
  ASSERT_EQ(on("a", {"export", "--out", path("more.spl")}).code, 0);
  json_on("b", {"config", "permissions", "enable"});
  EXPECT_EQ(on("b", {"do", "something"}).code, 3);
  const std::uint64_t before = records("b");
  const Ran imported = on("b", {"import", path("more.spl"), "--force-overwrite"});
  EXPECT_EQ(imported.code, 0) << imported.err;
  EXPECT_EQ(records("b"), before + 1);
  ASSERT_EQ(on("b", {"export", "--out", path("b.spl")}).code, 0);
  start_daemon("a");
  EXPECT_EQ(on("a", {"do", "something"}).code, 0) << "the daemon has asked its rules";
  const Ran home = on("a", {"import", path("b.spl"), "--force-overwrite"});
  EXPECT_EQ(home.code, 0) << home.err;
  EXPECT_EQ(on("a", {"do", "something"}).code, 3);
}

TEST_F(CliRulesTest, ATokenWritesWhatTheRulesAllowItsAccount) {
  const std::string ci = token("ci");
  const std::string bot = token("bot");
  const std::string record = record_text("t", 1);
  EXPECT_THAT(post(bot, record), HasSubstr("201 "));
  json_on("h", {"config", "permissions", "enable"});
  const std::string none = post(ci, record_text("t", 2));
  EXPECT_THAT(none, HasSubstr("403 "));
  EXPECT_THAT(none, HasSubstr("\"RULE_DENIED\""));
  EXPECT_THAT(none, HasSubstr("no permission rule allows it"));
  add_rule("h", "ci", "account == \"ci\"", "allow", 1);
  EXPECT_THAT(post(ci, record_text("t", 2)), HasSubstr("201 ")) << "at once";
  EXPECT_THAT(post(bot, record_text("t", 3)), HasSubstr("403 "));
  add_rule("h", "no-knowing", "record.act == \"KNOW\"", "deny", 5);
  const std::string denied = post(ci, record_text("t", 4, "KNOW"));
  EXPECT_THAT(denied, HasSubstr("403 "));
  EXPECT_THAT(denied, HasSubstr("the rule no-knowing denies it"));
  json_on("h", {"config", "rule", "remove", "no-knowing"});
  EXPECT_THAT(post(ci, record_text("t", 4, "KNOW")), HasSubstr("201 "));
  json_on("h", {"config", "permissions", "disable"});
  EXPECT_THAT(post(bot, record_text("t", 3)), HasSubstr("201 "));
}

TEST_F(CliRulesTest, ManyRecordsOfARequestAreWrittenAllOrNone) {
  const std::string ci = token("ci");
  json_on("h", {"config", "permissions", "enable"});
  add_rule("h", "early", "account == \"ci\" && record.clock < 4000", "allow", 1);
  const auto lines = [](int count) {
    std::string text;
    for (int n = 0; n < count; ++n)
      text += record_text("t", n, "DO", "{\"text\":\"" + std::string(500, 'x') + "\"}") + "\n";
    return text;
  };
  const std::uint64_t before = records("h");
  // Of one batch, and of as many as go through a file.
  for (const int count : {4001, 40'000}) {
    const std::string answer = post(ci, lines(count), "application/x-ndjson");
    EXPECT_THAT(answer, HasSubstr("403 "));
    EXPECT_EQ(records("h"), before) << count;
  }
  EXPECT_THAT(post(ci, lines(3), "application/x-ndjson"), HasSubstr("200 "));
  EXPECT_EQ(records("h"), before + 3);
  std::string clockless = record_text("u", 77);
  clockless.erase(clockless.find(",\"clock\":77"), 11);
  EXPECT_THAT(post(ci, clockless), HasSubstr("201 "));
  json_on("h", {"config", "rule", "remove", "early"});
  EXPECT_THAT(post(ci, clockless), HasSubstr("403 "));
}

}  // namespace
}  // namespace spl::cli_test
