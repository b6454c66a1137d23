#include "testing/sim_vfs.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "env/posix_file_system.h"
#include "testing/sim_file_system.h"
#include "testing/temp_directory.h"

namespace spl::testing {
namespace {

constexpr char kPath[] = "/home/db.sqlite";
constexpr int kBusyMs = 10'000;

// A connection, as little as the tests need.
class Connection {
 public:
  Connection(const SqliteVfs& vfs, const std::string& path) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    is_open_ = sqlite3_open_v2(path.c_str(), &db_, flags, vfs.name()) == SQLITE_OK;
    sqlite3_busy_timeout(db_, kBusyMs);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { EXPECT_EQ(sqlite3_close(db_), SQLITE_OK); }

  bool run(const std::string& sql) {
    return is_open_ && sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  // The first column of the first row; "(error: ...)" or "(nothing)" where there is none.
  std::string value(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    std::string out = "(nothing)";
    int code = sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
      out = text == nullptr ? "(null)" : text;
    } else if (code != SQLITE_DONE) {
      out = "(error: " + std::string(sqlite3_errmsg(db_)) + ")";
    }
    sqlite3_finalize(statement);
    return out;
  }

 private:
  sqlite3* db_ = nullptr;
  bool is_open_ = false;
};

struct Machine {
  Machine() { EXPECT_TRUE(env::make_directories(fs, "/home")); }
  SimFileSystem fs;
  SqliteVfs vfs{fs, "sim"};
};

// Which transactions the workload was promised; 0 for none, and -1 where not even the tables.
constexpr int kTransactions = 12;
constexpr int kNoTables = -1;

struct Mode {
  std::string journal_mode;
  std::string synchronous;
};
const Mode kWal = {"WAL", "FULL"};
// FULL does not sync the removal of the journal, which is the commit.
const Mode kRollback = {"DELETE", "EXTRA"};

// Two tables that one transaction changes together. Small pages and an early checkpoint, so that the WAL starts anew.
int run_workload(const SqliteVfs& vfs, const Mode& mode) {
  Connection db(vfs, kPath);
  int promised = kNoTables;
  const bool ready = db.run("PRAGMA page_size=1024") && db.run("PRAGMA journal_mode=" + mode.journal_mode) &&
                     db.run("PRAGMA synchronous=" + mode.synchronous) && db.run("PRAGMA wal_autocheckpoint=9") &&
                     db.run(
                         "BEGIN; CREATE TABLE entry(id INTEGER PRIMARY KEY, body BLOB);"
                         "CREATE TABLE total(entries INTEGER); INSERT INTO total VALUES(0); COMMIT");
  if (!ready) return promised;
  for (promised = 0; promised < kTransactions; ++promised) {
    const std::string id = std::to_string(promised + 1);
    std::string sql = "BEGIN IMMEDIATE; INSERT INTO entry VALUES(";
    sql.append(id).append(", zeroblob(700 * (").append(id).append(" % 4)));");
    sql.append("UPDATE total SET entries = ").append(id).append("; COMMIT");
    if (!db.run(sql)) {
      break;
    }
  }
  return promised;
}

// Opens what is left, as the next run would: all that was promised is there, and no half transaction.
void check_database(const SqliteVfs& vfs, int promised) {
  Connection db(vfs, kPath);
  ASSERT_EQ(db.value("PRAGMA integrity_check"), "ok");
  if (db.value("SELECT count(*) FROM sqlite_schema") == "0") {
    ASSERT_EQ(promised, kNoTables);
    return;
  }
  const std::string total = db.value("SELECT entries FROM total");
  ASSERT_EQ(db.value("SELECT count(*) FROM entry"), total);
  ASSERT_EQ(db.value("SELECT ifnull(max(id), 0) FROM entry"), total);
  ASSERT_GE(std::stoi(total), promised);
  ASSERT_LE(std::stoi(total), promised + 1);
  ASSERT_TRUE(db.run("INSERT INTO entry(body) VALUES('next')"));
}

const std::vector<Survivors> kAllSurvivors = {Survivors::synced_only(), Survivors::everything(), Survivors::seeded(1),
                                              Survivors::seeded(2), Survivors::seeded(3)};

void sweep_cuts(const Mode& mode) {
  Machine whole;
  const std::uint64_t first = whole.fs.calls() + 1;
  ASSERT_EQ(run_workload(whole.vfs, mode), kTransactions);
  const std::uint64_t last = whole.fs.calls() + 1;
  for (std::uint64_t call = first; call <= last; ++call) {
    for (Survivors how : kAllSurvivors) {
      if (how.kind == Survivors::Kind::kSeeded) how.seed += 10 * call;
      SCOPED_TRACE("call " + std::to_string(call) + ", survivors " + std::to_string(static_cast<int>(how.kind)) +
                   ", seed " + std::to_string(how.seed));
      Machine machine;
      machine.fs.cut_at(call);
      const int promised = run_workload(machine.vfs, mode);
      machine.fs.reboot(how);
      machine.vfs.drop_shared_memory();
      check_database(machine.vfs, promised);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(SqliteVfs, AWalDatabaseHoldsAtEveryPowerCut) {
  sweep_cuts(kWal);
}

TEST(SqliteVfs, ARollbackDatabaseHoldsAtEveryPowerCut) {
  sweep_cuts(kRollback);
}

// That the sweeps would see it.
TEST(SqliteVfs, ADatabaseThatIsNotSyncedIsLost) {
  for (const Mode& mode : {Mode{"WAL", "OFF"}, Mode{"DELETE", "OFF"}}) {
    Machine machine;
    ASSERT_EQ(run_workload(machine.vfs, mode), kTransactions);
    machine.fs.reboot(Survivors::synced_only());
    machine.vfs.drop_shared_memory();
    Connection db(machine.vfs, kPath);
    EXPECT_EQ(db.value("SELECT count(*) FROM sqlite_schema"), "0") << mode.journal_mode;
  }
}

// Without a sync at each commit some cut must lose a promise, and none may tear a transaction.
TEST(SqliteVfs, AWalDatabaseWithLazySyncsLosesTheLastTransactionsOnly) {
  const Mode lazy = {"WAL", "NORMAL"};
  Machine machine;
  machine.fs.cut_at(machine.fs.calls() + 150);
  const int promised = run_workload(machine.vfs, lazy);
  ASSERT_GT(promised, 0);
  machine.fs.reboot(Survivors::synced_only());
  machine.vfs.drop_shared_memory();
  Connection db(machine.vfs, kPath);
  EXPECT_EQ(db.value("PRAGMA integrity_check"), "ok");
  EXPECT_LT(std::stoi(db.value("SELECT count(*) FROM entry")), promised);
}

TEST(SqliteVfs, AWalDatabaseHoldsAtEveryFault) {
  for (std::uint64_t call = 1;; ++call) {
    for (const SimError error : {SimError::kEio, SimError::kEnospc}) {
      SCOPED_TRACE("call " + std::to_string(call));
      Machine machine;
      const std::uint64_t failing = machine.fs.calls() + call;
      machine.fs.fail_at(failing, error);
      const int promised = run_workload(machine.vfs, kWal);
      if (machine.fs.calls() < failing) return;
      machine.fs.reboot(Survivors::synced_only());
      machine.vfs.drop_shared_memory();
      ASSERT_NO_FATAL_FAILURE(check_database(machine.vfs, promised));
    }
  }
}

TEST(SqliteVfs, AReaderSeesOneStateWhileAWriterCommits) {
  Machine machine;
  Connection writer(machine.vfs, kPath);
  EXPECT_EQ(writer.value("PRAGMA journal_mode=WAL"), "wal");
  ASSERT_TRUE(writer.run("CREATE TABLE t(x); INSERT INTO t VALUES(1)"));
  Connection reader(machine.vfs, kPath);
  ASSERT_TRUE(reader.run("BEGIN"));
  EXPECT_EQ(reader.value("SELECT count(*) FROM t"), "1");
  ASSERT_TRUE(writer.run("INSERT INTO t VALUES(2)"));
  EXPECT_EQ(reader.value("SELECT count(*) FROM t"), "1");
  ASSERT_TRUE(reader.run("COMMIT"));
  EXPECT_EQ(reader.value("SELECT count(*) FROM t"), "2");
}

TEST(SqliteVfs, OneWriterAtATime) {
  for (const char* mode : {"WAL", "DELETE"}) {
    Machine machine;
    Connection first(machine.vfs, kPath);
    Connection second(machine.vfs, kPath);
    ASSERT_TRUE(first.run(std::string("PRAGMA journal_mode=") + mode));
    ASSERT_TRUE(first.run("CREATE TABLE t(x)"));
    ASSERT_TRUE(second.run("PRAGMA busy_timeout=0"));
    ASSERT_TRUE(first.run("BEGIN IMMEDIATE; INSERT INTO t VALUES(1)"));
    EXPECT_FALSE(second.run("BEGIN IMMEDIATE")) << mode;
    EXPECT_EQ(second.value("SELECT count(*) FROM t"), "0") << mode;
    ASSERT_TRUE(first.run("COMMIT"));
    EXPECT_TRUE(second.run("INSERT INTO t VALUES(2)")) << mode;
    EXPECT_EQ(first.value("SELECT count(*) FROM t"), "2") << mode;
  }
}

TEST(SqliteVfs, AReaderKeepsARollbackWriterFromCommitting) {
  Machine machine;
  Connection writer(machine.vfs, kPath);
  Connection reader(machine.vfs, kPath);
  ASSERT_TRUE(writer.run("CREATE TABLE t(x); INSERT INTO t VALUES(1); PRAGMA busy_timeout=0"));
  ASSERT_TRUE(reader.run("BEGIN"));
  EXPECT_EQ(reader.value("SELECT count(*) FROM t"), "1");
  ASSERT_TRUE(writer.run("BEGIN; INSERT INTO t VALUES(2)"));
  EXPECT_FALSE(writer.run("COMMIT"));
  ASSERT_TRUE(reader.run("COMMIT"));
  EXPECT_TRUE(writer.run("COMMIT"));
}

TEST(SqliteVfs, ManyThreadsWriteAndLoseNothing) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 50;
  Machine machine;
  {
    Connection db(machine.vfs, kPath);
    ASSERT_TRUE(
        db.run("PRAGMA journal_mode=WAL; CREATE TABLE t(x); CREATE TABLE n(x);"
               "INSERT INTO n VALUES(0)"));
  }
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      Connection db(machine.vfs, kPath);
      db.run("PRAGMA wal_autocheckpoint=20");
      for (int round = 0; round < kRounds; ++round) {
        const bool written = db.run("BEGIN IMMEDIATE; INSERT INTO t VALUES(1); UPDATE n SET x = x + 1; COMMIT");
        const std::string same = db.value("SELECT (SELECT count(*) FROM t) = (SELECT x FROM n)");
        if (!written || same != "1") ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  Connection db(machine.vfs, kPath);
  EXPECT_EQ(db.value("SELECT count(*) FROM t"), std::to_string(kThreads * kRounds));
  EXPECT_EQ(db.value("PRAGMA integrity_check"), "ok");
}

TEST(SqliteVfs, TemporaryFilesHaveNoNames) {
  Machine machine;
  {
    Connection db(machine.vfs, kPath);
    ASSERT_TRUE(db.run("PRAGMA temp_store=FILE; PRAGMA cache_size=5; CREATE TEMP TABLE t(x)"));
    ASSERT_TRUE(
        db.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000)"
               "INSERT INTO t SELECT hex(randomblob(50)) FROM n"));
    EXPECT_EQ(db.value("SELECT count(*) FROM (SELECT DISTINCT x FROM t ORDER BY x)"), "3000");
  }
  EXPECT_EQ(machine.fs.contents().size(), 2u);  // the directory and the empty database
}

TEST(SqliteVfs, RunsOnTheRealFileSystemToo) {
  const TempDirectory directory;
  env::PosixFileSystem fs;
  const SqliteVfs vfs(fs, "posix-under-test", directory.path());
  const std::string path = env::join(directory.path(), "db");
  {
    Connection db(vfs, path);
    ASSERT_TRUE(db.run("PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(1)"));
  }
  Connection db(vfs, path);
  EXPECT_EQ(db.value("SELECT count(*) FROM t"), "1");
}

}  // namespace
}  // namespace spl::testing
