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

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

// Makes what a server begins with; initdb once for all tests of this user, copied from then on. The directory is
// another's where somebody else was there first.
constexpr char kInit[] = R"sh(#!/bin/sh
set -e
data=$1 bin=$2
made=/tmp/spl-pg-app-$(id -u)-$(basename "$(dirname "$bin")")
if ! [ -O "$made" ]; then
  "$bin/initdb" -D "$data/new" -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8
  printf 'local all postgres,shop trust\nlocal all all scram-sha-256\n' >"$data/new/pg_hba.conf"
  printf 'CREATE ROLE shop LOGIN;\n\nCREATE DATABASE app OWNER shop;\n\n' |
    "$bin/postgres" --single -j -D "$data/new" postgres
  mv -T "$data/new" "$made" || made=$data/new
fi
cp -a "$made" "$data/cluster"
rm -rf "$data/new"
)sh";

constexpr char kShop[] = R"py(#!/usr/bin/python3
import os, subprocess, sys, time
data, socket, contexts = sys.argv[1], sys.argv[2], [c for c in sys.argv[3].split(",") if c]
psql = subprocess.Popen(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", socket, "-U", "shop", "-d", "app"],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def ask(sql):
    psql.stdin.write(sql + "; SELECT '.';\n")
    psql.stdin.flush()
    lines = []
    while True:
        line = psql.stdout.readline()
        if line == "":
            sys.exit("no server")
        if line == ".\n":
            return lines
        lines.append(line.strip())
ask("SET client_min_messages = error")
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

void wait_until(const std::function<bool()>& is_so, const std::string& what) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (!is_so()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << what;
    std::this_thread::sleep_for(50ms);
  }
}

std::string binaries() {
  std::string newest;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql"))
    newest = std::max(newest, (entry.path() / "bin").string());
  return newest;
}

class EnginesPostgresTest : public CliTest {
 protected:
  EnginesPostgresTest() {
    // The server's user passes through.
    EXPECT_EQ(::chmod(path(".").c_str(), 0711), 0);
    write_script("shop", kShop);
    write_script("init", kInit);
  }
  ~EnginesPostgresTest() override {
    for (const std::string& home : homes_) (void)on(home, {"service", "all", "stop"});
  }

  // An engine, and a service beside it that works for these contexts.
  void make(const std::string& home, const std::string& contexts = "geo,geomind") {
    ASSERT_EQ(on(home, {"init"}).code, 0);
    homes_.push_back(home);
    const std::string run = path(home) + "/run/services/pg";
    write_file(path(home) + "/services/pg.toml",
               "name = \"pg\"\nversion = \"15\"\n[run]\n" +
                   std::string(::geteuid() == 0 ? "user = \"postgres\"\n" : "") + "command = [\"" + binaries() +
                   "/postgres\", \"-D\", \"{data}/cluster\", \"-k\", \"{run}\", \"-c\", \"listen_addresses=\",\n"
                   "  \"-c\", \"fsync=off\", \"-c\", \"shared_buffers=16MB\"]\n"
                   "init = [\"" +
                   path("init") + "\", \"{data}\", \"" + binaries() +
                   "\"]\nstop_signal = \"INT\"\nhealth = \"unix:{run}/.s.PGSQL.5432\"\n"
                   "listen = [\"unix:{run}/.s.PGSQL.5432\"]\n");
    write_file(path(home) + "/services/shop.toml",
               "name = \"shop\"\nversion = \"1\"\nafter = [\"pg\"]\n[run]\ncommand = [\"" + path("shop") +
                   "\", \"{data}\", \"" + run + "\", \"" + contexts +
                   "\"]\n"
                   "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/{context}\"\n"
                   "[[surface]]\nname = \"crm\"\nkind = \"postgres\"\nurl = \"postgresql:///app?host=" +
                   run + "&user=shop\"\nadmin_url = \"postgresql:///postgres?host=" + run +
                   "&user=postgres\"\nsplit = { schema = \"c_{context}\" }\n");
    if (contexts != "geo,geomind") return;
    for (const char* context : {"geo", "geomind"}) ASSERT_EQ(on(home, {"context", "add", context}).code, 0);
  }
  void start(const std::string& home) {
    const Ran ran = on(home, {"service", "all", "start"});
    ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
    wait_until([&] { return count(home, "geomind") > 0; }, "it does not count");
  }
  // What a statement says; "?" where it is refused.
  std::string ask(const std::string& home, const std::string& sql, const std::string& user = "postgres") {
    const int code = shell("psql -XAtq -v ON_ERROR_STOP=1 -h " + path(home) + "/run/services/pg -U " + user +
                           " -d app -c \"" + sql + "\" >" + path("answer") + " 2>/dev/null");
    std::string text = code == 0 ? read_file(path("answer")) : "?";
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }
  long count(const std::string& home, const std::string& context) {
    const std::string text = ask(home, "SELECT coalesce(max(n), 0) FROM c_" + context + ".count");
    return text == "?" ? -1 : std::stol(text);
  }
  // Databases, schemas and roles that are spl's own, sessions of its, and what lies in run/.
  std::string left(const std::string& home) {
    std::string found = ask(home,
                            "SELECT datname FROM pg_database WHERE datname LIKE 'spl%' UNION ALL SELECT nspname FROM "
                            "pg_namespace WHERE nspname LIKE 'spl%' UNION ALL SELECT rolname FROM pg_roles WHERE "
                            "rolname LIKE 'spl%'");
    for (const std::string& name : names_in(path(home) + "/run")) {
      if (name.starts_with("r-") || name.starts_with("b-")) found += " " + name;
    }
    return found;
  }
  Ran backup(const std::string& home, const std::string& file, Words more = {}) {
    Words words{"service", "all", "backup", "--to", path(file), "--plaintext", "--force"};
    words.insert(words.end(), more.begin(), more.end());
    return on(home, words);
  }
  Ran restore(const std::string& home, const std::string& file, Words more = {}) {
    Words words{"service", "all", "restore", "--from", path(file)};
    words.insert(words.end(), more.begin(), more.end());
    return on(home, words);
  }

 private:
  void write_script(const std::string& name, const char* text) {
    write_file(path(name), text);
    EXPECT_EQ(::chmod(path(name).c_str(), 0755), 0);
  }
  std::vector<std::string> homes_;
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
    EXPECT_EQ(ask("b", "SELECT count(*) - max(n) FROM c_" + std::string(context) + ".count", "shop"), "0");
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
  ASSERT_EQ(ask("a", "CREATE SCHEMA c_geo; CREATE TABLE c_geo.kept(a integer)", "shop"), "");
  ASSERT_EQ(ask("a", "CREATE SCHEMA c_nobody", "shop"), "");
  EXPECT_THAT(on("a", {"inventory"}).out, HasSubstr("c_nobody"));
  const Ran ran = on("a", {"context", "rename", "geo", "earth"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ask("a", "SELECT count(*) FROM c_earth.kept", "shop"), "0");
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
  ASSERT_EQ(ask("a", "CREATE TABLE c_geo.later(a integer)", "shop"), "");
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
    ASSERT_EQ(ask("a", "CREATE TABLE c_geo.later(a integer)", "shop"), "");
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
