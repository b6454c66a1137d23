// PostgreSQL, run by spl as a service of its own, and a service that writes a number into a file and then into a table,
// for each context in turn. Through the program, with real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "services_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

constexpr char kShop[] = R"py(
import os, sys, time
data, directory, contexts = sys.argv[1], sys.argv[2], [c for c in sys.argv[3].split(",") if c]
ask = psql_client(directory, "app")
counts = []
for context in contexts:
    ask("CREATE SCHEMA IF NOT EXISTS c_" + context)
    ask("CREATE TABLE IF NOT EXISTS c_" + context + ".count(n bigint)")
    n = int(ask("SELECT coalesce(max(n), 0) FROM c_" + context + ".count")[0])
    os.makedirs(data + "/" + context, exist_ok=True)
    if os.path.exists(data + "/" + context + "/count"):
        n = max(n, int(open(data + "/" + context + "/count").read()))
    counts.append(n)
while True:
    for i, context in enumerate(contexts):
        counts[i] += 1
        with open(data + "/" + context + "/count.new", "w") as f:
            f.write(str(counts[i]))
        os.rename(data + "/" + context + "/count.new", data + "/" + context + "/count")
        ask("INSERT INTO c_%s.count VALUES (%d)" % (context, counts[i]))
    time.sleep(0.005)
)py";

class EnginesPostgresTest : public ServicesKit {
 protected:
  // An engine, and a service beside it that works for these contexts.
  void make(const std::string& home, const std::string& contexts = "geo,geomind") {
    init(home);
    declare_postgres(home);
    const std::string program = write_script("shop", std::string(kPythonClients) + kShop);
    declare(home, "shop",
            "version = \"1\"\nafter = [\"pg\"]\n[run]\ncommand = [\"" + program + "\", \"{data}\", \"" +
                run_directory(home, "pg") + "\", \"" + contexts +
                "\"]\n"
                "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/{context}\"\n"
                "[[surface]]\nname = \"crm\"\nkind = \"postgres\"\nsplit = { schema = \"c_{context}\" }\n" +
                postgres_urls(home));
    if (contexts != "geo,geomind") return;
    add_contexts(home, {"geo", "geomind"});
  }
  void start(const std::string& home) {
    ServicesKit::start(home);
    wait_until([&] { return count(home, "geomind") > 0; }, "it does not count");
  }
  // What a statement says; "?" where it is refused.
  std::string ask(const std::string& home, const std::string& sql, const std::string& user = "postgres") {
    return psql(home, sql, user);
  }
  long count(const std::string& home, const std::string& context) {
    const std::string text = ask(home, "SELECT coalesce(max(n), 0) FROM c_" + context + ".count");
    return text == "?" ? -1 : std::stol(text);
  }
};

TEST_F(EnginesPostgresTest, LeavesOneMachineAndComesBackOnAnother) {
  make("a");
  start("a");
  wait_until([&] { return count("a", "geomind") > 5; }, "it does not count");
  const auto report = json_on("a", {"export", "--out", path("a.spl"), "--plaintext"});
  EXPECT_EQ(text_of(report, "consistency"), "quiesced");
  const long before = count("a", "geo");
  wait_until([&] { return count("a", "geo") > before; }, "it does not go on after the backup");
  EXPECT_EQ(run({"bundle", "verify", path("a.spl")}).code, 0);
  ASSERT_EQ(run({"bundle", "extract", path("a.spl"), "services/shop/crm/", "--to", path("x")}).code, 0);
  EXPECT_THAT(names_in(path("x") + "/services/shop/crm/geo"), ::testing::ElementsAre("dump.pgc"));

  make("b", "");
  const Ran ran = restore("b", "a.spl");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  for (const char* context : {"geo", "geomind"}) {
    EXPECT_GT(count("b", context), 5);
    EXPECT_EQ(ask("b", "SELECT count(*) - max(n) FROM c_" + std::string(context) + ".count", "app"), "0");
  }
  EXPECT_EQ(left("b"), "");
}

TEST_F(EnginesPostgresTest, EveryBackupShowsFilesAndTablesAtOneMoment) {
  make("a");
  start("a");
  make("b", "");
  for (int i = 0; i < 5; ++i) {
    const Ran ran = backup("a", "a.spl");
    ASSERT_EQ(ran.code, 0) << ran.err;
    const Ran restored = restore("b", "a.spl", i == 0 ? Words{} : Words{"--replace"});
    ASSERT_EQ(restored.code, 0) << restored.out << restored.err;
    for (const std::string context : {"geo", "geomind"}) {
      const long in_file = std::stol(read_file(path("b") + "/data/shop/" + context + "/count"));
      const long in_table = count("b", context);
      EXPECT_TRUE(in_table == in_file || in_table == in_file - 1) << in_file << " and " << in_table;
    }
    const Ran discarded = on("b", {"service", "all", "restore", "--discard-previous"});
    EXPECT_EQ(discarded.code, 0) << discarded.err;
    EXPECT_EQ(left("b"), "");
  }
}

TEST_F(EnginesPostgresTest, OneTenantGoesAloneAndUnderAnotherName) {
  make("a");
  start("a");
  ASSERT_EQ(backup("a", "geo.spl", {"--context", "geo"}).code, 0);
  EXPECT_THAT(read_file(path("geo.spl")), Not(HasSubstr("geomind")));
  make("b", "");
  ASSERT_EQ(on("b", {"context", "add", "other"}).code, 0);
  const Ran ran = restore("b", "geo.spl", {"--context", "geo", "--as", "earth"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(count("b", "geo"), -1);
  EXPECT_GT(count("b", "earth"), 0);
  EXPECT_EQ(left("b"), "");
}

TEST_F(EnginesPostgresTest, VariablesOfLibpqChangeNothing) {
  make("a");
  start("a");
  const Ran ran = on("a", {"service", "all", "backup", "--to", path("a.spl"), "--plaintext"},
                     {.environment = {{"PGSERVICE", "not_there"},
                                      {"PGHOSTADDR", "192.0.2.1"},
                                      {"PGREQUIREPEER", "nobody"},
                                      {"PGTARGETSESSIONATTRS", "standby"}}});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(EnginesPostgresTest, AContextGetsAnotherNameAndGoes) {
  make("a", "geo");
  ASSERT_EQ(on("a", {"context", "add", "geo"}).code, 0);
  ASSERT_EQ(on("a", {"service", "pg", "start"}).code, 0);
  ASSERT_EQ(ask("a", "CREATE SCHEMA c_geo; CREATE TABLE c_geo.kept(a integer)", "app"), "");
  ASSERT_EQ(ask("a", "CREATE SCHEMA c_nobody", "app"), "");
  EXPECT_THAT(on("a", {"inventory"}).out, HasSubstr("c_nobody"));
  const Ran ran = on("a", {"context", "rename", "geo", "earth"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ask("a", "SELECT count(*) FROM c_earth.kept", "app"), "0");
  EXPECT_EQ(on("a", {"context", "rename", "earth", "nobody"}).code, 3) << "something is in the way";
  const Ran removed = on("a", {"context", "remove", "earth", "--delete-data", "--without-backup"});
  ASSERT_EQ(removed.code, 0) << removed.err;
  EXPECT_EQ(ask("a", "SELECT count(*) FROM pg_namespace WHERE nspname IN ('c_geo', 'c_earth')"), "0");
  EXPECT_EQ(left("a"), "");
}

TEST_F(EnginesPostgresTest, WhatIsReplacedIsPreviousAndComesBack) {
  make("a");
  start("a");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  ASSERT_EQ(ask("a", "CREATE TABLE c_geo.later(a integer)", "app"), "");
  EXPECT_EQ(restore("a", "a.spl").code, 5) << "data is in the way";
  const Ran ran = restore("a", "a.spl", {"--replace"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(ask("a", "SELECT count(*) FROM c_geo.later"), "?");
  const long then = count("a", "geo");
  wait_until([&] { return count("a", "geo") > then; }, "it does not go on");
  EXPECT_EQ(restore("a", "a.spl", {"--replace"}).code, 3) << "there is a previous";
  const Ran back = on("a", {"service", "all", "restore", "--previous"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(ask("a", "SELECT count(*) FROM c_geo.later"), "0");
  EXPECT_EQ(left("a"), "");
  EXPECT_EQ(names_in(path("a") + "/restores").size(), 0U);
}

TEST_F(EnginesPostgresTest, AKillAtAnyMomentLeavesTheServiceRunningAndNothingStaged) {
  make("a");
  start("a");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  // In the table and in the files, so that it is seen whether both are of one side.
  const std::string file = path("a") + "/data/shop/geo/later";
  const auto make_later = [&] {
    ASSERT_EQ(ask("a", "CREATE TABLE c_geo.later(a integer)", "app"), "");
    write_file(file, "later");
  };
  make_later();
  // How long it takes here, so that the kills lie within.
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(restore("a", "a.spl", {"--replace"}).code, 0);
  const auto whole = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(on("a", {"service", "all", "restore", "--previous"}).code, 0);
  constexpr int kSteps = 10;
  for (int step = 0; step < kSteps; ++step) {
    const bool restores = step % 2 == 1;
    Words words{"--home", path("a"), "service", "all"};
    const Words more = restores ? Words{"restore", "--from", path("a.spl"), "--replace"}
                                : Words{"backup", "--to", path("k.spl"), "--plaintext", "--force"};
    words.insert(words.end(), more.begin(), more.end());
    Process process(words);
    std::this_thread::sleep_for(whole * (step + 1) / (restores ? kSteps : 3 * kSteps));
    ::kill(process.pid(), SIGKILL);
    (void)process.wait();
    const Ran next = on("a", {"service", "all", "resume"});
    ASSERT_EQ(next.code, 0) << step << next.err;
    const Ran discarded = on("a", {"service", "all", "restore", "--discard-previous"});
    ASSERT_EQ(discarded.code, 0) << step << discarded.err;
    EXPECT_EQ(left("a"), "") << step;
    // Wholly old or wholly new.
    const std::string later = ask("a", "SELECT count(*) FROM c_geo.later");
    EXPECT_EQ(later, exists(file) ? "0" : "?") << step;
    if (!restores) {
      EXPECT_EQ(later, "0") << "a backup changes nothing";
    }
    if (later == "?") make_later();
    const long now = count("a", "geomind");
    wait_until([&] { return count("a", "geomind") > now; }, "it does not count after step " + std::to_string(step));
    EXPECT_EQ(ask("a", "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"), "0");
  }
}

}  // namespace
}  // namespace spl::cli_test
