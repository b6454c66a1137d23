// Instances, identities, records, threads, accounts and tokens, as commands on a home without a daemon.
#include <algorithm>
#include <filesystem>

#include "cli_harness.h"
#include "cli_terminal.h"

namespace spl::cli_test {
namespace {

using CliInstanceTest = CliTest;
using CliRecordTest = CliTest;
using CliAccessTest = CliTest;

std::string put_text() {
  return read_file(std::string(SPL_SOURCE_DIR) + "/src/record/testdata/records.ndjson");
}

std::string error_message(const codec::Json& json) {
  const codec::Json* error = json.find("error");
  EXPECT_NE(error, nullptr) << json.text();
  return error == nullptr ? std::string() : text_of(*error, "message");
}

TEST_F(CliInstanceTest, InitSaysThatOthersCanWriteTheHome) {
  std::filesystem::create_directory(path("h"));
  std::filesystem::permissions(path("h"), std::filesystem::perms::all);
  const Ran open = on("h", {"init"});
  EXPECT_EQ(open.code, 0);
  EXPECT_NE(open.err.find("can be written by others"), std::string::npos) << open.err;
  EXPECT_EQ(on("h", {"serve", "--daemon", "--port", "0"}).code, 3);
  std::filesystem::permissions(path("h"), std::filesystem::perms(0711));
  EXPECT_EQ(on("h", {"init"}).err, "");
}

TEST_F(CliRecordTest, ATerminalIsSentNoControlsWhateverTheFormat) {
  make_home("h", 0);
  const Ran made = on("h", {"intend",
                            "a\xC2\x9B"
                            "b\xF3\xA0\x81\x81",
                            "-o", "json"});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string id = text_of(json_of(made.out), "id");
  for (const char* format : {"text", "json", "stream-json"}) {
    Terminal terminal({spl_program(), "--home", path("h"), "record", "get", id, "-o", format}, {.columns = 400});
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_EQ(terminal.shown().find("\xC2\x9B"), std::string::npos) << format;
    EXPECT_EQ(terminal.shown().find("\xF3\xA0\x81\x81"), std::string::npos) << format;
    const bool is_json = std::string_view(format) != "text";
    EXPECT_NE(terminal.shown().find(is_json ? "a\\u009bb\\udb40\\udc41" : "a\\xc2\\x9bb"), std::string::npos)
        << terminal.shown();
    const Ran piped = on("h", {"record", "get", id, "-o", format});
    EXPECT_NE(piped.out.find("\xC2\x9B"), std::string::npos) << "a pipe gets every octet";
  }
}

TEST_F(CliInstanceTest, InitMakesAHomeOnceAndThenChangesNothing) {
  const codec::Json made = json_on("h", {"init"});
  EXPECT_TRUE(flag_of(made, "created"));
  EXPECT_EQ(text_of(made, "home"), path("h"));
  EXPECT_TRUE(text_of(made, "did").starts_with("did:key:z6Mk"));
  for (const char* name :
       {"config.toml", "contexts.toml", "hub.db", "identity", "secrets", "services", "data", "run", "logs"})
    EXPECT_TRUE(exists(path("h") + "/" + name)) << name;
  EXPECT_EQ(mode_of(path("h/identity")), 0700u);
  EXPECT_EQ(mode_of(path("h/identity/private_key.bin")), 0600u);
  const std::string key = read_file(path("h/identity/private_key.bin"));
  const codec::Json again = json_on("h", {"init"});
  EXPECT_FALSE(flag_of(again, "created"));
  EXPECT_EQ(text_of(again, "did"), text_of(made, "did"));
  EXPECT_EQ(read_file(path("h/identity/private_key.bin")), key);
  EXPECT_EQ(number_of(json_on("h", {"status"}), "record_count"), 0u);
}

TEST_F(CliInstanceTest, StatusHasExactlyTheContractsMembers) {
  make_home("h", 2);
  const codec::Json status = json_on("h", {"status"});
  EXPECT_EQ(members(status), (Words{"running", "port", "did", "version", "record_count", "thread_count",
                                    "federation_pairs", "consent_grants", "store", "home"}));
  EXPECT_FALSE(flag_of(status, "running"));
  EXPECT_TRUE(status.find("port")->is_null());
  EXPECT_EQ(number_of(status, "record_count"), 4u);
  EXPECT_EQ(number_of(status, "thread_count"), 2u);
  EXPECT_EQ(text_of(status, "store"), "sqlite:" + path("h/hub.db"));
  const Ran text = on("h", {"status"});
  EXPECT_NE(text.out.find("not running"), std::string::npos);
}

TEST_F(CliInstanceTest, CommandsOnAHomeThatIsNotThereSaySo) {
  for (const Words& words :
       {Words{"status"}, Words{"doctor"}, Words{"thread", "list"}, Words{"identity", "show"}, Words{"intend", "x"},
        Words{"export", "--out", path("b")}, Words{"token", "list"}, Words{"authority", "list"}}) {
    const Ran ran = on("none", words);
    EXPECT_EQ(ran.code, 1) << words[0] << ran.out << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err.find("there is no instance at " + path("none")), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("spl init"), std::string::npos);
    EXPECT_FALSE(exists(path("none")));
  }
  EXPECT_FALSE(exists(path("b")));
}

TEST_F(CliInstanceTest, AnEmptyDirectoryIsNoInstanceAndStaysEmpty) {
  std::filesystem::create_directory(path("empty"));
  for (const Words& words :
       {Words{"status"}, Words{"intend", "x"}, Words{"record", "put", "--ndjson"}, Words{"export", "--out", path("b")},
        Words{"authority", "endorse", std::string(64, 'a')}, Words{"token", "list"}}) {
    const Ran ran = on("empty", words);
    EXPECT_EQ(ran.code, 1) << words[0];
    EXPECT_EQ(ran.err,
              "spl: there is no instance at " + path("empty") + " — run spl init, or name another home with --home\n");
    EXPECT_TRUE(names_in(path("empty")).empty()) << words[0];
  }
}

TEST_F(CliInstanceTest, AHomeWithoutItsRunDirectoryIsWritten) {
  make_home("h", 1);
  for (const Words& words : {Words{"export", "--out", path("a.spl")}, Words{"intend", "x"}, Words{"record", "put"}}) {
    std::filesystem::remove_all(path("h/run"));
    const Ran ran = on("h", words, {.text = record_text("t", 0)});
    EXPECT_EQ(ran.code, 0) << words[0] << ran.err;
    EXPECT_EQ(mode_of(path("h/run")), 0711u);
  }
}

TEST_F(CliInstanceTest, AnIdentityIsMadeOnceAndShown) {
  make_home("h", 0);
  const Ran again = on("h", {"identity", "generate"});
  EXPECT_EQ(again.code, 3);
  const codec::Json shown = json_on("h", {"identity", "show"});
  EXPECT_EQ(members(shown), (Words{"did", "public_key_multibase", "created_at"}));
  EXPECT_EQ(text_of(shown, "did"), "did:key:" + text_of(shown, "public_key_multibase"));
  EXPECT_EQ(text_of(json_on("h", {"identity", "verify"}), "did"), text_of(shown, "did"));
  write_file(path("h/identity/private_key.bin"), std::string(32, 'x'));
  EXPECT_NE(on("h", {"identity", "verify"}).code, 0);
}

TEST_F(CliInstanceTest, RecordsAreReadWithoutTheKey) {
  make_home("h", 2);
  const std::string did = text_of(json_on("h", {"status"}), "did");
  std::filesystem::remove(path("h/identity/private_key.bin"));
  EXPECT_EQ(text_of(json_on("h", {"status"}), "did"), did);
  EXPECT_EQ(json_on("h", {"thread", "list"}).array()->size(), 2u);
  for (const Words& words : {Words{"identity", "show"}, Words{"identity", "verify"}, Words{"intend", "x"}}) {
    const Ran ran = on("h", words);
    EXPECT_EQ(ran.code, 1) << words[0];
    EXPECT_NE(ran.err.find("are not those of the instance's identity " + did), std::string::npos) << ran.err;
  }
  const Ran doctor = on("h", {"doctor"});
  EXPECT_EQ(doctor.code, 1);
  EXPECT_NE(doctor.out.find("stop  identity: "), std::string::npos) << doctor.out << doctor.err;
}

TEST_F(CliInstanceTest, AHomeThatCannotBeWrittenIsRead) {
  make_home("h", 1);
  const std::string home = path("h");
  // Root may write where the modes say no, but not to a mount that is read-only.
  const bool root = ::geteuid() == 0;
  if (root && shell("unshare -m true 2>/dev/null") != 0) GTEST_SKIP() << "no mount namespaces here";
  const std::string lock =
      root ? "mount --bind " + home + " " + home + " && mount -o remount,ro,bind " + home : "chmod -R a-w " + home;
  const std::string program = spl_program() + " --home " + home;
  const std::string commands = lock + " && " + program + " status >/dev/null && " + program +
                               " thread list >/dev/null && " + program + " identity show >/dev/null && " + program +
                               " doctor >/dev/null && ! " + program + " intend x 2>/dev/null";
  EXPECT_EQ(
      shell(root ? "unshare -m sh -c '" + commands + "'" : commands + "; r=$?; chmod -R u+w " + home + "; exit $r"), 0);
}

TEST_F(CliInstanceTest, DoctorFindsNothingWrongAndThenABrokenIdentity) {
  make_home("h", 1);
  const codec::Json findings = json_on("h", {"doctor"});
  ASSERT_NE(findings.array(), nullptr);
  ASSERT_FALSE(findings.array()->empty());
  for (const codec::Json& finding : *findings.array()) {
    EXPECT_EQ(members(finding), (Words{"check", "status", "subject", "message", "hint"}));
    EXPECT_EQ(text_of(finding, "status"), "ok");
  }
  EXPECT_EQ(std::system(("chmod 644 " + path("h/identity/private_key.bin")).c_str()), 0);
  const codec::Json broken = json_on("h", {"doctor"}, {}, 1);
  EXPECT_TRUE(std::ranges::any_of(*broken.array(), [](const codec::Json& finding) {
    return text_of(finding, "status") == "stop" && text_of(finding, "check") == "identity";
  }));
}

TEST_F(CliInstanceTest, AnIdentityThatTheStoreKnowsNothingOfIsBroken) {
  make_home("h", 1);
  const std::string did = text_of(json_on("h", {"status"}), "did");
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path("h/hub.db") + suffix);
  write_file(path("h/hub.db"), "");
  const std::string what = path("h/identity") + " holds the identity " + did +
                           ", of which the store sqlite:" + path("h/hub.db") +
                           " knows nothing — bring its store back or import its bundle; for a new identity, move the "
                           "directory away\n";
  const Ran doctor = on("h", {"doctor"});
  EXPECT_EQ(doctor.code, 1);
  EXPECT_NE(doctor.out.find("stop  identity: " + path("h") + ": " + what), std::string::npos) << doctor.out;
  EXPECT_NE(on("h", {"status"}).out.find("none; " + what), std::string::npos);
  for (const Words& words : {Words{"identity", "show"}, Words{"identity", "verify"}}) {
    const Ran ran = on("h", words);
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.err, "spl: " + what);
  }
}

TEST_F(CliInstanceTest, DoctorFindsDamagedRows) {
  make_home("h", 2);
  const auto finds = [this](const std::string& damage) {
    const std::string sql = "sqlite3 '" + path("h/hub.db") + "' \"UPDATE record_log SET " + damage + "\"";
    EXPECT_EQ(std::system(sql.c_str()), 0);
    const codec::Json findings = json_on("h", {"doctor"}, {}, 1);
    return std::ranges::any_of(*findings.array(), [](const codec::Json& finding) {
      return text_of(finding, "status") == "stop" && text_of(finding, "check") == "content addresses";
    });
  };
  EXPECT_TRUE(finds("canonical='{}' WHERE sequence=1"));
  EXPECT_TRUE(finds("id=x'00' WHERE sequence=1"));
}

TEST_F(CliRecordTest, WhatDoesNotHashToItsIdIsNotShown) {
  make_home("h", 2);
  const auto threads = json_on("h", {"thread", "list"});
  const std::string thread = text_of(threads.array()->front(), "thread");
  const std::string id = text_of(json_on("h", {"thread", "records", thread}).array()->front(), "id");
  const std::string sql =
      "sqlite3 '" + path("h/hub.db") + "' \"UPDATE record_log SET canonical=replace(canonical, 'text', 'TEXT')\"";
  ASSERT_EQ(std::system(sql.c_str()), 0);
  for (const Words& words : {Words{"record", "get", id}, Words{"thread", "records", thread},
                             Words{"thread", "records", thread, "-o", "json"}}) {
    const Ran ran = on("h", words);
    EXPECT_EQ(ran.code, 1) << words[1];
    EXPECT_NE(ran.err.find("the store holds other content under this id"), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out.find("TEXT"), std::string::npos) << ran.out;
  }
}

TEST_F(CliRecordTest, AnIntentionOpensAThreadThatWorkAndKnowledgeCloses) {
  make_home("h", 0);
  const codec::Json intended = json_on("h", {"intend", "move"});
  EXPECT_EQ(members(intended), (Words{"id", "thread"}));
  const std::string thread = text_of(intended, "thread");
  EXPECT_TRUE(thread.starts_with("th_") && thread.size() == 67) << thread;
  const auto state = [&] { return text_of(json_on("h", {"thread", "show", thread}), "state"); };
  EXPECT_EQ(state(), "open");
  const Ran done = on("h", {"do", "copied", "--thread", thread});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out.substr(64), " " + thread + "\n");
  EXPECT_EQ(state(), "active");
  EXPECT_EQ(on("h", {"know", "it runs", "--thread", thread, "--fulfills", text_of(intended, "id")}).code, 0);
  EXPECT_EQ(state(), "closed");
  EXPECT_EQ(on("h", {"learn", "slow", "--thread", thread, "--body", "{\"n\":1.50}", "--namespace", "a/b"}).code, 0);
  const codec::Json shown = json_on("h", {"thread", "show", thread});
  EXPECT_EQ(number_of(*shown.find("acts"), "LEARN"), 1u);
  EXPECT_EQ(number_of(shown, "records"), 4u);
}

TEST_F(CliRecordTest, TheInstancesRecordsAreSignedAndOthersAreNot) {
  make_home("h", 0);
  ASSERT_EQ(on("h", {"intend", "own", "--thread", "t"}).code, 0);
  ASSERT_EQ(on("h", {"do", "foreign", "--thread", "t", "--actor", "did:web:else.where"}).code, 0);
  const codec::Json records = json_on("h", {"thread", "records", "t"});
  ASSERT_EQ(records.array()->size(), 2u);
  std::size_t is_signed = 0;
  for (const codec::Json& item : *records.array()) {
    const bool own = text_of(*item.find("record"), "actor") == text_of(json_on("h", {"identity", "show"}), "did");
    EXPECT_EQ(members(item), own ? (Words{"id", "record", "sig"}) : (Words{"id", "record"}));
    is_signed += own ? 1 : 0;
  }
  EXPECT_EQ(is_signed, 1u);
}

TEST_F(CliRecordTest, EmissionsThatCannotBeAreRefused) {
  make_home("h", 1);
  EXPECT_EQ(on("h", {"intend", "x", "--body", "[1]"}).code, 2);
  EXPECT_NE(on("h", {"intend", "x", "--body", "{"}).code, 0);
  EXPECT_EQ(on("h", {"intend", "x", "--body", "{\"text\":1}"}).code, 2);
  EXPECT_NE(on("h", {"intend", "x", "--thread", "with\ncontrol"}).code, 0);
  EXPECT_NE(on("h", {"intend", "x", "--actor", ""}).code, 0);
  EXPECT_EQ(number_of(json_on("h", {"status"}), "record_count"), 2u);
}

TEST_F(CliRecordTest, WhatIsDoneOnNoThreadIsOnTheEmptyOne) {
  make_home("h", 0);
  for (const char* act : {"do", "know", "learn"}) EXPECT_EQ(text_of(json_on("h", {act, ""}), "thread"), "");
  const codec::Json records = json_on("h", {"thread", "records", ""});
  ASSERT_EQ(records.array()->size(), 3u);
  EXPECT_EQ(on("h", {"do", "x"}).out.substr(64), " (no thread)\n");
  EXPECT_EQ(text_of(*records.array()->front().find("record")->find("body"), "text"), "");
}

TEST_F(CliRecordTest, AThreadThatIsNotThereIsNamed) {
  make_home("h", 0);
  const std::string told = "spl: there is no thread \"NOPE\" — spl thread list shows the threads\n";
  const Ran shown = on("h", {"thread", "show", "NOPE"});
  EXPECT_EQ(shown.code, 1);
  EXPECT_EQ(shown.err, told);
  const Ran records = on("h", {"thread", "records", "NOPE"});
  EXPECT_EQ(records.code, 0);
  EXPECT_EQ(records.out, "");
  EXPECT_EQ(records.err, told);
  const Ran json = on("h", {"-o", "json", "thread", "records", "NOPE"});
  EXPECT_EQ(json.code, 0);
  EXPECT_EQ(json.out, "[]\n");
  EXPECT_EQ(json.err, "");
  EXPECT_EQ(error_message(json_on("h", {"thread", "show", "NOPE"}, {}, 1)), "there is no thread \"NOPE\"");
}

TEST_F(CliInstanceTest, DoctorTellsOfALogThatCannotBeWritten) {
  make_home("h", 0);
  EXPECT_EQ(on("h", {"doctor"}).out.find("log: "), std::string::npos);
  std::filesystem::remove_all(path("h/logs"));
  write_file(path("h/logs"), "");
  const Ran ran = on("h", {"doctor"});
  EXPECT_EQ(ran.code, 0) << "the instance is sound";
  EXPECT_NE(ran.out.find("warn  log: " + path("h/logs") + ": the daemon cannot write its log"), std::string::npos)
      << ran.out;
}

TEST_F(CliInstanceTest, JsonIsJsonWhateverTheHomesName) {
  const std::string home = "h\xFF\n";
  make_home(home, 1);
  EXPECT_EQ(text_of(json_on(home, {"status"}), "home"), path("h\\xff\\x0a"));
  EXPECT_EQ(text_of(json_on(home, {"init"}), "home"), path("h\\xff\\x0a"));
}

TEST_F(CliInstanceTest, DoctorCountsInWords) {
  make_home("h", 0);
  const std::string id = on("h", {"do", "signed"}).out.substr(0, 64);
  EXPECT_NE(on("h", {"doctor"}).out.find("content addresses: 1 record: every record"), std::string::npos);
  std::string forged = on("h", {"record", "get", id}).out;
  forged.replace(forged.find("\"text\":\"signed\""), 15, "\"text\":\"forged\"");
  ASSERT_EQ(on("h", {"record", "put"}, {.text = forged}).code, 0);
  const Ran doctor = on("h", {"doctor"});
  EXPECT_NE(doctor.out.find("warn  signatures: 1 record: the signature is not by the actor's key"), std::string::npos)
      << doctor.out;
  EXPECT_NE(doctor.out.find("content addresses: 2 records: "), std::string::npos) << doctor.out;
}

TEST_F(CliRecordTest, AnIdThatIsNotTheRecordsIsAFailedVerification) {
  make_home("h", 0);
  const std::string wrapped = "{\"id\":\"" + std::string(64, '0') + "\",\"record\":" + record_text("t", 1) + "}";
  EXPECT_EQ(on("h", {"record", "put"}, {.text = wrapped}).code, 4);
  EXPECT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = wrapped}).code, 4);
}

TEST_F(CliRecordTest, PutTakesOneDocumentOrManyLines) {
  make_home("h", 0);
  const codec::Json one =
      json_on("h", {"record", "put"}, {.text = "\n  {\n\"record\": " + record_text("t", 1) + "}\n\n"});
  EXPECT_EQ(members(one), (Words{"inserted", "deduplicated"}));
  EXPECT_EQ(number_of(one, "inserted"), 1u);
  const codec::Json many = json_on("h", {"record", "put", "--ndjson"}, {.text = put_text()});
  EXPECT_EQ(number_of(many, "inserted"), 100u);
  const codec::Json again = json_on("h", {"record", "put", "--ndjson"}, {.text = put_text()});
  EXPECT_EQ(number_of(again, "inserted"), 0u);
  EXPECT_EQ(number_of(again, "deduplicated"), 100u);
  const Ran text = on("h", {"record", "put", "--ndjson"}, {.text = record_text("t", 1) + "\n" + record_text("t", 2)});
  EXPECT_EQ(text.out, "1 inserted, 1 already there\n");
}

TEST_F(CliRecordTest, PutIsAllOrNothing) {
  make_home("h", 0);
  const std::string good = record_text("t", 1);
  for (const std::string& bad : {std::string("{"), record_text("t", 2) + "x",
                                 std::string("{\"id\":\"") + std::string(64, '0') + "\",\"record\":" + good + "}"}) {
    const Ran ran = on("h", {"record", "put", "--ndjson", "-o", "json"}, {.text = good + "\n" + bad + "\n"});
    EXPECT_NE(ran.code, 0) << bad;
    EXPECT_NE(error_message(json_of(ran.out)).find("line 2"), std::string::npos) << ran.out;
  }
  EXPECT_NE(on("h", {"record", "put"}, {.text = good + good}).code, 0);
  EXPECT_EQ(on("h", {"record", "put"}, {.text = " \n"}).code, 2);
  EXPECT_EQ(number_of(json_on("h", {"status"}), "record_count"), 0u);
  EXPECT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = ""}).out, "0 inserted, 0 already there\n");
}

TEST_F(CliRecordTest, GetPrintsExactlyWhatABundleHolds) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = put_text()}).code, 0);
  const codec::Json threads = json_on("h", {"thread", "list"});
  std::size_t seen = 0;
  for (const codec::Json& thread : *threads.array()) {
    const codec::Json records = json_on("h", {"thread", "records", "--", text_of(thread, "thread")});
    ASSERT_EQ(records.array()->size(), number_of(thread, "records"));
    for (const codec::Json& item : *records.array()) {
      if (++seen > 20) break;
      const Ran got = on("h", {"record", "get", text_of(item, "id")});
      EXPECT_EQ(got.code, 0);
      const codec::Json record = json_of(got.out);
      EXPECT_EQ(record.text().size() > 2, true);
      // The same again is the same record.
      EXPECT_EQ(on("h", {"record", "put"}, {.text = got.out}).out, "0 inserted, 1 already there\n");
      EXPECT_NE(got.out.back(), '\n');
    }
  }
  const Ran none = on("h", {"record", "get", std::string(64, '0')});
  EXPECT_EQ(none.code, 1);
  EXPECT_NE(none.err.find("there is no record"), std::string::npos);
}

TEST_F(CliRecordTest, ThreadsAreListedAsTextAsOneDocumentAndAsEvents) {
  make_home("h", 3);
  const codec::Json list = json_on("h", {"thread", "list"});
  ASSERT_EQ(list.array()->size(), 3u);
  for (const codec::Json& thread : *list.array())
    EXPECT_EQ(members(thread), (Words{"thread", "state", "records", "last_sequence"}));
  const Ran events = on("h", {"thread", "list", "-o", "stream-json"});
  const std::string last = events.out.substr(events.out.rfind('\n', events.out.size() - 2) + 1);
  EXPECT_EQ(text_of(json_of(last), "state"), "done");
  EXPECT_EQ(json_of(last).find("result")->text(), list.text());
  EXPECT_EQ(std::ranges::count(on("h", {"thread", "list"}).out, '\n'), 3);
  make_home("empty", 0);
  EXPECT_EQ(on("empty", {"thread", "list", "-o", "json"}).out, "[]\n");
  EXPECT_EQ(on("empty", {"thread", "list"}).out, "");
}

TEST_F(CliRecordTest, RecordsOfAThreadComeByClockThenId) {
  make_home("h", 0);
  std::string lines;
  for (const int clock : {5, 3, 9, 3, 0})
    lines += record_text("t", clock, clock == 3 ? "KNOW" : "DO", "{\"n\":" + std::to_string(lines.size()) + "}") + "\n";
  ASSERT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = lines}).code, 0);
  const codec::Json records = json_on("h", {"thread", "records", "t"});
  std::vector<std::pair<std::uint64_t, std::string>> order;
  for (const codec::Json& item : *records.array())
    order.emplace_back(number_of(*item.find("record"), "clock"), text_of(item, "id"));
  EXPECT_EQ(order.size(), 5u);
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(on("h", {"thread", "records", "none", "-o", "json"}).out, "[]\n");
  EXPECT_EQ(on("h", {"thread", "show", "none"}).code, 1);
}

TEST_F(CliRecordTest, ForeignTextIsShownWithoutWhatATerminalWouldActOn) {
  make_home("h", 0);
  const std::string evil = record_text("t\xE2\x80\xAEx", 0, "DO", "{\"text\":\"\\u001b[2J\\u009b\\n\\u202e \\\" x\"}");
  ASSERT_EQ(on("h", {"record", "put"}, {.text = evil}).code, 0);
  for (const Words& words : {Words{"thread", "list"}, Words{"thread", "records", "t\xE2\x80\xAEx"},
                             Words{"thread", "show", "t\xE2\x80\xAEx"}}) {
    const Ran ran = on("h", words);
    EXPECT_EQ(ran.code, 0);
    for (const char* part : {"\x1b", "\xC2\x9B", "\xE2\x80\xAE"})
      EXPECT_EQ(ran.out.find(part), std::string::npos) << ran.out;
  }
  EXPECT_EQ(std::ranges::count(on("h", {"thread", "records", "t\xE2\x80\xAEx"}).out, '\n'), 1);
}

TEST_F(CliRecordTest, ForeignRecordsOnReservedThreadsTakeEffectWhenEndorsed) {
  make_home("h", 0);
  ASSERT_EQ(on("h", {"record", "put"}, {.text = record_text("th_consent", 0, "LEARN", "{\"kind\":\"x\"}")}).code, 0);
  const codec::Json list = json_on("h", {"authority", "list"});
  ASSERT_EQ(list.array()->size(), 1u);
  EXPECT_EQ(members(list.array()->front()), (Words{"id", "thread", "actor", "act", "reason"}));
  const std::string id = text_of(list.array()->front(), "id");
  EXPECT_NE(on("h", {"authority", "list"}).out.find(id), std::string::npos);
  const std::string doctor = on("h", {"doctor"}).out;
  EXPECT_NE(doctor.find(id), std::string::npos) << doctor;
  EXPECT_NE(doctor.find("th_consent takes no effect"), std::string::npos) << doctor;
  const codec::Json endorsed = json_on("h", {"authority", "endorse", id});
  EXPECT_EQ(endorsed.find("endorsed")->array()->size(), 1u);
  EXPECT_EQ(on("h", {"authority", "list", "-o", "json"}).out, "[]\n");
  EXPECT_EQ(on("h", {"authority", "endorse", std::string(64, '0')}).code, 2);
}

TEST_F(CliAccessTest, AccountsAreMadeListedAndRevoked) {
  make_home("h", 0);
  const codec::Json made = json_on("h", {"service-account", "create", "ci", "--scope", "records:write", "--scope",
                                         "records:read", "--actor", "did:web:ci"});
  EXPECT_EQ(members(made), (Words{"name", "scopes", "actors", "active"}));
  EXPECT_EQ(on("h", {"service-account", "create", "ci", "--scope", "admin"}).code, 3);
  EXPECT_EQ(on("h", {"service-account", "create", "c2", "--scope", "everything"}).code, 2);
  EXPECT_EQ(on("h", {"service-account", "create", "UP", "--scope", "admin"}).code, 2);
  EXPECT_EQ(on("h", {"service-account", "list", "-o", "json"}).out, "[" + made.text() + "]\n");
  EXPECT_EQ(on("h", {"service-account", "revoke", "ci"}).code, 0);
  EXPECT_EQ(on("h", {"service-account", "revoke", "ci"}).code, 2);
  EXPECT_FALSE(flag_of(json_on("h", {"service-account", "list"}).array()->front(), "active"));
}

TEST_F(CliAccessTest, ATokenIsShownOnceAndRevokedByItsId) {
  make_home("h", 0);
  const Ran account = on("h", {"service-account", "create", "ci", "--scope", "records:read"});
  ASSERT_EQ(account.code, 0);
  EXPECT_NE(account.out.find("actors none"), std::string::npos) << account.out;
  const codec::Json made = json_on("h", {"token", "create", "ci", "--expires", "90d", "--env", "test"});
  EXPECT_EQ(members(made), (Words{"token", "id", "account", "scopes", "created_at", "expires_at"}));
  EXPECT_TRUE(text_of(made, "token").starts_with("spl_test_ci_"));
  const Ran text = on("h", {"token", "create", "ci"});
  EXPECT_EQ(text.code, 0);
  EXPECT_TRUE(text.out.starts_with("spl_prod_ci_"));
  EXPECT_EQ(std::ranges::count(text.out, '\n'), 1);
  EXPECT_NE(text.err, "");
  const Ran list = on("h", {"token", "list", "-o", "json"});
  const codec::Json tokens = json_of(list.out);
  EXPECT_EQ(tokens.array()->size(), 2u);
  EXPECT_EQ(list.out.find(text_of(made, "token")), std::string::npos);
  EXPECT_EQ(members(tokens.array()->front()), (Words{"id", "account", "scopes", "created_at", "expires_at"}));
  EXPECT_EQ(on("h", {"token", "revoke", text_of(made, "id").substr(0, 10)}).code, 0);
  EXPECT_EQ(on("h", {"token", "revoke", text_of(made, "id")}).code, 2);
  EXPECT_EQ(json_on("h", {"token", "list"}).array()->size(), 1u);
  EXPECT_EQ(on("h", {"token", "create", "ci", "--expires", "soon"}).code, 2);
  EXPECT_EQ(on("h", {"token", "create", "ci", "--expires", "0d"}).code, 2);
  EXPECT_EQ(on("h", {"token", "create", "ci", "--scope", "admin"}).code, 2);
  EXPECT_EQ(on("h", {"token", "create", "nobody"}).code, 2);
}

}  // namespace
}  // namespace spl::cli_test
