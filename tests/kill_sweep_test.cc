// The program is killed at its Nth write to a disk or to an engine, for every N of a sweep: what it was at is finished
// or undone by the next start, nothing of it is left, and all services run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>

#include "base/words.h"
#include "services_kit.h"

namespace spl::cli_test {
namespace {

// Every way in which the program changes something outside of itself.
constexpr char kCalls[] =
    "fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,"
    "ftruncate,"
    "write,writev,pwrite64,sendto,sendmsg,kill,pidfd_send_signal,execve";

constexpr char kHelpers[] = "helpers";
// It cannot look at a process that is traced.
constexpr char kWithoutLeakChecker[] = "ASAN_OPTIONS=detect_leaks=0";

// It is alive as long as the number in its file goes up.
constexpr char kBeating[] = R"sh(#!/bin/sh
n=0
while true; do n=$((n + 1)); echo $n >"$1.new" && mv "$1.new" "$1"; sleep 0.02; done
)sh";

class KillSweep : public ServicesKit {
 protected:
  void SetUp() override {
    ASSERT_EQ(shell("command -v strace >/dev/null"), 0) << "script/bootstrap installs it";
    if (shell("strace -qq -o /dev/null true 2>/dev/null") != 0)
      GTEST_SKIP() << "left out: no process may be traced here";
  }
  // A service that runs, with two contexts in five kinds, and what a bundle of it has; then a mark in each of them that
  // the bundle does not have.
  void make() {
    init("a");
    // What it has said is done outlives it, as PostgreSQL's does.
    declare_cache("a", ", \"--appendonly\", \"yes\"");
    declare_postgres("a");
    const std::string beat = write_script("beating", kBeating);
    declare("a", "desk",
            "version = \"1\"\nafter = [\"cache\", \"pg\"]\n[run]\ncommand = [\"" + beat + "\", \"" + path("beat") +
                "\"]\n"
                "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/{context}/files\"\n"
                "[[surface]]\nname = \"base\"\nkind = \"sqlite\"\npath = \"{data}/{context}/files/main.db\"\n"
                "[[surface]]\nname = \"code\"\nkind = \"git\"\npath = \"{data}/{context}/code.git\"\n"
                "[[surface]]\nname = \"crm\"\nkind = \"postgres\"\nsplit = { schema = \"c_{context}\" }\n" +
                postgres_urls("a") +
                "[[surface]]\nname = \"memory\"\nkind = \"redis\"\nsplit = { database = \"{context_id}\" }\nurl = \"" +
                cache_url("a") + "\"\n" +
                "[[surface]]\nname = \"marks\"\nkind = \"redis\"\nsplit = { prefix = \"{context}:\" }\nurl = \"" +
                cache_url("a") + "\"\n");
    add_contexts("a", {"geo", "acme"});
    start("a");
    for (const std::string n : {"geo", "acme"}) {
      const std::string data = data_of(n);
      ASSERT_EQ(shell("mkdir -p " + data + "/files && echo page >" + data + "/files/page && sqlite3 " + data +
                      "/files/main.db 'CREATE TABLE t(a)' && git init -q --bare " + data + "/code.git && git -C " +
                      data + "/code.git update-ref refs/heads/main $(git -C " + data +
                      "/code.git -c user.name=n -c user.email=n@example.org commit-tree -m one $(git -C " + data +
                      "/code.git hash-object -t tree -w /dev/null))"),
                0);
      ASSERT_EQ(psql("a", "CREATE SCHEMA c_" + n + "; CREATE TABLE c_" + n + ".t(a integer)"), "");
      const std::string id = n == "geo" ? "1" : "2";
      ASSERT_EQ(redis("a", "-n " + id + " SET word " + n), "OK");
      ASSERT_EQ(redis("a", "SET " + n + ":word " + n), "OK");
    }
    const Ran taken = backup("a", "a.spl", {"--without", "cache", "--without", "pg"});
    ASSERT_EQ(taken.code, 0) << taken.err;
    for (const std::string n : {"geo", "acme"}) {
      const std::string data = data_of(n);
      ASSERT_EQ(shell("touch " + data + "/files/later && sqlite3 " + data +
                      "/files/main.db 'CREATE TABLE later(a)' && git -C " + data +
                      "/code.git update-ref refs/heads/later main"),
                0);
      ASSERT_EQ(psql("a", "CREATE TABLE c_" + n + ".later(a integer)"), "");
      ASSERT_EQ(redis("a", "-n " + std::string(n == "geo" ? "1" : "2") + " SET later yes"), "OK");
      ASSERT_EQ(redis("a", "SET " + n + ":later yes"), "OK");
    }
    ASSERT_EQ(marks(), kOld);
  }
  // A letter for each surface that has the mark, and one for each that has what the bundle has.
  std::string marks() {
    std::string found;
    for (const std::string n : {"geo", "acme"}) {
      const std::string data = data_of(n);
      const std::string id = n == "geo" ? "1" : "2";
      found += n + " ";
      found += output_of("ls " + data + "/files | tr '\\n' ' '") + " ";
      found += output_of("sqlite3 " + data + "/files/main.db .tables | xargs") + " ";
      found += output_of("git -C " + data + "/code.git for-each-ref --format='%(refname:short)' | xargs") + " ";
      found += output_of("psql -XAtq -h " + run_directory("a", "pg") +
                         " -U app -d app -c \"SELECT tablename FROM pg_tables "
                         "WHERE schemaname = 'c_" +
                         n + "' ORDER BY 1\" | xargs") +
               " ";
      found += output_of("redis-cli -s " + cache_socket("a") + " -n " + id + " KEYS '*' | sort | xargs") + " ";
      found += output_of("redis-cli -s " + cache_socket("a") + " KEYS '" + n + ":*' | sort | xargs") + ". ";
    }
    return found;
  }
  const std::string kOld =
      "geo later main.db page  later t later main later t later word geo:later geo:word. "
      "acme later main.db page  later t later main later t later word acme:later acme:word. ";
  const std::string kNew = "geo main.db page  t main t word geo:word. acme main.db page  t main t word acme:word. ";

  // Runs the program to its end, and notes the calls that it makes: those that have `part` in them.
  void trace(const std::string& words, const std::string& part = {}) {
    ASSERT_EQ(run_traced("", words), 0) << read_file(path("said"));
    std::map<std::string, int> seen;
    for (const std::string& line : base::split(read_file(path("calls")), '\n')) {
      const std::string name = line.substr(0, line.find('('));
      if (name.empty()) continue;
      const int number = ++seen[name];
      if (line.find(part) != std::string::npos) calls_.push_back({name, number, line});
    }
    ASSERT_FALSE(calls_.empty());
  }
  // Runs it again, and kills it in the call that stands at this part of the way. What it was, for messages.
  std::string kill_at(std::size_t step, std::size_t steps, const std::string& words) {
    const std::size_t at = (calls_.size() * step + calls_.size() / 2) / steps;
    const Call& call = calls_[at];
    constexpr int kKilled = 128 + 9;
    const int code = run_traced(" -e inject=" + call.name + ":signal=KILL:when=" + std::to_string(call.number), words);
    if (code == kKilled) ++killed_;
    return "killed at call " + std::to_string(at) + " of " + std::to_string(calls_.size()) + ": " +
           call.text.substr(0, 200);
  }
  // No run makes quite the same calls as the one before it: a few may have come to their end.
  void expect_kills(std::size_t steps) const { EXPECT_GE(killed_ * 10, steps * 8); }
  void expect_that_it_beats(const std::string& when) {
    const std::string then = read_file(path("beat"));
    wait_until([&] { return read_file(path("beat")) != then; }, "the service does not run: " + when);
  }
  [[nodiscard]] std::string data_of(const std::string& context) const { return path("a") + "/data/desk/" + context; }

  // Runs it again, stops it there, kills another process, and lets it go on. What was killed, and its exit code.
  struct Killed {
    std::string when;
    int code = -1;
  };
  Killed kill_another_at(std::size_t step, std::size_t steps, const std::string& words, const std::string& victim) {
    const std::size_t at = (calls_.size() * step + calls_.size() / 2) / steps;
    const Call& call = calls_[at];
    // A service, by the supervisor's note of its process; or what the program has started itself.
    write_script("kill-another", R"sh(#!/bin/sh
calls=$1 victim=$2
shift 2
rm -f "$calls"
strace -qq -o "$calls" -e signal=STOP "$@" &
tracer=$!
while kill -0 $tracer 2>/dev/null && ! grep -q 'stopped by' "$calls" 2>/dev/null; do sleep 0.005; done
spl=$(pgrep -P $tracer -o) || exit 99
if [ "$victim" = helpers ]; then victims=$(pgrep -P $spl); else victims=$(cat "$victim"); fi
[ -z "$victims" ] || kill -KILL $victims 2>/dev/null
kill -CONT $spl
wait $tracer
)sh");
    const std::string process = victim == kHelpers ? victim : path("a") + "/run/runit/" + victim + "/supervise/pid";
    const int code = shell("PATH=/usr/bin:/bin HOME=/nonexistent " + std::string(kWithoutLeakChecker) + " " +
                           path("kill-another") + " " + path("calls") + " " + process + " -e trace=" + kCalls +
                           " -e inject=" + call.name + ":signal=STOP:when=" + std::to_string(call.number) + " " +
                           spl_program() + " --home " + path("a") + " " + words + " >" + path("said") + " 2>&1");
    return {victim + " killed at call " + std::to_string(at) + " of " + std::to_string(calls_.size()) + ": " +
                call.text.substr(0, 200) + "\nwhereupon: " + read_file(path("said")),
            code};
  }

  void sweep_restore(std::size_t steps, const std::string& part = {}) {
    make();
    const std::string words = restore_words();
    trace(words, part);
    steps = std::min(steps, calls_.size());
    take_back("nothing was killed yet");
    std::size_t undone = 0;
    for (std::size_t i = 0; i < steps && !HasFailure(); ++i) {
      const std::string when = kill_at(i, steps, words);
      expect_recovery(when);
      if (marks() == kOld) {
        ++undone;
      } else {
        take_back(when);
      }
      EXPECT_EQ(left("a"), "") << when;
      EXPECT_EQ(names_in(path("a") + "/restores").size(), 0U) << when;
      EXPECT_EQ(output_of("find " + path("a") + "/data/desk -name '*spl*'"), "") << when;
      expect_that_it_beats(when);
    }
    std::printf("%zu undone, %zu finished, of %zu calls\n", undone, steps - undone, calls_.size());
    EXPECT_GT(undone, 0U);
    expect_kills(steps);
  }
  // What the restore replaced is put back.
  void take_back(const std::string& when) {
    ASSERT_EQ(marks(), kNew) << when;
    const Ran back = ask("a", {"service", "all", "restore", "--previous"});
    ASSERT_EQ(back.code, 0) << when << back.err;
    ASSERT_EQ(marks(), kOld) << when;
  }

  void sweep_backup(std::size_t steps) {
    make();
    ASSERT_EQ(shell("mkdir " + path("out")), 0);
    const std::string words =
        "service all backup --without cache --without pg --plaintext --force --no-progress --to " + path("out") +
        "/b.spl";
    trace(words);
    for (std::size_t i = 0; i < steps && !HasFailure(); ++i) {
      const std::string when = kill_at(i, steps, words);
      expect_that_it_beats(when);  // the watchdog sees to that, without a next start
      expect_recovery(when);
      EXPECT_EQ(marks(), kOld) << when;
      EXPECT_EQ(left("a"), "") << when;
      EXPECT_EQ(psql("a", "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'", "postgres"),
                "0")
          << when;
      EXPECT_EQ(run({"bundle", "verify", path("out") + "/b.spl"}).code, 0) << when;
    }
    expect_kills(steps);
    // What it was killed at is not taken for a bundle, and is gone after one that was not.
    EXPECT_EQ(run_traced("", words), 0);
    EXPECT_THAT(names_in(path("out")), ::testing::ElementsAre("b.spl"));
  }
  // What dies is a service or a helper of the program; that one goes on, and says how it ended.
  void sweep_others(const std::string& words, const std::string& victim, std::size_t steps) {
    trace(words);
    if (marks() == kNew) take_back("nothing was killed yet");
    for (std::size_t i = 0; i < steps && !HasFailure(); ++i) {
      const Killed killed = kill_another_at(i, steps, words, victim);
      // The supervisor starts a service again.
      EXPECT_EQ(ask("a", {"service", "all", "start"}).code, 0) << killed.when;
      if (words.find("restore") != std::string::npos) {
        EXPECT_EQ(marks(), killed.code == 0 ? kNew : kOld) << killed.when;
        if (killed.code == 0) take_back(killed.when);
        EXPECT_EQ(names_in(path("a") + "/restores").size(), 0U) << killed.when;
      }
      EXPECT_EQ(marks(), kOld) << killed.when;
      EXPECT_EQ(left("a"), "") << killed.when;
      EXPECT_EQ(output_of("find " + path("a") + "/data/desk -name '*spl*'"), "") << killed.when;
      expect_that_it_beats(killed.when);
    }
  }
  [[nodiscard]] std::string restore_words() const {
    return "service all restore --from " + path("a.spl") + " --replace --no-progress";
  }
  [[nodiscard]] std::string backup_words() const {
    return "service all backup --without cache --without pg --plaintext --force --no-progress --to " + path("b.spl");
  }
  void expect_recovery(const std::string& when) {
    const Ran next = ask("a", {"service", "all", "resume"});
    EXPECT_EQ(next.code, 0) << when << next.err;
  }

 private:
  struct Call {
    std::string name;
    int number = 0;  // among those of this name
    std::string text;
  };
  int run_traced(const std::string& injection, const std::string& words) {
    return shell("PATH=/usr/bin:/bin HOME=/nonexistent " + std::string(kWithoutLeakChecker) + " strace -qq -o " +
                 path("calls") + " -e signal=none -e trace=" + kCalls + injection + " " + spl_program() + " --home " +
                 path("a") + " " + words + " >" + path("said") + " 2>&1");
  }
  std::vector<Call> calls_;
  std::size_t killed_ = 0;
};

TEST_F(KillSweep, ARestoreIsUndoneOrFinished) {
  sweep_restore(100);
}

TEST_F(KillSweep, ARestoreIsUndoneAtEveryCallOfItsSwitch) {
  sweep_restore(1000, "renameat2(");
}

TEST_F(KillSweep, ABackupLeavesNothingAndTheServicesGoOn) {
  sweep_backup(60);
}

TEST_F(KillSweep, EnginesServicesAndHelpersThatDieInARestoreLeaveNothingHalfDone) {
  make();
  for (const std::string victim : {"cache", "pg", "desk", kHelpers}) sweep_others(restore_words(), victim, 20);
}

TEST_F(KillSweep, EnginesServicesAndHelpersThatDieInABackupLeaveNothingBehind) {
  make();
  for (const std::string victim : {"cache", "pg", "desk", kHelpers}) sweep_others(backup_words(), victim, 12);
}

class KilledAtAFewCalls : public KillSweep {};

TEST_F(KilledAtAFewCalls, ARestoreIsUndoneOrFinished) {
  sweep_restore(4);
}

// What lies in files changes sides by these.
TEST_F(KilledAtAFewCalls, ARestoreIsUndoneInTheMiddleOfItsSwitch) {
  sweep_restore(8, "renameat2(");
}

TEST_F(KilledAtAFewCalls, EnginesServicesAndHelpersThatDieInARestoreLeaveNothingHalfDone) {
  make();
  for (const std::string victim : {"cache", "pg", kHelpers}) sweep_others(restore_words(), victim, 2);
}

TEST_F(KilledAtAFewCalls, ABackupLeavesNothingAndTheServicesGoOn) {
  sweep_backup(5);
}

}  // namespace
}  // namespace spl::cli_test
