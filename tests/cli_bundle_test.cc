// Export, import and the tools that look into bundles.
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <regex>
#include <set>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using CliExportTest = CliTest;
using CliImportTest = CliTest;
using CliBundleTest = CliTest;

const Words kExportMembers{"path",         "bytes",        "source_did",       "bundle_sha256",  "encrypted",
                           "record_count", "thread_count", "federation_pairs", "consent_grants", "identity",
                           "services",     "pause_ms",     "consistency",      "seconds"};
const Words kImportMembers{
    "dry_run",           "source_did",     "signer",  "records_inspected", "records_inserted", "records_deduplicated",
    "records_differing", "records_failed", "threads", "federation_pairs",  "consent_grants",   "identity",
    "services",          "preflight",      "seconds"};

std::uint64_t error_code(const codec::Json& json) {
  return json.find("error") == nullptr ? 0 : number_of(*json.find("error"), "exit");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST_F(CliExportTest, TheReportHasExactlyTheContractsMembers) {
  make_home("h", 2);
  const codec::Json report = json_on("h", {"export", "--out", path("a.spl")});
  EXPECT_EQ(members(report), kExportMembers);
  EXPECT_EQ(text_of(report, "path"), path("a.spl"));
  EXPECT_EQ(number_of(report, "bytes"), read_file(path("a.spl")).size());
  EXPECT_EQ(number_of(report, "record_count"), 4u);
  EXPECT_EQ(number_of(report, "thread_count"), 2u);
  EXPECT_EQ(text_of(report, "identity"), "included");
  EXPECT_FALSE(flag_of(report, "encrypted"));
  EXPECT_EQ(report.find("services")->text(), "[]");
  EXPECT_EQ(mode_of(path("a.spl")), 0600u);
  EXPECT_EQ(text_of(report, "source_did"), text_of(json_on("h", {"identity", "show"}), "did"));
  // An unchanged instance gives the same digest.
  EXPECT_EQ(text_of(json_on("h", {"export", "--out", path("b.spl")}), "bundle_sha256"),
            text_of(report, "bundle_sha256"));
}

TEST_F(CliExportTest, ThePrivateKeyIsSpokenOf) {
  make_home("h", 1);
  const Ran plain = on("h", {"export", "--out", path("a")});
  EXPECT_EQ(lines_of(plain.err).size(), 1u) << plain.err;
  EXPECT_NE(plain.err.find("private key"), std::string::npos);
  EXPECT_NE(plain.err.find("not encrypted"), std::string::npos);
  EXPECT_EQ(lines_of(plain.out).size(), 1u);
  const Ran without = on("h", {"export", "--out", path("b"), "--no-identity"});
  EXPECT_EQ(without.code, 0);
  EXPECT_EQ(without.err, "");
  write_file(path("pass"), "correct horse\n");
  const Ran sealed = on("h", {"export", "--out", path("c"), "--passphrase-file", path("pass")});
  EXPECT_EQ(sealed.code, 0) << sealed.err;
  EXPECT_NE(sealed.err.find(", encrypted"), std::string::npos) << sealed.err;
}

TEST_F(CliExportTest, StandardOutputGetsTheBundleAndNothingElse) {
  make_home("h", 1);
  const Ran ran = on("h", {"export", "--out", "-", "-o", "json"});
  EXPECT_EQ(ran.code, 0);
  write_file(path("a.spl"), ran.out);
  EXPECT_EQ(run({"bundle", "verify", path("a.spl")}).code, 0);
  const auto notes = lines_of(ran.err);
  ASSERT_EQ(notes.size(), 2u) << ran.err;
  const codec::Json report = json_of(notes[1]);
  EXPECT_EQ(members(report), kExportMembers);
  EXPECT_EQ(number_of(report, "bytes"), ran.out.size());
}

TEST_F(CliExportTest, OrdinaryToolsOpenTheBundle) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"export", "--out", path("a.tar.zst")}).code, 0);
  ASSERT_EQ(on("h", {"export", "--out", path("a.tar"), "--uncompressed"}).code, 0);
  EXPECT_EQ(shell("tar -tf " + path("a.tar.zst") + " >" + path("list1")), 0);
  EXPECT_EQ(shell("tar -tf " + path("a.tar") + " >" + path("list2")), 0);
  const std::string list = run({"bundle", "list", path("a.tar.zst")}).out;
  EXPECT_EQ(read_file(path("list1")), list);
  EXPECT_EQ(read_file(path("list2")), list);
  EXPECT_EQ(run({"bundle", "list", path("a.tar")}).out, list);
}

TEST_F(CliExportTest, ATargetThatIsNoRegularFileIsRefused) {
  make_home("h", 1);
  ASSERT_EQ(::mkdir(path("dir").c_str(), 0700), 0);
  ASSERT_EQ(::symlink("elsewhere", path("link").c_str()), 0);
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  for (const std::string& target : {path("link"), path("fifo"), std::string("/dev/null"), std::string("")}) {
    for (const char* option : {"--force", "--uncompressed"}) {
      const Ran ran = on("h", {"export", "--out", target, option});
      EXPECT_EQ(ran.code, 2) << target << ran.err;
    }
  }
  EXPECT_EQ(on("h", {"export", "--out", path("no/such/dir")}).code, 1);
  EXPECT_TRUE(names_in(path("dir")).empty());
  EXPECT_EQ(names_in(path("")), (Words{"dir", "fifo", "h", "link"}));
}

TEST_F(CliExportTest, AFileThatIsThereIsReplacedWholeOrStays) {
  make_home("h", 1);
  write_file(path("a"), "old");
  EXPECT_EQ(shell("chmod 644 " + path("a")), 0);
  const Ran kept = on("h", {"export", "--out", path("a"), "-o", "json"});
  EXPECT_EQ(kept.code, 3);
  EXPECT_EQ(text_of(*json_of(kept.out).find("error"), "code"), "FILE_EXISTS");
  EXPECT_NE(kept.err.find("is there already — choose another name, or replace it with --force"), std::string::npos);
  EXPECT_EQ(on("h", {"export", "--force", "--out", path("a"), "--spool", path("nowhere")}).code, 1);
  EXPECT_EQ(read_file(path("a")), "old");
  EXPECT_EQ(on("h", {"export", "--force", "--out", path("a")}).code, 0);
  EXPECT_EQ(mode_of(path("a")), 0600u);
  EXPECT_EQ(run({"bundle", "verify", path("a")}).code, 0);
  EXPECT_EQ(names_in(path("")), (Words{"a", "h"}));
}

TEST_F(CliExportTest, ADirectoryGetsAFileNamedAfterDidAndTime) {
  make_home("h", 1);
  const std::string did = text_of(json_on("h", {"identity", "show"}), "did");
  ASSERT_EQ(::mkdir(path("dir").c_str(), 0700), 0);
  std::set<std::string> made;
  for (const std::string& target : {path("dir"), path("dir/"), path("dir")}) {
    const std::string file = text_of(json_on("h", {"export", "--out", target}), "path");
    EXPECT_TRUE(
        std::regex_match(file, std::regex(path("dir/") + did.substr(did.size() - 8) + "-[0-9]{8}T[0-9]{6}Z\\.spl")))
        << file;
    EXPECT_EQ(run({"bundle", "verify", file}).code, 0);
    made.insert(file);
  }
  EXPECT_EQ(made.size(), 3u);
  EXPECT_EQ(names_in(path("dir")).size(), 3u);
  const Ran relative = on("h", {"export", "--out", "."}, {.directory = path("dir")});
  EXPECT_TRUE(relative.out.starts_with("wrote ./" + did.substr(did.size() - 8) + "-")) << relative.out << relative.err;
}

TEST_F(CliExportTest, AnInstanceWithoutIdentityIsRefused) {
  Process daemon({"--home", path("h"), "serve", "--port", "0"});
  ASSERT_TRUE(daemon.wait_for_output("serving"));
  ::kill(daemon.pid(), SIGTERM);
  ASSERT_EQ(daemon.wait().code, 0);
  const codec::Json refused = json_on("h", {"export", "--out", path("a")}, {}, 3);
  EXPECT_EQ(error_code(refused), 3u);
  EXPECT_EQ(on("h", {"export", "--out", path("")}).code, 3);
  EXPECT_EQ(names_in(path("")), (Words{"h"}));
}

TEST_F(CliExportTest, ContradictionsOfEncryptionAreWrongUse) {
  make_home("h", 1);
  write_file(path("pass"), "x\n");
  write_file(path("empty"), "\nsecond line\n");
  EXPECT_EQ(on("h", {"export", "--out", path("a"), "--plaintext", "--passphrase-file", path("pass")}).code, 2);
  EXPECT_EQ(on("h", {"export", "--out", path("a"), "--passphrase-file", path("empty")}).code, 2);
  EXPECT_EQ(on("h", {"export", "--out", path("a"), "--passphrase-file", path("none")}).code, 1);
  EXPECT_FALSE(exists(path("a")));
}

TEST_F(CliExportTest, AMoveEndsTheWritesUntilItIsTakenBack) {
  for (const bool served : {false, true}) {
    SCOPED_TRACE(served ? "with a daemon" : "without a daemon");
    const std::string home = served ? "served" : "h";
    make_home(home, 1);
    if (served) start_daemon(home);
    EXPECT_EQ(on(home, {"export", "--move", "--out", "-"}).code, 2);
    EXPECT_EQ(on(home, {"export", "--move", "--out", path("x/y/z")}).code, 1);
    EXPECT_EQ(on(home, {"do", "x", "--thread", "t"}).code, 0) << "nothing was durable";
    EXPECT_EQ(on(home, {"export", "--move", "--out", path(home + ".spl")}).code, 0);
    const Ran refused = on(home, {"do", "x", "--thread", "t"});
    EXPECT_EQ(refused.code, 3);
    EXPECT_NE(refused.err.find("this instance has moved"), std::string::npos) << refused.err;
    EXPECT_NE(on(home, {"status"}).out.find("moved:"), std::string::npos);
    EXPECT_TRUE(flag_of(json_on(home, {"move", "cancel"}), "cancelled"));
    EXPECT_FALSE(flag_of(json_on(home, {"move", "cancel"}), "cancelled"));
    EXPECT_EQ(on(home, {"do", "x", "--thread", "t"}).code, 0);
  }
}

TEST_F(CliImportTest, IntoAnEmptyHomeTheInstanceIsTheSame) {
  make_home("h", 3);
  const codec::Json exported = json_on("h", {"export", "--out", path("a.spl")});
  const codec::Json imported = json_on("n", {"import", path("a.spl")});
  EXPECT_EQ(members(imported), kImportMembers);
  EXPECT_FALSE(flag_of(imported, "dry_run"));
  EXPECT_EQ(number_of(imported, "records_inserted"), 6u);
  EXPECT_EQ(number_of(imported, "threads"), 3u);
  EXPECT_EQ(text_of(imported, "identity"), "adopted");
  EXPECT_EQ(text_of(json_on("n", {"export", "--out", path("b.spl")}), "bundle_sha256"),
            text_of(exported, "bundle_sha256"));
  EXPECT_EQ(on("n", {"thread", "list", "-o", "json"}).out, on("h", {"thread", "list", "-o", "json"}).out);
  const codec::Json again = json_on("n", {"import", path("a.spl")});
  EXPECT_EQ(number_of(again, "records_deduplicated"), 6u);
  EXPECT_EQ(text_of(again, "identity"), "same");
}

TEST_F(CliImportTest, ADryRunChangesNothingAndMakesNoHome) {
  make_home("h", 2);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  const codec::Json dry = json_on("n", {"import", path("a.spl"), "--dry-run"});
  EXPECT_TRUE(flag_of(dry, "dry_run"));
  EXPECT_EQ(number_of(dry, "records_inserted"), 4u);
  EXPECT_FALSE(exists(path("n")));
  const Ran text = on("n", {"import", path("a.spl"), "--dry-run"});
  EXPECT_NE(text.out.find("would insert 4 records"), std::string::npos) << text.out;
  make_home("m", 0);
  EXPECT_EQ(on("m", {"import", path("a.spl"), "--dry-run"}).code, 0);
  EXPECT_EQ(number_of(json_on("m", {"status"}), "record_count"), 0u);
}

TEST_F(CliImportTest, AStoreWithRecordsIsLeftAloneUnlessItIsForced) {
  make_home("h", 2);
  make_home("m", 1);
  ASSERT_EQ(on("m", {"do", "other", "--thread", "only-here"}).code, 0);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  const std::string wanted = "import refused: local store has 3 records; pass --force-overwrite to import anyway";
  for (const Words& words : {Words{"import", path("a.spl")}, Words{"import", path("a.spl"), "--dry-run"}}) {
    const Ran ran = on("m", words);
    EXPECT_EQ(ran.code, 3);
    EXPECT_NE(ran.err.find(wanted), std::string::npos) << ran.err;
    EXPECT_EQ(lines_of(ran.err).size(), 1u);
  }
  const codec::Json refused = json_on("m", {"import", path("a.spl")}, {}, 3);
  EXPECT_EQ(members(refused), (Words{"error", "preflight"}));
  EXPECT_EQ(text_of(*refused.find("error"), "message"), wanted);
  EXPECT_EQ(number_of(json_on("m", {"status"}), "record_count"), 3u);
  const codec::Json forced = json_on("m", {"import", path("a.spl"), "--force-overwrite", "--records", "merge"});
  EXPECT_EQ(number_of(forced, "records_inserted"), 4u);
  EXPECT_EQ(text_of(forced, "identity"), "kept");
  EXPECT_EQ(number_of(json_on("m", {"status"}), "record_count"), 7u);
}

TEST_F(CliImportTest, ABundleWithoutIdentityIsRefused) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl"), "--no-identity"}).code, 0);
  const Ran ran = on("n", {"import", path("a.spl")});
  EXPECT_EQ(ran.code, 3);
  EXPECT_NE(ran.err.find("import refused: bundle has no identity (exported with --no-identity)"), std::string::npos)
      << ran.err;
  EXPECT_FALSE(exists(path("n")));
}

TEST_F(CliImportTest, ADamagedBundleIsCode4AndChangesNothing) {
  make_home("h", 2);
  ASSERT_EQ(on("h", {"export", "--out", path("a.tar"), "--uncompressed"}).code, 0);
  const std::string good = read_file(path("a.tar"));
  const auto check = [&](const std::string& bytes, const std::string& message) {
    write_file(path("bad"), bytes);
    const Ran ran = on("n", {"import", path("bad")});
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_NE(ran.err.find(message), std::string::npos) << ran.err;
    EXPECT_FALSE(exists(path("n")));
    EXPECT_EQ(run({"bundle", "verify", path("bad")}).code, 4);
  };
  std::string bytes = good;
  bytes.at(bytes.find("\"record_count\": 4") + 16) = '5';
  check(bytes, "signature verification failed");
  bytes = good;
  bytes.at(bytes.find("\"text\":\"begin\"") + 9) = 'B';
  check(bytes, "bundle malformed: records/");
  check(good.substr(0, good.size() - 10240), "bundle malformed");
  check(good + std::string(512, '\0'), "bundle malformed");
  check("", "bundle malformed");
  check("no bundle at all", "bundle malformed");
}

TEST_F(CliImportTest, StandardInputAndPipesAreRead) {
  make_home("h", 2);
  const Ran exported = on("h", {"export", "--out", "-"});
  EXPECT_EQ(on("n", {"import", "-"}, {.text = exported.out}).code, 0);
  EXPECT_EQ(number_of(json_on("n", {"status"}), "record_count"), 4u);
  const std::string& program = spl_program();
  EXPECT_EQ(shell(program + " --home " + path("h") + " export --out - 2>/dev/null | " + program + " --home " +
                  path("p") + " import - >/dev/null"),
            0);
  EXPECT_EQ(shell("bash -c '" + program + " --home " + path("q") + " import <(cat " + path("a") + ")' >/dev/null 2>&1"),
            4);
  EXPECT_EQ(on("n", {"import", path("none")}).code, 1);
}

// The two take turns at the home: the import is not to wait for the export that waits for it.
TEST_F(CliImportTest, AnExportCanBePipedIntoAnImportOfItsOwnHome) {
  make_home("h", 2);
  std::string lines;
  for (int i = 0; i < 3000; ++i) lines += record_text("th_many", i) + "\n";
  ASSERT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = lines}).code, 0);
  const std::string program = spl_program() + " --home " + path("h");
  EXPECT_EQ(shell("bash -c 'set -o pipefail; timeout 20 " + program + " export --uncompressed --out - 2>/dev/null | " +
                  "timeout 20 " + program + " import - >/dev/null'"),
            0);
}

TEST_F(CliImportTest, OneThingComesFromStandardInput) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  for (const Words& words : {Words{"bundle", "verify", "-", "--age-identity", "-"},
                             Words{"import", "-", "--passphrase-file", "-"}, Words{"bundle", "diff", "-", "-"},
                             Words{"bundle", "show", path("a.spl"), "--age-identity", "-", "--passphrase-file", "-"}})
    EXPECT_EQ(run(words, {.text = "x"}).code, 2) << words[1];
}

TEST_F(CliImportTest, AnEncryptedBundleNeedsItsKey) {
  if (shell("command -v age-keygen >/dev/null && command -v age >/dev/null") != 0)
    GTEST_SKIP() << "age is not installed";
  make_home("h", 2);
  ASSERT_EQ(shell("age-keygen -o " + path("key") + " 2>" + path("pub")), 0);
  ASSERT_EQ(shell("age-keygen -o " + path("other") + " 2>/dev/null"), 0);
  const std::string pub = read_file(path("pub"));
  const std::string recipient = pub.substr(pub.find("age1"), pub.find_last_not_of('\n') + 1 - pub.find("age1"));
  const codec::Json report = json_on("h", {"export", "--out", path("a.spl"), "--recipient", recipient});
  EXPECT_TRUE(flag_of(report, "encrypted"));
  EXPECT_EQ(shell("age -d -i " + path("key") + " " + path("a.spl") + " | zstd -dc >" + path("a.tar")), 0);
  EXPECT_EQ(run({"bundle", "verify", path("a.tar")}).code, 0);
  const Ran without = on("n", {"import", path("a.spl")});
  EXPECT_EQ(without.code, 4);
  EXPECT_NE(without.err.find("bundle is encrypted: give --age-identity or --passphrase-file"), std::string::npos);
  EXPECT_EQ(on("n", {"import", path("a.spl"), "--age-identity", path("other")}).code, 4);
  EXPECT_EQ(run({"bundle", "verify", path("a.spl")}).code, 4);
  EXPECT_EQ(on("n", {"import", path("a.spl"), "--age-identity", path("pub")}).code, 2);
  EXPECT_FALSE(exists(path("n")));
  EXPECT_EQ(on("n", {"import", path("a.spl"), "--age-identity", path("other"), "--age-identity", path("key")}).code, 0);
  for (const Words& words : {Words{"show"}, Words{"verify"}, Words{"list"}}) {
    EXPECT_EQ(run({"bundle", words[0], path("a.spl"), "--age-identity", path("key")}).code, 0) << words[0];
  }
}

TEST_F(CliImportTest, APassphraseOpensWhatItClosed) {
  make_home("h", 1);
  write_file(path("pass"), "correct horse\n");
  write_file(path("more"), "correct horse\nignored\n");
  write_file(path("wrong"), "battery staple\n");
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl"), "--passphrase-file", path("pass")}).code, 0);
  EXPECT_EQ(on("n", {"import", path("a.spl"), "--passphrase-file", path("wrong")}).code, 4);
  EXPECT_EQ(run({"bundle", "verify", path("a.spl"), "--passphrase-file", "-"}, {.text = "correct horse"}).code, 0);
  EXPECT_EQ(on("n", {"import", path("a.spl"), "--passphrase-file", path("more")}).code, 0);
}

TEST_F(CliBundleTest, ShowIsTheManifest) {
  make_home("h", 2);
  ASSERT_EQ(on("h", {"export", "--out", path("a.tar"), "--uncompressed"}).code, 0);
  const Ran json = run({"bundle", "show", path("a.tar"), "-o", "json"});
  EXPECT_EQ(json.code, 0);
  EXPECT_NE(read_file(path("a.tar")).find(json.out.substr(0, json.out.size() - 1)), std::string::npos);
  EXPECT_EQ(number_of(json_of(json.out), "record_count"), 4u);
  const Ran event = run({"bundle", "show", path("a.tar"), "-o", "stream-json"});
  EXPECT_EQ(lines_of(event.out).size(), 1u);
  const Ran text = run({"bundle", "show", path("a.tar")});
  EXPECT_NE(text.out.find("4 in 2 threads"), std::string::npos) << text.out;
}

TEST_F(CliBundleTest, VerifyCountsAndChecksSignaturesWhereItIsAsked) {
  make_home("h", 2);
  ASSERT_EQ(on("h", {"do", "unsigned", "--thread", "t", "--actor", "did:web:else"}).code, 0);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  const codec::Json plain = json_of(run({"bundle", "verify", path("a.spl"), "-o", "json"}).out);
  EXPECT_TRUE(flag_of(plain, "verified"));
  EXPECT_EQ(number_of(plain, "record_count"), 5u);
  EXPECT_EQ(number_of(plain, "files"), 7u);
  EXPECT_EQ(plain.find("signatures"), nullptr);
  const codec::Json checked = json_of(run({"bundle", "verify", path("a.spl"), "--signatures", "-o", "json"}).out);
  EXPECT_EQ(checked.find("signatures")->text(), "{\"valid\":4,\"invalid\":0,\"absent\":1}");

  std::string wrong = on("h", {"record", "get", on("h", {"do", "signed", "--thread", "t"}).out.substr(0, 64)}).out;
  wrong.replace(wrong.find("\"text\":\"signed\""), 15, "\"text\":\"forged\"");
  ASSERT_EQ(on("h", {"record", "put"}, {.text = wrong}).code, 0);
  ASSERT_EQ(on("h", {"export", "--out", path("b.spl")}).code, 0);
  EXPECT_EQ(run({"bundle", "verify", path("b.spl")}).code, 0);
  const Ran ran = run({"bundle", "verify", path("b.spl"), "--signatures", "-o", "json"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(json_of(ran.out).find("signatures")->text(), "{\"valid\":5,\"invalid\":1,\"absent\":1}");
  EXPECT_EQ(error_code(json_of(ran.out)), 4u);
}

TEST_F(CliBundleTest, ListAndExtractGoByPrefix) {
  make_home("h", 2);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  const auto all = lines_of(run({"bundle", "list", path("a.spl")}).out);
  EXPECT_EQ(all.size(), 8u);
  EXPECT_EQ(all[0], "manifest.json");
  EXPECT_EQ(all[1], "manifest.sig");
  const auto records = lines_of(run({"bundle", "list", path("a.spl"), "records/th_test0/"}).out);
  ASSERT_EQ(records.size(), 2u);
  const codec::Json json = json_of(run({"bundle", "list", path("a.spl"), "identity/", "-o", "json"}).out);
  EXPECT_EQ(json.array()->size(), 2u);
  EXPECT_EQ(members(json.array()->front()), (Words{"path", "bytes"}));

  const Ran extracted = run({"bundle", "extract", path("a.spl"), "records/th_test0/", "--to", path("x")});
  EXPECT_EQ(extracted.code, 0) << extracted.err;
  EXPECT_EQ(names_in(path("x/records/th_test0")).size(), 2u);
  const std::string id = records[0].substr(records[0].rfind('/') + 1, 64);
  EXPECT_EQ(read_file(path("x/") + records[0]), on("h", {"record", "get", id}).out);
  EXPECT_EQ(mode_of(path("x")), 0700u);
  EXPECT_EQ(mode_of(path("x/") + records[0]), 0600u);
  EXPECT_FALSE(exists(path("x/identity")));
}

TEST_F(CliBundleTest, AWholeExtractChecksByTheWrittenRecipe) {
  make_home("h", 2);
  const codec::Json report = json_on("h", {"export", "--out", path("a.spl")});
  ASSERT_EQ(::mkdir(path("x").c_str(), 0700), 0);
  ASSERT_EQ(run({"bundle", "extract", path("a.spl"), "", "--to", path("x/")}).code, 0);
  EXPECT_EQ(read_file(path("x/manifest.sig")).size(), 64u);
  ASSERT_EQ(shell("cd " + path("x") +
                  " && find . -type f ! -path ./manifest.json ! -path ./manifest.sig -printf '%P\\0' | "
                  "LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum | cut -c1-64 >" +
                  path("sum")),
            0);
  EXPECT_EQ(read_file(path("sum")), text_of(report, "bundle_sha256") + "\n");
}

TEST_F(CliBundleTest, ExtractReadsAPipe) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  ASSERT_EQ(run({"bundle", "extract", path("a.spl"), "", "--to", path("from-file")}).code, 0);
  const Ran piped = run({"bundle", "extract", "-", "", "--to", path("from-pipe")}, {read_file(path("a.spl"))});
  ASSERT_EQ(piped.code, 0) << piped.err;
  EXPECT_EQ(shell("diff -r " + path("from-file") + " " + path("from-pipe")), 0);
}

TEST_F(CliBundleTest, ExtractLeavesNothingBehindWhereItFails) {
  make_home("h", 2);
  ASSERT_EQ(on("h", {"export", "--out", path("a.tar"), "--uncompressed"}).code, 0);
  std::string bytes = read_file(path("a.tar"));
  bytes.at(bytes.rfind("\"text\":\"go on\"") + 9) = 'G';
  write_file(path("bad.tar"), bytes);
  write_file(path("file"), "x");
  ASSERT_EQ(::mkdir(path("full").c_str(), 0700), 0);
  write_file(path("full/mine"), "x");
  const auto before = names_in(path(""));
  EXPECT_EQ(run({"bundle", "extract", path("bad.tar"), "records/", "--to", path("x")}).code, 4);
  EXPECT_EQ(run({"bundle", "extract", path("a.tar"), "nothing/", "--to", path("x")}).code, 1);
  EXPECT_EQ(run({"bundle", "extract", path("a.tar"), "records/", "--to", path("file")}).code, 2);
  EXPECT_EQ(run({"bundle", "extract", path("a.tar"), "records/", "--to", path("full")}).code, 2);
  EXPECT_EQ(run({"bundle", "extract", path("a.tar"), "records/", "--to", path("no/such")}).code, 1);
  EXPECT_EQ(names_in(path("")), before);
  EXPECT_EQ(names_in(path("full")), (Words{"mine"}));
}

TEST_F(CliBundleTest, DiffSaysWhatDiffers) {
  make_home("h", 2);
  ASSERT_EQ(on("h", {"export", "--out", path("a")}).code, 0);
  ASSERT_EQ(on("h", {"export", "--out", path("b"), "--uncompressed"}).code, 0);
  EXPECT_EQ(run({"bundle", "diff", path("a"), path("b")}).code, 0);
  const codec::Json same = json_of(run({"bundle", "diff", path("a"), path("b"), "-o", "json"}).out);
  EXPECT_TRUE(flag_of(same, "same"));
  EXPECT_EQ(members(same),
            (Words{"same", "only_a", "only_b", "differ", "truncated", "counts", "sections", "services", "parts"}));
  const std::string added = on("h", {"do", "more", "--thread", "th_test1"}).out.substr(0, 64);
  ASSERT_EQ(on("h", {"export", "--out", path("c"), "--no-identity"}).code, 0);
  const Ran text = run({"bundle", "diff", path("a"), path("c")});
  EXPECT_EQ(text.code, 7);
  EXPECT_EQ(text.err, "");
  EXPECT_EQ(text.out, "- identity/did_document.json\n- identity/private_key.bin\n+ records/th_test1/" + added +
                          ".json\n2 only in the first, 1 only in the second, 0 differ\n");
  const Ran ran = run({"bundle", "diff", path("c"), path("a"), "-o", "json"});
  EXPECT_EQ(ran.code, 7);
  const codec::Json json = json_of(ran.out);
  EXPECT_FALSE(flag_of(json, "same"));
  EXPECT_FALSE(flag_of(json, "truncated"));
  EXPECT_EQ(json.find("only_a")->array()->size(), 1u);
  EXPECT_EQ(json.find("only_b")->array()->size(), 2u);
  EXPECT_EQ(json.find("sections")->text(),
            "[{\"prefix\":\"identity/\",\"status\":\"only_b\"},{\"prefix\":\"records/\",\"status\":\"differs\"}]");
  EXPECT_EQ(run({"bundle", "diff", path("a"), path("none")}).code, 1);
}

// Threads whose directories stand in another order than their records' paths: '-' and '%' come before '/'.
TEST_F(CliBundleTest, ThreadsWhoseNamesBeginEachOtherAreCarried) {
  make_home("h", 0);
  for (const char* thread : {"a", "a-b", "a b", "a.b", "a0", ""})
    ASSERT_EQ(on("h", {"do", "x", "--thread", thread}).code, 0) << thread;
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  EXPECT_EQ(run({"bundle", "verify", path("a.spl")}).err, "");
  EXPECT_EQ(number_of(json_on("n", {"import", path("a.spl")}), "records_inserted"), 6u);
}

}  // namespace
}  // namespace spl::cli_test
