// Schedules, what stays of their backups, backup keys and activity: by commands without a daemon and with one, and over
// HTTP with a token of the scope admin.
#include <gmock/gmock.h>

#include <thread>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRecipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

class SchedulesTest : public CliTest {
 protected:
  void SetUp() override { make_home("a", 2); }

  void serve() {
    port_ = start_daemon("a");
    if (!token_.empty()) return;
    json_on("a", {"service-account", "create", "panel", "--scope", "admin"});
    token_ = text_of(json_on("a", {"token", "create", "panel"}), "token");
  }
  struct Got {
    int status = 0;
    std::string body;
  };
  Got ask(const std::string& method, const std::string& target, const std::string& body = "") {
    const std::string out = path("answer");
    std::string command = "curl -s --max-time 60 -X " + method + " -H 'Authorization: Bearer " + token_ + "'";
    if (!body.empty()) command += " --data-binary '" + body + "'";
    write_file(out, "");
    shell(command + " -o '" + out + "' -w '%{http_code}' 'http://127.0.0.1:" + std::to_string(port_) + target +
          "' > '" + out + ".status'");
    return {std::stoi(read_file(out + ".status")), read_file(out)};
  }
  codec::Json asked(const std::string& target) {
    const Got got = ask("GET", target);
    EXPECT_EQ(got.status, 200) << target << ": " << got.body;
    return json_of(got.body);
  }
  // How a job ended: its stream has an end.
  codec::Json ended(const std::string& id) {
    ask("GET", "/v1/jobs/" + id + "/events");
    return asked("/v1/jobs/" + id);
  }
  codec::Json schedule(const std::string& name) {
    const codec::Json all = json_on("a", {"schedule", "list"});
    for (const codec::Json& one : *all.array()) {
      if (text_of(one, "name") == name) return one;
    }
    return {};
  }
  std::vector<std::string> ids_of_backups() {
    std::vector<std::string> ids;
    const codec::Json all = json_on("a", {"backup", "list"});
    for (const codec::Json& one : *all.array()) ids.push_back(text_of(one, "id"));
    return ids;
  }
  // Backups are told apart by their second: what was made before gets an older one.
  void age(const std::string& id, const std::string& time) {
    const std::string note = path("a") + "/backups/" + id + ".spl.json";
    std::string text = read_file(note);
    const std::size_t at = text.find("\"created_at\":\"") + 14;
    write_file(note, text.replace(at, 20, time));
  }

  std::uint64_t port_ = 0;
  std::string token_;
};

TEST_F(SchedulesTest, AScheduleIsSetListedRunAndRemoved) {
  const Words set{"schedule", "set", "nightly", "--at", "03:30", "--zone", "Europe/Berlin", "--keep", "last=2,daily=7"};
  const Ran refused = on("a", set);
  EXPECT_EQ(refused.code, 3) << "for whom is not said";
  EXPECT_THAT(refused.err, HasSubstr("encrypted for nobody"));
  Words with_recipient = set;
  with_recipient.insert(with_recipient.end(), {"--recipient", kRecipient});
  const codec::Json made = json_on("a", with_recipient);
  EXPECT_EQ(text_of(made, "zone"), "Europe/Berlin");
  EXPECT_EQ(text_of(made, "every"), "day");
  EXPECT_EQ(number_of(*made.find("keep"), "daily"), 7U);
  EXPECT_NE(text_of(made, "next_at"), "");
  EXPECT_TRUE(made.find("last_at")->is_null());
  EXPECT_EQ(mode_of(path("a") + "/schedules.db"), 0600U);

  const codec::Json run = json_on("a", {"schedule", "run", "nightly"});
  const codec::Json& backup = *run.find("backup");
  EXPECT_EQ(text_of(backup, "schedule"), "nightly");
  EXPECT_EQ(text_of(backup, "encryption"), "recipients");
  EXPECT_EQ(number_of(*run.find("prune"), "bytes"), 0U);
  EXPECT_FALSE(schedule("nightly").find("last_at")->is_null());
  EXPECT_THAT(on("a", {"schedule", "list"}).out, HasSubstr("keep last=2,daily=7"));

  serve();
  EXPECT_EQ(text_of(*json_on("a", {"schedule", "run", "nightly"}).find("backup"), "schedule"), "nightly");
  EXPECT_EQ(text_of(json_on("a", {"schedule", "remove", "nightly"}), "name"), "nightly");
  EXPECT_EQ(json_on("a", {"schedule", "list"}).array()->size(), 0U);
  EXPECT_EQ(ids_of_backups().size(), 2U) << "they stay";
  EXPECT_EQ(on("a", {"schedule", "remove", "nightly"}).code, 1);
  EXPECT_EQ(on("a", {"schedule", "run", "nightly"}).code, 1);
}

TEST_F(SchedulesTest, WhatIsNoScheduleIsRefused) {
  for (const Words& wrong : std::vector<Words>{{"--at", "24:00", "--plaintext"},
                                               {"--plaintext"},
                                               {"--at", "03:30", "--zone", "Europe/Nowhere", "--plaintext"},
                                               {"--at", "03:30", "--zone", "/etc/localtime", "--plaintext"},
                                               {"--at", "03:30", "--every", "year", "--plaintext"},
                                               {"--at", "03:30", "--keep", "yearly=3", "--plaintext"},
                                               {"--at", "03:30", "--recipient", "age1nonsense"},
                                               {"--at", "03:30", "--recipient", kRecipient, "--plaintext"},
                                               {"--at", "03:30", "--to", "here", "--plaintext"}}) {
    Words words{"schedule", "set", "nightly"};
    words.insert(words.end(), wrong.begin(), wrong.end());
    EXPECT_EQ(on("a", words).code, 2) << wrong.back();
  }
  EXPECT_EQ(on("a", {"schedule", "set", "a/b", "--at", "03:30", "--plaintext"}).code, 2);
  EXPECT_EQ(on("a", {"schedule", "set", "x", "--at", "03:30", "--plaintext", "--to", path("a") + "/identity"}).code, 3);
  EXPECT_FALSE(exists(path("a") + "/schedules.db")) << "nothing was made";
}

TEST_F(SchedulesTest, AFailureStaysUntilItIsRead) {
  const std::string disk = path("disk");
  json_on("a", {"schedule", "set", "away", "--at", "04:00", "--plaintext", "--to", disk});
  const Ran failed = on("a", {"schedule", "run", "away"});
  EXPECT_EQ(failed.code, 6);
  EXPECT_THAT(failed.err, HasSubstr("is not there"));
  EXPECT_FALSE(exists(disk));
  ASSERT_EQ(shell("mkdir '" + disk + "'"), 0);
  const std::string id = text_of(*json_on("a", {"schedule", "run", "away"}).find("backup"), "id");
  EXPECT_TRUE(exists(disk + "/" + id + ".spl"));
  EXPECT_EQ(mode_of(disk + "/" + id + ".spl"), 0600U);
  EXPECT_THAT(ids_of_backups(), ElementsAre(id));
  EXPECT_EQ(on("a", {"bundle", "verify", text_of(json_on("a", {"backup", "show", id}), "path")}).code, 0);
  EXPECT_THAT(schedule("away").find("failure")->text(), HasSubstr("is not there"));
  EXPECT_THAT(on("a", {"doctor"}).out, HasSubstr("made no backup at"));
  EXPECT_TRUE(json_on("a", {"schedule", "read", "away"}).find("failure")->is_null());
  EXPECT_THAT(on("a", {"doctor"}).out, Not(HasSubstr("made no backup at")));
  EXPECT_EQ(on("a", {"backup", "delete", id}).code, 0);
  EXPECT_FALSE(exists(disk + "/" + id + ".spl"));
}

TEST_F(SchedulesTest, WhatNeedNotStayGoes) {
  json_on("a", {"schedule", "set", "nightly", "--at", "03:30", "--plaintext", "--keep", "last=1"});
  const std::string first = text_of(*json_on("a", {"schedule", "run", "nightly"}).find("backup"), "id");
  age(first, "2001-01-01T03:30:00Z");
  const codec::Json run = json_on("a", {"schedule", "run", "nightly"});
  const std::string second = text_of(*run.find("backup"), "id");
  EXPECT_THAT(ids_of_backups(), ElementsAre(second));
  EXPECT_FALSE(exists(path("a") + "/backups/" + first + ".spl.json"));

  // What somebody else has put there, and another instance's, is not touched.
  json_on("a", {"export", "--out", path("a") + "/backups/by-hand.spl", "--plaintext"});
  ASSERT_EQ(shell("cd '" + path("a") + "/backups' && cp " + second +
                  ".spl other.spl && sed 's/did:key:z6Mk/did:key:z6Mx/' " + second + ".spl.json > other.spl.json"),
            0);
  age("other", "2000-01-01T00:00:00Z");
  age(second, "2002-01-01T00:00:00Z");
  json_on("a", {"schedule", "run", "nightly"});
  EXPECT_THAT(ids_of_backups(), Contains("by-hand"));
  EXPECT_THAT(ids_of_backups(), Contains("other"));
  EXPECT_THAT(ids_of_backups(), Not(Contains(second)));
}

TEST_F(SchedulesTest, PruneSaysFirstWhatWouldGo) {
  json_on("a", {"schedule", "set", "nightly", "--at", "03:30", "--plaintext"});
  const std::string first = text_of(*json_on("a", {"schedule", "run", "nightly"}).find("backup"), "id");
  age(first, "2001-01-01T03:30:00Z");
  const std::string second = text_of(*json_on("a", {"schedule", "run", "nightly"}).find("backup"), "id");
  EXPECT_EQ(json_on("a", {"backup", "prune"}).find("pruned")->array()->size(), 0U) << "it keeps all";
  const codec::Json would = json_on("a", {"backup", "prune", "--keep", "daily=1", "--dry-run"});
  ASSERT_EQ(would.find("pruned")->array()->size(), 1U);
  EXPECT_EQ(text_of(would.find("pruned")->array()->front(), "id"), first);
  EXPECT_THAT(would.find("kept")->text(), HasSubstr("daily"));
  EXPECT_EQ(ids_of_backups().size(), 2U);
  serve();
  EXPECT_EQ(json_on("a", {"backup", "prune", "--keep", "daily=1"}).find("pruned")->text(),
            would.find("pruned")->text());
  EXPECT_THAT(ids_of_backups(), ElementsAre(second));
  // The newest that verified stays, whatever the rule.
  const std::string note = path("a") + "/backups/" + second + ".spl.json";
  EXPECT_EQ(json_on("a", {"backup", "prune", "--keep", "daily=1,last=1"}).find("pruned")->array()->size(), 0U);
  EXPECT_THAT(read_file(note), HasSubstr("verified_at"));
  for (const Words& wrong : std::vector<Words>{
           {"--keep", "last=0"}, {"--keep", "last"}, {"--zone", "UTC"}, {"--keep", "last=1", "--zone", "x"}}) {
    Words words{"backup", "prune"};
    words.insert(words.end(), wrong.begin(), wrong.end());
    EXPECT_EQ(on("a", words).code, 2) << wrong.back();
  }
}

// A daemon that was not there when it was time.
TEST_F(SchedulesTest, WhatADaemonMissedItMakesUpForOnce) {
  json_on("a", {"schedule", "set", "nightly", "--at", "03:30", "--plaintext"});
  ASSERT_EQ(shell("sqlite3 '" + path("a") + "/schedules.db' 'UPDATE schedules SET served = 1700000000'"), 0);
  serve();
  // The job comes by itself: its end is waited for.
  codec::Json jobs;
  for (int i = 0; i < 600 && (jobs = asked("/v1/jobs")).array()->empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_EQ(jobs.array()->size(), 1U);
  const codec::Json job = ended(text_of(jobs.array()->front(), "id"));
  EXPECT_EQ(text_of(job, "state"), "done") << job.text();
  EXPECT_EQ(text_of(job, "subject"), "nightly");
  EXPECT_EQ(ids_of_backups().size(), 1U);
  ASSERT_EQ(on("a", {"stop"}).code, 0);
  serve();
  EXPECT_NE(text_of(schedule("nightly"), "last_at"), "");
  const codec::Json entries = *asked("/v1/activity").find("entries");
  EXPECT_THAT(entries.text(), HasSubstr(R"("who":"schedule","action":"backup","subject":"nightly","outcome":"done")"));
  EXPECT_EQ(asked("/v1/jobs").array()->size(), 1U);
}

TEST_F(SchedulesTest, ThePanelSetsOnesWhoseKeysAreConfirmed) {
  serve();
  const std::string settings = R"("at":"03:30","zone":"Europe/Berlin","every":"week",)"
                               R"("keep":{"last":1,"daily":0,"weekly":0,"monthly":0},"plaintext":false)";
  const std::string body = "{" + settings + ",\"recipients\":[\"" + kRecipient + "\"]}";
  const std::string key = std::string("/v1/recipients/") + kRecipient;
  EXPECT_EQ(ask("PUT", "/v1/schedules/weekly", body).status, 409) << "nobody knows that key";
  EXPECT_EQ(ask("POST", "/v1/recipients", R"({"recipient":"age1nonsense","label":"x"})").status, 400);
  EXPECT_EQ(
      ask("POST", "/v1/recipients", std::string(R"({"recipient":")") + kRecipient + R"(","label":"safe"})").status,
      204);
  EXPECT_EQ(ask("PUT", "/v1/schedules/weekly", body).status, 409) << "it is not confirmed";
  EXPECT_TRUE(asked("/v1/recipients").array()->front().find("confirmed_at")->is_null());
  EXPECT_EQ(ask("PUT", key, R"({"confirmed":false})").status, 400);
  EXPECT_EQ(ask("PUT", key, R"({"confirmed":true})").status, 204);
  EXPECT_EQ(text_of(asked("/v1/recipients").array()->front(), "label"), "safe");
  EXPECT_EQ(ask("PUT", "/v1/schedules/weekly", body).status, 204);
  EXPECT_EQ(ask("DELETE", key).status, 409) << "a schedule encrypts for it";
  const codec::Json listed = asked("/v1/schedules").array()->front();
  EXPECT_EQ(members(listed), (std::vector<std::string>{"name", "at", "zone", "every", "keep", "recipients", "plaintext",
                                                       "next_at", "last_at", "failure"}));
  EXPECT_EQ(text_of(*asked("/v1/overview").find("backups"), "next_at"), text_of(listed, "next_at"));

  const Got run = ask("POST", "/v1/schedules/weekly/run");
  ASSERT_EQ(run.status, 202);
  EXPECT_EQ(text_of(ended(text_of(json_of(run.body), "id")), "state"), "done");
  EXPECT_EQ(text_of(asked("/v1/backups").array()->front(), "schedule"), "weekly");
  EXPECT_EQ(text_of(asked("/v1/backups").array()->front(), "encryption"), "recipients");
  EXPECT_EQ(ask("POST", "/v1/schedules/nosuch/run").status, 404);
  EXPECT_EQ(ask("DELETE", "/v1/schedules/weekly").status, 204);
  EXPECT_EQ(ask("DELETE", "/v1/schedules/weekly").status, 404);
  EXPECT_EQ(ask("DELETE", key).status, 204);
  EXPECT_EQ(ask("DELETE", key).status, 404);
  for (const char* wrong : {"[]", "{}", R"({"at":"03:30"})"})
    EXPECT_EQ(ask("PUT", "/v1/schedules/weekly", wrong).status, 400) << wrong;
  EXPECT_EQ(ask("PUT", "/v1/schedules/weekly", "{" + settings + ",\"recipients\":[],\"more\":1}").status, 400);
}

TEST_F(SchedulesTest, AFailedJobIsSeenOnTheFirstPageUntilItIsRead) {
  serve();
  json_on("a", {"schedule", "set", "away", "--at", "04:00", "--plaintext", "--to", path("disk")});
  const std::string id = text_of(json_of(ask("POST", "/v1/schedules/away/run").body), "id");
  EXPECT_EQ(text_of(ended(id), "state"), "failed");
  const codec::Json failure = *asked("/v1/schedules").array()->front().find("failure");
  EXPECT_EQ(text_of(failure, "job"), id);
  EXPECT_THAT(text_of(*failure.find("error"), "message"), HasSubstr("is not there"));
  EXPECT_THAT(asked("/v1/overview").find("findings")->text(), HasSubstr("made no backup at"));
  EXPECT_EQ(ask("POST", "/v1/schedules/away/read").status, 204);
  EXPECT_THAT(asked("/v1/overview").find("findings")->text(), Not(HasSubstr("made no backup at")));
  const codec::Json entries = *asked("/v1/activity").find("entries");
  EXPECT_EQ(text_of(entries.array()->at(0), "action"), "schedule.read");
  EXPECT_EQ(text_of(entries.array()->at(1), "who"), "panel");
  EXPECT_EQ(text_of(entries.array()->at(1), "outcome"), "failed");
}

TEST_F(SchedulesTest, RecipientsOfTheConfigurationAreConfirmedAndStay) {
  write_file(path("a") + "/config.toml", std::string("recipients = [\"") + kRecipient + "\"]\n");
  serve();
  const codec::Json listed = asked("/v1/recipients").array()->front();
  EXPECT_EQ(text_of(listed, "recipient"), kRecipient);
  EXPECT_NE(text_of(listed, "confirmed_at"), "");
  EXPECT_EQ(ask("DELETE", std::string("/v1/recipients/") + kRecipient).status, 409);
  json_on("a", {"schedule", "set", "nightly", "--at", "03:30"});
  EXPECT_EQ(text_of(*json_on("a", {"schedule", "run", "nightly"}).find("backup"), "encryption"), "recipients");
}

TEST_F(SchedulesTest, ActivitySaysWhoAndHoldsNoSecret) {
  serve();
  EXPECT_EQ(ask("PUT", "/v1/secrets/files%2Fkey", R"({"value":"canary-value"})").status, 204);
  const codec::Json page = asked("/v1/activity");
  EXPECT_FALSE(flag_of(page, "has_more"));
  const codec::Json::Array& entries = *page.find("entries")->array();
  ASSERT_EQ(entries.size(), 3U) << page.text();
  EXPECT_EQ(text_of(entries[0], "action"), "secret.set");
  EXPECT_EQ(text_of(entries[0], "subject"), "files/key");
  EXPECT_EQ(text_of(entries[0], "who"), "panel");
  EXPECT_EQ(text_of(entries[1], "action"), "token.create");
  EXPECT_EQ(text_of(entries[2], "action"), "service-account.create");
  EXPECT_EQ(text_of(entries[2], "who"), "console");
  EXPECT_THAT(page.text(), Not(HasSubstr(token_)));
  EXPECT_THAT(page.text(), Not(HasSubstr("canary-value")));
  EXPECT_EQ(json_on("a", {"activity"}).text(), page.find("entries")->text());
  EXPECT_EQ(json_on("a", {"activity", "--limit", "1"}).array()->size(), 1U);
  EXPECT_EQ(on("a", {"activity", "--limit", "0"}).code, 2);
  EXPECT_THAT(on("a", {"activity"}).out, HasSubstr("  console  token.create  panel\n"));
  EXPECT_EQ(ask("GET", "/v1/activity?cursor=x").status, 400);
  EXPECT_EQ(mode_of(path("a") + "/jobs.db"), 0600U);
}

// As the router brings it.
TEST_F(SchedulesTest, WhoComesInIsToldAndFailuresAreFolded) {
  serve();
  const std::string link = text_of(json_on("a", {"owner", "link"}), "url");
  const std::string code = link.substr(link.find('#') + 1);
  const auto at_door = [&](const std::string& what, const std::string& body) {
    shell("curl -s --max-time 60 --unix-socket '" + path("a") + "/run/door.sock' -H 'Sec-Fetch-Site: same-origin' " +
          "-H 'X-Forwarded-For: 192.0.2.7' -H 'Content-Type: application/json' --data-binary '" + body +
          "' -o /dev/null -w '%{http_code}' " + "http://localhost/v1/door/" + what + " > '" + path("status") + "'");
    return read_file(path("status"));
  };
  const std::string wrong = R"({"password":"not this one at all"})";
  EXPECT_EQ(at_door("claim", R"({"code":"aaaaa-aaaaa","password":"a long enough password"})"), "401");
  EXPECT_EQ(at_door("claim", "{\"code\":\"" + code + R"(","password":"a long enough password"})"), "200");
  EXPECT_EQ(at_door("sign-in", wrong), "401");
  EXPECT_EQ(at_door("sign-in", wrong), "401");
  EXPECT_EQ(at_door("sign-in", R"({"password":"a long enough password"})"), "200");
  const std::string all = json_on("a", {"activity"}).text();
  EXPECT_THAT(all, HasSubstr(R"("who":"owner","action":"door.sign-in","subject":"from 192.0.2.7","outcome":"done")"));
  EXPECT_THAT(all, HasSubstr(R"("who":"stranger","action":"door.sign-in","subject":"","outcome":"refused",)"
                             R"("message":"2 times; the last: from 192.0.2.7")"));
  EXPECT_THAT(all, HasSubstr(R"("who":"owner","action":"door.claim")"));
  EXPECT_THAT(all, HasSubstr(R"("who":"console","action":"owner.link")"));
  EXPECT_THAT(all, Not(HasSubstr(code)));
  EXPECT_THAT(all, Not(HasSubstr("enough password")));
}

}  // namespace
}  // namespace spl::cli_test
