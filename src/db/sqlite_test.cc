#include "db/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "testing/temp_directory.h"

namespace spl::db {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Not;

class Sqlite : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return directory_.path() + "/test.db"; }
  Connection open(OpenAs how = OpenAs::kCreate) { return Connection::open(path(), how).value(); }

 private:
  testing::TempDirectory directory_;
};

TEST_F(Sqlite, OpensAnExistingFileOnlyWhereThereIsOne) {
  EXPECT_FALSE(Connection::open(path(), OpenAs::kReadWrite));
  EXPECT_FALSE(std::ifstream(path()).good()) << "a failed open must not make the file";
  ASSERT_TRUE(open().execute("CREATE TABLE t(x)"));
  EXPECT_TRUE(Connection::open(path(), OpenAs::kReadWrite));
}

TEST_F(Sqlite, FailsToOpenWhatIsNoDatabaseOrNoFile) {
  EXPECT_FALSE(Connection::open("/nonexistent/directory/x.db", OpenAs::kCreate));
  EXPECT_FALSE(Connection::open(path(), OpenAs::kCreate, "no such vfs"));
  std::ofstream(path()) << std::string(4096, 'x');
  auto connection = Connection::open(path(), OpenAs::kReadWrite);
  if (connection) {
    const auto read = connection->query_integer("SELECT count(*) FROM sqlite_schema");
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().hint, "");
  }
}

TEST_F(Sqlite, TextsAndBlobsKeepEveryOctet) {
  Connection connection = open();
  ASSERT_TRUE(connection.execute("CREATE TABLE t(a TEXT, b BLOB, c INTEGER, d TEXT) STRICT"));
  Statement insert = connection.prepare("INSERT INTO t VALUES(?,?,?,?)").value();
  const std::string text("a\0\xF0\x9F\x98\x80\n", 7);
  const std::string blob("\0\xFF\0", 3);
  ASSERT_TRUE(insert.bind_text(1, text).bind_blob(2, blob).bind(3, INT64_MIN).bind_null(4).run());
  EXPECT_EQ(connection.changes(), 1);
  EXPECT_EQ(connection.last_rowid(), 1);
  // A view of nothing is the empty value, not NULL.
  ASSERT_TRUE(insert.bind_text(1, {}).bind_blob(2, {}).bind(3, INT64_MAX).bind_text(4, "").run());
  Statement rows = connection.prepare("SELECT a, b, c, d FROM t ORDER BY rowid").value();
  ASSERT_TRUE(rows.step().value());
  EXPECT_EQ(rows.text(0), text);
  EXPECT_EQ(rows.blob(1), blob);
  EXPECT_EQ(rows.integer(2), INT64_MIN);
  EXPECT_TRUE(rows.is_null(3));
  EXPECT_EQ(rows.optional_text(3), std::nullopt);
  EXPECT_EQ(rows.text(3), "");
  ASSERT_TRUE(rows.step().value());
  EXPECT_EQ(rows.optional_text(0), "");
  EXPECT_EQ(rows.optional_blob(1), "");
  EXPECT_EQ(rows.integer(2), INT64_MAX);
  EXPECT_FALSE(rows.step().value());
  EXPECT_TRUE(rows.step().value()) << "after the end it begins anew";
}

TEST_F(Sqlite, ErrorsNameTheStatement) {
  Connection connection = open();
  const auto wrong = connection.prepare("SELEKT 1");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("SELEKT"), std::string::npos);
  EXPECT_FALSE(connection.execute("INSERT INTO nothing VALUES(1)"));
  EXPECT_FALSE(connection.query_integer("SELECT 1 WHERE 0"));
  EXPECT_FALSE(connection.query_text("SELECT 'x' WHERE 0"));
  EXPECT_EQ(connection.query_integer("SELECT 41+1").value(), 42);
  EXPECT_EQ(connection.query_text("SELECT 'x'").value(), "x");
}

TEST_F(Sqlite, AStatementIsOfUseAgainAfterAFailedStep) {
  Connection connection = open();
  ASSERT_TRUE(connection.execute("CREATE TABLE t(x INTEGER PRIMARY KEY) STRICT"));
  Statement insert = connection.prepare("INSERT INTO t VALUES(?)").value();
  ASSERT_TRUE(insert.bind(1, 1).run());
  EXPECT_FALSE(insert.bind(1, 1).run());
  EXPECT_TRUE(insert.bind(1, 2).run());
  EXPECT_EQ(connection.query_integer("SELECT count(*) FROM t").value(), 2);
}

TEST_F(Sqlite, ALockedDatabaseFailsWithAHint) {
  Connection holder = open();
  Connection other = open();
  other.set_busy_timeout_ms(1);
  ASSERT_TRUE(holder.execute("BEGIN EXCLUSIVE"));
  const auto begun = other.execute("BEGIN IMMEDIATE");
  ASSERT_FALSE(begun);
  EXPECT_NE(begun.error().hint, "");
  ASSERT_TRUE(holder.execute("COMMIT"));
  EXPECT_TRUE(other.execute("BEGIN IMMEDIATE"));
}

TEST_F(Sqlite, TheSchemaCannotBeWrittenByHand) {
  Connection connection = open();
  ASSERT_TRUE(connection.execute("CREATE TABLE t(x)"));
  ASSERT_TRUE(connection.execute("PRAGMA writable_schema=ON"));
  EXPECT_FALSE(connection.execute("UPDATE sqlite_schema SET sql='CREATE TABLE t(y)'"));
  EXPECT_EQ(connection.query_integer("PRAGMA trusted_schema").value(), 0);
}

// Where SQLite's temporary files lie that this process has open; they have no name any more.
std::vector<std::string> directories_of_temporary_files() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::filesystem::path file = std::filesystem::read_symlink(entry, gone);
    if (file.filename().string().starts_with("etilqs_")) found.push_back(file.parent_path());
  }
  return found;
}

// Sorts far more than its cache of five pages holds; what it has open until it is closed.
Statement sort_on_disk(Connection& connection) {
  EXPECT_TRUE(connection.execute("PRAGMA cache_size=5"));
  Statement rows = connection
                       .prepare(
                           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<20000) "
                           "SELECT i, hex(randomblob(100)) AS text FROM n ORDER BY text")
                       .value();
  EXPECT_TRUE(rows.step().value());
  return rows;
}

TEST_F(Sqlite, WhatIsSortedOnDiskLiesWhereItWasWantedAndHasNoName) {
  const testing::TempDirectory wanted;
  keep_temporary_files_in(wanted.path());
  Connection connection = open();
  const Statement rows = sort_on_disk(connection);
  EXPECT_THAT(directories_of_temporary_files(), AllOf(Not(IsEmpty()), Each(Eq(wanted.path()))));
  EXPECT_TRUE(std::filesystem::is_empty(wanted.path()));
}

TEST_F(Sqlite, WhatIsSortedOnDiskLiesElsewhereWhereNothingCanBeWritten) {
  keep_temporary_files_in(path() + "/no directory");
  Connection connection = open();
  const Statement rows = sort_on_disk(connection);
  EXPECT_THAT(directories_of_temporary_files(), Not(IsEmpty()));
}

TEST_F(Sqlite, AClosedConnectionTakesAnOpenTransactionBack) {
  ASSERT_TRUE(open().execute("CREATE TABLE t(x)"));
  {
    Connection connection = open();
    ASSERT_TRUE(connection.execute("BEGIN; INSERT INTO t VALUES(1)"));
  }
  EXPECT_EQ(open().query_integer("SELECT count(*) FROM t").value(), 0);
}

// A disk that is mounted as long as it lives.
class SmallBlocks {
 public:
  SmallBlocks() {
    is_mounted_ = ::geteuid() == 0 && run("truncate -s 4M " + image() + " && mkdir " + path()) &&
                  run("mkfs.ext4 -q -b 1024 -m 0 -O ^has_journal " + image()) &&
                  run("mount -o loop " + image() + " " + path());
  }
  SmallBlocks(const SmallBlocks&) = delete;
  SmallBlocks& operator=(const SmallBlocks&) = delete;
  ~SmallBlocks() {
    if (!is_mounted_) return;
    EXPECT_TRUE(run("umount " + path()));
  }
  [[nodiscard]] bool is_mounted() const { return is_mounted_; }
  [[nodiscard]] std::string path() const { return directory_.path() + "/disk"; }
  // Until so much is free.
  void fill(std::uint64_t left_bytes) const {
    const std::string file = path() + "/filler";
    std::filesystem::remove(file);
    ASSERT_FALSE(run("dd if=/dev/zero of=" + file + " bs=1k")) << "it takes more than it has";
    ASSERT_TRUE(run("truncate -s -" + std::to_string(left_bytes) + " " + file));
  }

 private:
  static bool run(const std::string& command) {
    return std::system(("{ " + command + " ; } >/dev/null 2>&1").c_str()) == 0;
  }
  [[nodiscard]] std::string image() const { return directory_.path() + "/image"; }
  testing::TempDirectory directory_;
  bool is_mounted_ = false;
};

TEST(SqliteDeathTest, AFullDiskIsAnErrorAlsoWhereItsBlocksAreSmallerThanAPage) {
  const SmallBlocks disk;
  if (!disk.is_mounted()) GTEST_SKIP() << "no file system can be mounted here";
  const std::string path = disk.path() + "/test.db";
  {
    Connection connection = Connection::open(path, OpenAs::kCreate).value();
    ASSERT_TRUE(connection.use_write_ahead_log());
    ASSERT_TRUE(connection.execute("CREATE TABLE t(x); INSERT INTO t VALUES(1)"));
  }
  for (std::uint64_t left = 0; left <= 64u << 10; left += 2u << 10) {
    disk.fill(left);
    const auto use = [&path] {
      auto connection = Connection::open(path, OpenAs::kReadWrite);
      auto used = connection ? connection->execute("INSERT INTO t VALUES(2); DELETE FROM t WHERE x=2")
                             : std::unexpected(connection.error());
      ::_exit(used || used.error().cause == Cause::kNoSpace ? 0 : 1);
    };
    EXPECT_EXIT(use(), ::testing::ExitedWithCode(0), "") << left << " bytes are left";
  }
}

}  // namespace
}  // namespace spl::db
