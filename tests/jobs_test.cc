// Jobs of a daemon, and what the panel asks besides, over HTTP with a token of the scope admin.
#include <gmock/gmock.h>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class JobsTest : public CliTest {
 protected:
  void SetUp() override {
    make_home("a", 2);
    write_file(
        path("a") + "/services/files.toml",
        "name = \"files\"\nversion = \"2\"\nsummary = \"A tree\"\n[[surface]]\nname = \"tree\"\nkind = \"files\"\n"
        "path = \"{data}/tree\"\n[[secret]]\nhandle = \"files/key\"\nclass = \"user-supplied\"\nrequired = true\n");
    ASSERT_EQ(shell("mkdir -p '" + path("a") + "/data/files/tree' && echo one > '" + path("a") + "/data/files/tree/a'"),
              0);
    port_ = start_daemon("a");
    json_on("a", {"service-account", "create", "panel", "--scope", "admin"});
    token_ = text_of(json_on("a", {"token", "create", "panel"}), "token");
  }

  struct Got {
    int status = 0;
    std::string body;
  };
  Got ask(const std::string& method, const std::string& target, const std::string& body = "", const Words& more = {}) {
    const std::string out = path("answer");
    std::string command = "curl -s -N --max-time 60 -X " + method + " -H 'Authorization: Bearer " + token_ + "'";
    for (const std::string& word : more) command += " '" + word + "'";
    if (!body.empty()) command += " --data-binary '" + body + "'";
    shell(command + " -o '" + out + "' -w '%{http_code}' 'http://127.0.0.1:" + std::to_string(port_) + target +
          "' > '" + out + ".status'");
    return {std::atoi(read_file(out + ".status").c_str()), exists(out) ? read_file(out) : ""};
  }
  codec::Json asked(const std::string& method, const std::string& target, const std::string& body = "",
                    int status = 200) {
    const Got got = ask(method, target, body);
    EXPECT_EQ(got.status, status) << target << ": " << got.body;
    return json_of(got.body);
  }
  // A job to its end: the last event.
  codec::Json done(const std::string& request) {
    const std::string id = text_of(asked("POST", "/v1/jobs", request, 202), "id");
    return last_event(ask("GET", "/v1/jobs/" + id + "/events").body);
  }
  static codec::Json last_event(const std::string& stream) {
    const std::size_t at = stream.rfind("\ndata: ");
    EXPECT_NE(at, std::string::npos) << stream;
    return json_of(stream.substr(at + 7));
  }

  std::uint64_t port_ = 0;
  std::string token_;
};

TEST_F(JobsTest, ABackupIsMadeKeptListedAndRestored) {
  const codec::Json refused = done(R"({"kind":"backup"})");
  EXPECT_EQ(text_of(refused, "state"), "failed");
  EXPECT_EQ(text_of(*refused.find("error"), "code"), "REFUSED");
  const codec::Json end = done(R"({"kind":"backup","plaintext":true})");
  ASSERT_EQ(text_of(end, "state"), "done") << end.text();
  const std::string id = text_of(*end.find("result"), "backup");
  const codec::Json listed = asked("GET", "/v1/backups");
  ASSERT_EQ(listed.array()->size(), 1U);
  EXPECT_EQ(text_of(listed.array()->front(), "id"), id);
  const codec::Json backup = asked("GET", "/v1/backups/" + id);
  EXPECT_EQ(text_of(backup.find("services")->array()->front(), "version"), "2");
  const codec::Json& surface = backup.find("surfaces")->array()->front();
  EXPECT_EQ(text_of(surface, "surface"), "tree");
  EXPECT_EQ(text_of(surface, "kind"), "files");
  EXPECT_GT(number_of(surface, "bytes"), 0U);
  EXPECT_EQ(listed.array()->front().find("contents"), nullptr);
  EXPECT_EQ(text_of(backup, "encryption"), "none");
  EXPECT_NE(text_of(backup, "verified_at"), "");
  EXPECT_EQ(json_on("a", {"backup", "list"}).array()->size(), 1U);
  const std::string file = text_of(json_on("a", {"backup", "show", id}), "path");
  EXPECT_EQ(mode_of(file), 0600U);
  EXPECT_EQ(on("a", {"bundle", "verify", file}).code, 0);

  EXPECT_EQ(ask("PUT", "/v1/secrets/files%2Fkey", R"({"value":"a value"})").status, 204);
  write_file(path("a") + "/data/files/tree/a", "two\n");
  const codec::Json stopped = done("{\"kind\":\"preflight\",\"backup\":\"" + id + "\"}");
  ASSERT_EQ(text_of(stopped, "state"), "done") << stopped.text();
  EXPECT_EQ(stopped.find("result")->find("secrets_missing")->text(), "[]") << "it has a value by now";
  EXPECT_THAT(stopped.text(), HasSubstr("\"status\":\"stop\""));
  const codec::Json look = done("{\"kind\":\"preflight\",\"backup\":\"" + id + "\",\"replace\":true}");
  ASSERT_EQ(text_of(look, "state"), "done") << look.text();
  const codec::Json& plan = *look.find("result");
  EXPECT_THAT(plan.find("replaces")->text(), HasSubstr("files"));
  EXPECT_EQ(text_of(*plan.find("bundle"), "encryption"), "none");
  EXPECT_EQ(number_of(*plan.find("bundle"), "record_count"), number_of(backup, "record_count"));
  EXPECT_GT(number_of(plan, "bytes_free"), number_of(plan, "bytes_needed"));
  EXPECT_EQ(read_file(path("a") + "/data/files/tree/a"), "two\n");
  const std::string jobs = asked("GET", "/v1/jobs").text();
  const std::size_t at = jobs.find("\"id\":\"") + 6;
  const std::string preflight = jobs.substr(at, 16);
  const codec::Json wrong = asked(
      "POST", "/v1/jobs", "{\"kind\":\"restore\",\"preflight\":\"" + preflight + "\",\"plan_sha256\":\"00\"}", 409);
  EXPECT_EQ(text_of(wrong, "code"), "PLAN_CHANGED");
  const codec::Json restored = done("{\"kind\":\"restore\",\"preflight\":\"" + preflight + "\",\"plan_sha256\":\"" +
                                    text_of(plan, "plan_sha256") + "\"}");
  ASSERT_EQ(text_of(restored, "state"), "done") << restored.text();
  EXPECT_EQ(read_file(path("a") + "/data/files/tree/a"), "one\n");
  EXPECT_EQ(restored.find("result")->find("services")->array()->front().find("previous")->text(), "[\"\"]");
  EXPECT_EQ(asked("GET", "/v1/services/files").find("previous")->array()->size(), 1U);
  EXPECT_EQ(text_of(done(R"({"kind":"swap_previous","service":"files"})"), "state"), "done");
  EXPECT_EQ(read_file(path("a") + "/data/files/tree/a"), "two\n");
  EXPECT_EQ(text_of(done(R"({"kind":"discard_previous","service":"files"})"), "state"), "done");
  EXPECT_EQ(asked("GET", "/v1/services/files").find("previous")->array()->size(), 0U);
  EXPECT_EQ(ask("DELETE", "/v1/backups/" + id).status, 204);
  EXPECT_FALSE(exists(file));
  asked("GET", "/v1/backups/" + id, "", 404);
  asked("GET", "/v1/backups/..%2F..%2Fconfig", "", 404);
}

TEST_F(JobsTest, ABackupIsLookedIntoWithItsKey) {
  shell("age-keygen -o '" + path("key") + "' 2>/dev/null; age-keygen -y '" + path("key") + "' > '" + path("recipient") +
        "'");
  std::string recipient = read_file(path("recipient"));
  recipient.pop_back();
  const std::string id =
      text_of(*done("{\"kind\":\"backup\",\"recipients\":[\"" + recipient + "\"]}").find("result"), "backup");
  const std::string open = "/v1/backups/" + id + "/open";
  asked("POST", open, "{}", 422);
  asked("POST", open, R"({"passphrase":"wrong"})", 422);
  const codec::Json body = codec::Json::Object{{"identity", read_file(path("key"))}};
  write_file(path("body"), body.text());
  const codec::Json opened = asked("POST", open, "@" + path("body"));
  const std::string place = "/v1/opened/" + text_of(opened, "handle");
  const codec::Json top = asked("GET", place + "/entries");
  EXPECT_THAT(top.text(), HasSubstr(R"({"path":"services/","type":"directory")"));
  EXPECT_FALSE(flag_of(top, "has_more"));
  const std::string tree = "services/files/tree/@instance/";
  EXPECT_THAT(asked("GET", place + "/entries?prefix=services/files/").text(),
              HasSubstr("\"path\":\"services/files/tree/\""));
  EXPECT_THAT(asked("GET", place + "/entries?prefix=" + tree).text(), HasSubstr("\"path\":\"" + tree));
  asked("GET", place + "/entries?prefix=services/nosuch/", "", 404);
  // The file, wherever below the part it lies.
  std::string at;
  std::string prefix = tree;
  for (int depth = 0; depth < 4 && at.empty(); ++depth) {
    const codec::Json page = asked("GET", place + "/entries?prefix=" + prefix);
    const codec::Json last = page.find("entries")->array()->back();
    prefix = text_of(last, "path");
    if (text_of(last, "type") == "file") at = prefix;
  }
  EXPECT_EQ(ask("GET", place + "/file?path=" + at).body, "one\n") << at;
  asked("GET", place + "/file?path=" + at + "x", "", 404);
  asked("GET", "/v1/opened/0123456789abcdef0123456789abcdef/entries", "", 404);
}

TEST_F(JobsTest, ContextsAndServicesChangeByJobs) {
  EXPECT_EQ(ask("POST", "/v1/contexts", R"({"name":"geomind"})").status, 204);
  EXPECT_EQ(text_of(done(R"({"kind":"context_rename","context":"geomind","new_name":"geo2"})"), "state"), "done");
  EXPECT_EQ(text_of(asked("GET", "/v1/contexts").array()->front(), "name"), "geo2");
  EXPECT_EQ(
      text_of(done(R"({"kind":"context_remove","context":"geo2","delete_data":true,"without_backup":true})"), "state"),
      "done");
  EXPECT_EQ(asked("GET", "/v1/contexts").array()->size(), 0U);

  write_file(path("a") + "/services/after.toml", "name = \"after\"\nafter = [\"files\"]\n");
  const codec::Json needed = done(R"({"kind":"remove","services":["files"]})");
  EXPECT_EQ(text_of(needed, "state"), "failed");
  EXPECT_THAT(needed.text(), HasSubstr("after comes after it"));
  EXPECT_EQ(text_of(done(R"({"kind":"remove","services":["after"]})"), "state"), "done");
  EXPECT_FALSE(exists(path("a") + "/services/after.toml"));
  EXPECT_EQ(ask("PUT", "/v1/secrets/files%2Fkey", R"({"value":"a value"})").status, 204);
  const codec::Json kept = json_on("a", {"service", "files", "remove"});
  EXPECT_FALSE(flag_of(kept, "data_deleted"));
  EXPECT_EQ(read_file(text_of(kept, "data") + "/tree/a"), "one\n");
  EXPECT_EQ(on("a", {"service", "files", "remove"}).code, 2);
}

TEST_F(JobsTest, WithItsDataAServiceLeavesNothing) {
  EXPECT_EQ(ask("PUT", "/v1/secrets/files%2Fkey", R"({"value":"a value"})").status, 204);
  const std::string declared = read_file(path("a") + "/services/files.toml");
  write_file(path("a") + "/services/files.toml",
             declared + "[[surface]]\nname = \"elsewhere\"\nkind = \"files\"\npath = \"" + path("elsewhere") + "\"\n");
  const Ran refused = on("a", {"service", "files", "remove", "--delete-data"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("does not lie below"));
  EXPECT_TRUE(exists(path("a") + "/data/files/tree/a"));
  write_file(path("a") + "/services/files.toml", declared);
  EXPECT_TRUE(flag_of(json_on("a", {"service", "files", "remove", "--delete-data"}), "data_deleted"));
  EXPECT_FALSE(exists(path("a") + "/data/files"));
  EXPECT_EQ(json_on("a", {"secret", "list"}).array()->size(), 0U);
}

TEST_F(JobsTest, ASearchSaysHowFarItCame) {
  const std::uint64_t there = number_of(json_on("a", {"status"}), "record_count");
  const codec::Json all = asked("GET", "/v1/search?q=actor");
  EXPECT_EQ(members(all), (std::vector<std::string>{"records", "searched", "total", "cursor", "has_more"}));
  EXPECT_EQ(number_of(all, "searched"), there);
  EXPECT_EQ(number_of(all, "total"), there);
  EXPECT_EQ(all.find("records")->array()->size(), there);
  for (const char* member : {"id", "actor", "thread", "body", "arrived_at"})
    EXPECT_THAT(members(all.find("records")->array()->front()), Contains(member));
  EXPECT_FALSE(flag_of(all, "has_more"));
  EXPECT_EQ(asked("GET", "/v1/search?q=no%22such").find("records")->array()->size(), 0U);
  EXPECT_EQ(number_of(asked("GET", "/v1/search?q=x&cursor=" + text_of(all, "cursor")), "searched"), 0U);
  asked("GET", "/v1/search", "", 400);
}

TEST_F(JobsTest, WhatWasConfirmedIsWhatIsDone) {
  const std::string id = text_of(*done(R"({"kind":"backup","plaintext":true})").find("result"), "backup");
  const codec::Json look = done("{\"kind\":\"preflight\",\"backup\":\"" + id + "\",\"replace\":true}");
  const std::string jobs = asked("GET", "/v1/jobs").text();
  const std::string preflight = jobs.substr(jobs.find("\"id\":\"") + 6, 16);
  // The service is another one by now: it is not there.
  ASSERT_EQ(shell("mv '" + path("a") + "/services/files.toml' '" + path("aside") + "'"), 0);
  const codec::Json refused = done("{\"kind\":\"restore\",\"preflight\":\"" + preflight + "\",\"plan_sha256\":\"" +
                                   text_of(*look.find("result"), "plan_sha256") + "\"}");
  EXPECT_EQ(text_of(refused, "state"), "failed");
  EXPECT_EQ(text_of(*refused.find("error"), "code"), "PLAN_CHANGED");
}

TEST_F(JobsTest, AJobIsSeenFromTheConsoleAndNeverHoldsSecrets) {
  const codec::Json end = done(R"({"kind":"install","services":["nosuch"],"secrets":{"files/key":"canary-value"}})");
  EXPECT_EQ(text_of(end, "state"), "failed") << end.text();
  const codec::Json listed = json_on("a", {"job", "list"});
  ASSERT_EQ(listed.array()->size(), 1U);
  const codec::Json& job = listed.array()->front();
  EXPECT_EQ(text_of(job, "kind"), "install");
  EXPECT_EQ(text_of(job, "subject"), "nosuch");
  EXPECT_THAT(job.text(), Not(HasSubstr("canary-value")));
  EXPECT_EQ(json_on("a", {"job", "show", text_of(job, "id").substr(0, 8)}).text(), job.text());
  EXPECT_EQ(text_of(json_on("a", {"job", "cancel", text_of(job, "id")}), "state"), "failed");
  EXPECT_EQ(on("a", {"job", "show", "0123456789"}).code, 1);
  EXPECT_EQ(shell("grep -rqF canary-value '" + path("a") + "'"), 1) << "the secret is sealed where it was set";
}

TEST_F(JobsTest, AFileThatComesInPiecesIsRestored) {
  const std::string id = text_of(*done(R"({"kind":"backup","plaintext":true})").find("result"), "backup");
  const std::string whole = ask("GET", "/v1/backups/" + id + "/file").body;
  const std::string file = text_of(json_on("a", {"backup", "show", id}), "path");
  ASSERT_EQ(whole, read_file(file));
  const std::string size = std::to_string(whole.size());
  const Words tus{"-H", "Tus-Resumable: 1.0.0"};
  EXPECT_EQ(ask("POST", "/v1/uploads", "", {"-H", "Upload-Length: 5"}).status, 412);
  EXPECT_EQ(ask("POST", "/v1/uploads", "", {"-H", "Tus-Resumable: 1.0.0"}).status, 400);
  EXPECT_EQ(ask("POST", "/v1/uploads", "", {"-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 999999999999"}).status,
            507);
  EXPECT_EQ(ask("POST", "/v1/uploads", "", {"-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 1099511627777"}).status,
            413);
  const std::string head = path("head");
  const auto begin = [&] {
    EXPECT_EQ(ask("POST", "/v1/uploads", "",
                  {"-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: " + size, "-H",
                   "Upload-Metadata: filename Li4vLi4vYS5zcGw=", "-D", head})
                  .status,
              201);
    const std::string fields = read_file(head);
    return fields.substr(fields.find("/v1/uploads/"), 12 + 32);
  };
  const std::string place = begin();
  const std::string other = begin();
  EXPECT_EQ(ask("POST", "/v1/uploads", "", {"-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 5"}).status, 503)
      << "two are enough";
  EXPECT_EQ(ask("DELETE", other, "", tus).status, 204);
  EXPECT_EQ(ask("DELETE", other, "", tus).status, 404);
  // In two pieces, with a stop of the daemon between them.
  write_file(path("one"), whole.substr(0, 1000));
  write_file(path("two"), whole.substr(1000));
  const auto send = [&](const std::string& piece, const std::string& offset) {
    return ask("PATCH", place, "@" + path(piece),
               {"-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Offset: " + offset, "-H",
                "Content-Type: application/offset+octet-stream"})
        .status;
  };
  EXPECT_EQ(send("one", "0"), 204);
  EXPECT_EQ(send("two", "0"), 409);
  EXPECT_EQ(ask("POST", "/v1/jobs", "{\"kind\":\"preflight\"}").status, 400);
  ASSERT_EQ(on("a", {"stop"}).code, 0);
  port_ = start_daemon("a");
  shell("curl -s -I -H 'Tus-Resumable: 1.0.0' -H 'Authorization: Bearer " + token_ +
        "' http://127.0.0.1:" + std::to_string(port_) + place + " > '" + head + "'");
  EXPECT_THAT(read_file(head), HasSubstr("upload-offset: 1000\r\n"));
  EXPECT_THAT(read_file(head), HasSubstr("upload-length: " + size + "\r\n"));
  const std::string upload = place.substr(12);
  EXPECT_EQ(text_of(done("{\"kind\":\"preflight\",\"upload\":\"" + upload + "\"}"), "state"), "failed")
      << "it is not whole";
  EXPECT_EQ(send("two", "1000"), 204);
  EXPECT_EQ(send("two", size), 413) << "more than was announced";

  EXPECT_EQ(ask("PUT", "/v1/secrets/files%2Fkey", R"({"value":"a value"})").status, 204);
  write_file(path("a") + "/data/files/tree/a", "two\n");
  const codec::Json look = done("{\"kind\":\"preflight\",\"upload\":\"" + upload + "\",\"replace\":true}");
  ASSERT_EQ(text_of(look, "state"), "done") << look.text();
  EXPECT_EQ(text_of(json_on("a", {"job", "list"}).array()->front(), "subject"), "../../a.spl");
  const std::string jobs = asked("GET", "/v1/jobs").text();
  const codec::Json restored =
      done("{\"kind\":\"restore\",\"preflight\":\"" + jobs.substr(jobs.find("\"id\":\"") + 6, 16) +
           "\",\"plan_sha256\":\"" + text_of(*look.find("result"), "plan_sha256") + "\"}");
  ASSERT_EQ(text_of(restored, "state"), "done") << restored.text();
  EXPECT_EQ(read_file(path("a") + "/data/files/tree/a"), "one\n");
  EXPECT_EQ(names_in(path("a") + "/uploads").size(), 0U) << "it has served its purpose";
}

TEST_F(JobsTest, RangesOfABackupAreThoseOfItsFile) {
  const std::string id = text_of(*done(R"({"kind":"backup","plaintext":true})").find("result"), "backup");
  const std::string target = "/v1/backups/" + id + "/file";
  const std::string whole = read_file(text_of(json_on("a", {"backup", "show", id}), "path"));
  const std::string last = std::to_string(whole.size() - 1);
  for (const auto& [range, content] :
       std::vector<std::pair<std::string, std::string>>{{"0-0", whole.substr(0, 1)},
                                                        {"10-19", whole.substr(10, 10)},
                                                        {"100-", whole.substr(100)},
                                                        {"-5", whole.substr(whole.size() - 5)},
                                                        {last + "-99999999", whole.substr(whole.size() - 1)}}) {
    const Got got = ask("GET", target, "", {"-H", "Range: bytes=" + range});
    EXPECT_EQ(got.status, 206) << range;
    EXPECT_EQ(got.body, content) << range;
  }
  EXPECT_EQ(ask("GET", target, "", {"-H", "Range: bytes=" + std::to_string(whole.size()) + "-"}).status, 416);
  for (const char* none : {"bytes=a-b", "bytes=5-1", "octets=0-1", "bytes=0-1,4-5"})
    EXPECT_EQ(ask("GET", target, "", {"-H", std::string("Range: ") + none}).body, whole) << none;
}

TEST_F(JobsTest, WhatIsNoJobIsRefused) {
  for (const char* bad :
       {"{}", "[]", R"({"kind":"nonsense"})", R"({"kind":"install"})", R"({"kind":"start","services":"x"})",
        R"({"kind":"preflight"})", R"({"kind":"restore","preflight":"x"})",
        R"({"kind":"preflight","backup":"x","records":"both"})", R"({"kind":"backup","passphrase":7})"})
    EXPECT_EQ(text_of(asked("POST", "/v1/jobs", bad, 400), "code"), "INVALID_REQUEST") << bad;
  asked("GET", "/v1/jobs/0123456789abcdef", "", 404);
  asked("GET", "/v1/jobs/0123456789abcdef/events", "", 404);
}

TEST_F(JobsTest, AStreamGoesOnWhereItWasLeft) {
  const std::string id = text_of(asked("POST", "/v1/jobs", R"({"kind":"backup","plaintext":true})", 202), "id");
  const std::string whole = ask("GET", "/v1/jobs/" + id + "/events").body;
  EXPECT_THAT(whole, HasSubstr("id: 1\ndata: {\"seq\":1,"));
  const std::string rest = ask("GET", "/v1/jobs/" + id + "/events", "", {"-H", "Last-Event-ID: 1"}).body;
  EXPECT_THAT(rest, Not(HasSubstr("id: 1\n")));
  EXPECT_EQ(last_event(rest).text(), last_event(whole).text());
}

TEST_F(JobsTest, TheFirstPageHasWhatItShows) {
  const codec::Json overview = asked("GET", "/v1/overview");
  EXPECT_EQ(members(overview), (std::vector<std::string>{"instance", "services", "backups", "jobs", "findings"}));
  const codec::Json& service = overview.find("services")->array()->front();
  for (const char* name :
       {"name", "version", "state", "healthy", "bytes", "last_backup_at", "address", "secrets_missing"})
    EXPECT_THAT(members(service), Contains(name));
  EXPECT_EQ(number_of(service, "secrets_missing"), 1U);
  EXPECT_EQ(ask("PUT", "/v1/secrets/files%2Fkey", R"({"value":"a value"})").status, 204);
  EXPECT_EQ(number_of(asked("GET", "/v1/services").array()->front(), "secrets_missing"), 0U);
  EXPECT_THAT(asked("GET", "/v1/secrets").text(), Not(HasSubstr("a value")));
  EXPECT_EQ(ask("DELETE", "/v1/secrets/files/key").status, 204);
  EXPECT_EQ(text_of(asked("GET", "/v1/services/files"), "summary"), "A tree");
  EXPECT_EQ(asked("GET", "/v1/services/files/logs").find("lines")->array()->size(), 0U);
  asked("GET", "/v1/services/nosuch", "", 404);
  EXPECT_FALSE(asked("GET", "/v1/catalog").array()->empty());
  EXPECT_EQ(asked("GET", "/v1/contexts").array()->size(), 0U);
  EXPECT_FALSE(asked("GET", "/v1/inventory").array()->empty());
}

}  // namespace
}  // namespace spl::cli_test
