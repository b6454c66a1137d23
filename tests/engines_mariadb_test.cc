// MariaDB, run by spl as a service of its own, and a service that writes a number into a file and then into a database
// a context. Through the program, with real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "services_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kInit[] = R"sh(#!/bin/sh
# A server that starts removes all "#sql..." in its temporary directory, whosever they are: each has its own.
exec env TMPDIR="$1" mariadb-install-db --no-defaults --datadir="$1/db" --skip-test-db --skip-name-resolve \
  --auth-root-authentication-method=normal --innodb-log-file-size=8M >"$1/install.log" 2>&1
)sh";

constexpr char kLedger[] = R"py(#!/usr/bin/python3
import os, subprocess, sys, time
data, socket, contexts = sys.argv[1], sys.argv[2], [c for c in sys.argv[3].split(",") if c]
client = subprocess.Popen(["mariadb", "--no-defaults", "-S", socket, "-u", "root", "-BN", "--unbuffered"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def ask(sql):
    client.stdin.write(sql + "; SELECT '.';\n")
    client.stdin.flush()
    lines = []
    while True:
        line = client.stdout.readline()
        if line == "":
            sys.exit("no MariaDB")
        if line == ".\n":
            return lines
        lines.append(line.strip())
counts = []
for context in contexts:
    ask("CREATE DATABASE IF NOT EXISTS c_" + context)
    ask("CREATE TABLE IF NOT EXISTS c_" + context + ".count(n BIGINT PRIMARY KEY) ENGINE=InnoDB")
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

class EnginesMariadbTest : public ServicesKit {
 protected:
  void make(const std::string& home, const std::string& contexts = "geo,geomind") {
    init(home);
    const std::string user = ::geteuid() == 0 ? "user = \"nobody\"\n" : "";
    declare(home, "maria",
            "version = \"10.11\"\n[run]\n" + user +
                "command = [\"/usr/sbin/mariadbd\", \"--no-defaults\", \"--datadir={data}/db\", "
                "\"--socket={run}/m.sock\",\n"
                "  \"--tmpdir={run}\", \"--skip-networking\", \"--skip-name-resolve\", "
                "\"--innodb-flush-log-at-trx-commit=0\",\n"
                "  \"--innodb-buffer-pool-size=24M\", \"--innodb-log-file-size=8M\", \"--performance-schema=OFF\",\n"
                "  \"--pid-file={run}/pid\"]\n"
                "init = [\"" +
                write_script("init-maria", kInit) + "\", \"{data}\"]\nhealth = \"unix:{run}/m.sock\"\n" +
                "listen = [\"unix:{run}/m.sock\"]\n");
    declare(home, "ledger",
            "version = \"1\"\nafter = [\"maria\"]\n[run]\ncommand = [\"" + write_script("ledger", kLedger) +
                "\", \"{data}\", \"" + socket(home) + "\", \"" + contexts +
                "\"]\n[quiesce]\nmethod = \"freeze\"\ntimeout_ms = 10000\n"
                "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/{context}\"\n"
                "[[surface]]\nname = \"books\"\nkind = \"mariadb\"\nsplit = { database = \"c_{context}\" }\n"
                "url = \"mariadb:///?user=root&socket=" +
                socket(home) + "\"\n");
    if (contexts != "geo,geomind") return;
    add_contexts(home, {"geo", "geomind"});
  }
  void start(const std::string& home) {
    ServicesKit::start(home);
    wait_until([&] { return count(home, "geomind") > 5; }, "it does not count");
  }
  [[nodiscard]] std::string socket(const std::string& home) const { return run_directory(home, "maria") + "/m.sock"; }
  // What a statement says; "?" where it is refused.
  std::string ask_maria(const std::string& home, const std::string& sql) {
    return output_of("mariadb --no-defaults -S " + socket(home) + " -u root -BN -e " + quoted(sql));
  }
  long count(const std::string& home, const std::string& context) {
    const std::string text = ask_maria(home, "SELECT coalesce(max(n), 0) FROM c_" + context + ".count");
    return text == "?" ? -1 : std::stol(text);
  }
  // Every number is there once, and the file has the last one or, written before it, the next.
  void expect_one_moment(const std::string& home, const std::string& context) {
    const long in_table = count(home, context);
    EXPECT_GT(in_table, 5) << context;
    EXPECT_EQ(ask_maria(home, "SELECT count(*) - max(n) FROM c_" + context + ".count"), "0") << context;
    const long in_file = std::stol(read_file(path(home) + "/data/ledger/" + context + "/count"));
    EXPECT_TRUE(in_file == in_table || in_file == in_table + 1)
        << context << ": " << in_file << " in the file, " << in_table << " in the table";
  }
};

TEST_F(EnginesMariadbTest, FilesAndTablesOfOneMomentLeaveOneMachineAndComeBackOnAnother) {
  make("a");
  start("a");
  const auto report = json_on("a", {"export", "--out", path("a.spl"), "--plaintext"});
  EXPECT_EQ(text_of(report, "consistency"), "quiesced");
  const long before = count("a", "geo");
  wait_until([&] { return count("a", "geo") > before; }, "it does not go on after the backup");
  ASSERT_EQ(run({"bundle", "extract", path("a.spl"), "services/ledger/books/", "--to", path("x")}).code, 0);
  EXPECT_THAT(names_in(path("x") + "/services/ledger/books/geo"), ElementsAre("dump.sql"));

  make("b", "");
  const Ran ran = restore("b", "a.spl");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  for (const char* context : {"geo", "geomind"}) expect_one_moment("b", context);
  EXPECT_EQ(left("b"), "");
  const Ran again = restore("b", "a.spl", {"--replace"});
  ASSERT_EQ(again.code, 0) << again.out << again.err;
  for (const char* context : {"geo", "geomind"}) expect_one_moment("b", context);
  EXPECT_EQ(ask("b", {"service", "all", "restore", "--discard-previous"}).code, 0);
  EXPECT_EQ(ask_maria("b", "SHOW DATABASES LIKE 'spl%'"), "");
}

TEST_F(EnginesMariadbTest, OneTenantGoesAloneUnderAnotherNameAndWhatItReplacedComesBack) {
  make("a");
  start("a");
  const Ran saved = backup("a", "geo.spl", {"--context", "geo", "--without", "maria"});
  ASSERT_EQ(saved.code, 0) << saved.out << saved.err;
  make("b", "");
  add_contexts("b", {"geo"});
  ServicesKit::start("b");
  ASSERT_EQ(ask_maria("b",
                      "CREATE DATABASE c_geo; CREATE TABLE c_geo.own(t TEXT); INSERT INTO c_geo.own VALUES "
                      "('mine'); SELECT t FROM c_geo.own"),
            "mine");
  const Ran stopped = restore("b", "geo.spl", {"--expect-did", text_of(json_on("a", {"identity", "show"}), "did")});
  EXPECT_EQ(stopped.code, 5) << stopped.out << stopped.err;
  const Words trusting{"--expect-did", text_of(json_on("a", {"identity", "show"}), "did")};
  Words as_other = trusting;
  as_other.insert(as_other.end(), {"--as", "guest"});
  const Ran ran = restore("b", "geo.spl", as_other);
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  expect_one_moment("b", "guest");
  EXPECT_EQ(ask_maria("b", "SELECT t FROM c_geo.own"), "mine");

  Words replacing = trusting;
  replacing.emplace_back("--replace");
  const Ran replaced = restore("b", "geo.spl", replacing);
  ASSERT_EQ(replaced.code, 0) << replaced.out << replaced.err;
  expect_one_moment("b", "geo");
  EXPECT_EQ(ask_maria("b", "SELECT t FROM c_geo.own"), "?");
  const Ran back = ask("b", {"service", "ledger", "restore", "--context", "geo", "--previous"});
  ASSERT_EQ(back.code, 0) << back.out << back.err;
  EXPECT_EQ(ask_maria("b", "SELECT t FROM c_geo.own"), "mine");
  EXPECT_EQ(ask_maria("b", "SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'c_geo'"), "1");
}

TEST_F(EnginesMariadbTest, ATenantWithADatabaseGetsAnotherName) {
  make("a");
  start("a");
  ASSERT_EQ(ask("a", {"service", "ledger", "stop"}).code, 0);
  const long before = count("a", "geo");
  const Ran ran = ask("a", {"context", "rename", "geo", "earth"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(count("a", "earth"), before);
  EXPECT_EQ(ask_maria("a", "SHOW DATABASES LIKE 'c_geo'"), "");
  EXPECT_EQ(ask_maria("a", "SHOW DATABASES LIKE 'spl%'"), "");
}

}  // namespace
}  // namespace spl::cli_test
