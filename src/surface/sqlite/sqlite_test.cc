#include "surface/sqlite/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/examination.h"
#include "db/sqlite.h"
#include "surface/conformance.h"
#include "surface/driver_test_util.h"
#include "testing/temp_directory.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;

enum class Mode : std::uint8_t { kWal, kJournal };

// Databases on the real file system.
class Databases : public DriverRoom {
 public:
  Databases() {
    for (const char* name : {"data/0", "data/1"}) must(fs_.make_directory(path(name)));
  }

  void write(const std::string& path, Mode mode, int variant, int rows) {
    auto database = must(db::Connection::open(path, db::OpenAs::kCreate));
    if (mode == Mode::kWal) must(database.use_write_ahead_log());
    must(
        database.execute("DROP TABLE IF EXISTS t; CREATE TABLE t(a INTEGER, b TEXT);"
                         "CREATE TABLE IF NOT EXISTS \"odd \"\"name\"(x);"
                         "CREATE INDEX i ON t(a)"));
    must(database.execute("BEGIN"));
    for (int i = 0; i < rows; ++i)
      must(database.execute("INSERT INTO t VALUES(" + std::to_string(i) + ", 'variant " + std::to_string(variant) +
                            "')"));
    must(database.execute("COMMIT"));
  }

  std::string rows(const std::string& path) {
    auto database = must(db::Connection::open(path, db::OpenAs::kReadWrite));
    database.leave_log_on_close();
    auto statement = must(database.prepare("SELECT a, b FROM t ORDER BY a"));
    std::string text = path.substr(path.rfind('/') + 1) + ":";
    while (must(statement.step())) text += std::to_string(statement.integer(0)) + std::string(statement.text(1)) + ";";
    return text + "\n";
  }

  void clear(const std::string& directory) {
    for (const std::string& name : must(fs_.list(directory))) must(fs_.remove(directory + "/" + name));
  }

  // All but the databases themselves and their logs.
  std::string traces() {
    std::string names;
    for (const char* below : {"/data/0", "/data/1", "/spool", "/scratch"}) {
      for (const std::string& name : must(fs_.list(directory_.path() + below))) {
        if (!name.starts_with("a.") && !name.starts_with("b")) names += name + "\n";
      }
    }
    return names;
  }

  std::unique_ptr<BackupPart> backup(Place place) { return sqlite_backup(surroundings_, std::move(place)); }
  std::unique_ptr<RestorePart> restore(Place place, RestoreRequest request) {
    return sqlite_restore(surroundings_, std::move(place), std::move(request));
  }
};

template <Mode mode>
class OneDatabase : public Databases {
 public:
  Place place(int n) {
    Place place;
    place.kind = bundle::SurfaceKind::kSqlite;
    place.subject = "notes/db";
    place.path = data() + "/" + std::to_string(n) + "/a.db";
    return place;
  }
  void fill(const Place& place, int variant) { write(place.path, mode, variant, 10 * variant); }
  std::string state(const Place& place) { return must(fs().info(place.path)) ? rows(place.path) : ""; }
};

// Two databases in the first state, one of them and another one in the second.
class ManyDatabases : public Databases {
 public:
  Place place(int n) {
    Place place;
    place.kind = bundle::SurfaceKind::kSqlite;
    place.subject = "notes/db";
    place.path = data() + "/" + std::to_string(n) + "/*.db";
    return place;
  }
  void fill(const Place& place, int variant) {
    const std::string directory = env::parent_of(place.path);
    clear(directory);
    write(directory + "/a.db", Mode::kWal, variant, 3);
    write(directory + (variant == 1 ? "/b c.db" : "/b%.db"), Mode::kJournal, variant, 4);
  }
  std::string state(const Place& place) {
    const std::string directory = env::parent_of(place.path);
    std::string text;
    for (const std::string& name : must(fs().list(directory))) {
      if (name.ends_with(".db") && !name.starts_with(".")) text += rows(directory + "/" + name);
    }
    return text;
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(SqliteLog, DriverConformance, OneDatabase<Mode::kWal>);
INSTANTIATE_TYPED_TEST_SUITE_P(SqliteJournal, DriverConformance, OneDatabase<Mode::kJournal>);
INSTANTIATE_TYPED_TEST_SUITE_P(SqlitePattern, DriverConformance, ManyDatabases);

class SqliteDriver : public ::testing::Test {
 protected:
  SpooledPart taken(const Place& place) {
    const auto part = fixture_.backup(place_of(place));
    base::NoProgress progress;
    must(part->plan(progress));
    must(part->prepare(progress));
    must(part->open(Writers::kPaused, fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60)));
    auto files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
    must(part->stream(files, progress));
    files.rewind();
    return files;
  }
  static Place place_of(const Place& place) {
    Place copy;
    copy.kind = place.kind;
    copy.subject = place.subject;
    copy.path = place.path;
    return copy;
  }
  OneDatabase<Mode::kWal> fixture_;
};

TEST_F(SqliteDriver, ATransactionThatIsUnderWayIsNotTaken) {
  for (const Mode mode : {Mode::kWal, Mode::kJournal}) {
    const Place place = fixture_.place(0);
    fixture_.clear(env::parent_of(place.path));
    fixture_.write(place.path, mode, 1, 5);
    const std::string before = fixture_.rows(place.path);
    auto writer = must(db::Connection::open(place.path, db::OpenAs::kReadWrite));
    must(writer.execute("PRAGMA cache_size=1; BEGIN IMMEDIATE"));
    // More than the cache holds: some of it is in the file, or the log, and not committed.
    for (int i = 0; i < 2000; ++i) must(writer.execute("INSERT INTO t VALUES(99, zeroblob(500))"));
    SpooledPart files = taken(place);
    must(writer.execute("ROLLBACK"));
    const auto part = fixture_.restore(fixture_.place(1), {.id = "0123456789abcdef", .engine = {}});
    base::NoProgress progress;
    const std::string mark = must(part->stage(files, progress));
    must(part->swap(mark));
    EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
    must(part->discard(mark));
    must(fixture_.fs().remove(fixture_.place(1).path));
  }
}

TEST_F(SqliteDriver, AWriterGoesOnWhileTheBytesAreReadOut) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  const auto part = fixture_.backup(place_of(place));
  base::NoProgress progress;
  must(part->plan(progress));
  must(part->open(Writers::kPaused, fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60)));
  auto writer = must(db::Connection::open(place.path, db::OpenAs::kReadWrite));
  EXPECT_TRUE(writer.execute("INSERT INTO t VALUES(1000, 'later')"));
  auto files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
  must(part->stream(files, progress));
}

TEST_F(SqliteDriver, WhatIsNoDatabaseIsSaidBeforeAnyPause) {
  const Place place = fixture_.place(0);
  auto file = must(fixture_.fs().open(place.path, env::OpenMode::kCreate));
  must(file->write_at(0, "this is a text and no database"));
  base::NoProgress progress;
  const auto plan = fixture_.backup(place_of(place))->plan(progress);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("is no SQLite database"));
}

TEST_F(SqliteDriver, ADamagedDatabaseGivesNoBundle) {
  const Place place = fixture_.place(0);
  fixture_.write(place.path, Mode::kJournal, 1, 2000);
  auto file = must(fixture_.fs().open(place.path, env::OpenMode::kReadWrite));
  const std::uint64_t size = must(file->size());
  must(file->write_at(8192, std::string(static_cast<std::size_t>(size) - 8192, '\x5a')));
  const auto part = fixture_.backup(place_of(place));
  base::NoProgress progress;
  must(part->plan(progress));
  must(part->open(Writers::kPaused, fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60)));
  auto files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
  const auto streamed = part->stream(files, progress);
  ASSERT_FALSE(streamed);
  EXPECT_THAT(streamed.error().message, HasSubstr("damaged"));
}

TEST_F(SqliteDriver, ADatabaseThatIsBrokenInTheBundleIsRefusedByTheCheck) {
  const Place place = fixture_.place(0);
  fixture_.write(place.path, Mode::kJournal, 1, 2000);
  std::string content = must(env::read_file(fixture_.fs(), place.path, 16u << 20));
  content.replace(8192, std::string::npos, std::string(content.size() - 8192, '\x5a'));
  auto files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
  must(files.add("a.db.sqlite", content));
  files.rewind();
  const auto part = fixture_.restore(fixture_.place(1), {.id = "0123456789abcdef", .engine = {}});
  base::NoProgress progress;
  const std::string mark = must(part->stage(files, progress));
  const auto checked = part->check(mark, progress);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kVerification);
  must(part->discard(mark));
  EXPECT_FALSE(must(fixture_.fs().info(fixture_.place(1).path)));
}

// As VACUUM INTO and a rename do it: the mark is of a file that is not there any more.
TEST_F(SqliteDriver, WhatWasReplacedComesBackThoughTheServiceHasReplacedItsFile) {
  const Place place = fixture_.place(1);
  fixture_.fill(place, 1);
  const std::string before = fixture_.state(place);
  fixture_.fill(fixture_.place(0), 2);
  auto files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
  must(files.add("a.db.sqlite", must(env::read_file(fixture_.fs(), fixture_.place(0).path, 16u << 20))));
  files.rewind();
  const auto part = fixture_.restore(place_of(place), {.id = "0123456789abcdef", .engine = {}});
  base::NoProgress progress;
  const std::string mark = must(part->stage(files, progress));
  must(part->swap(mark));
  must(fixture_.fs().rename(fixture_.place(0).path, place.path));
  for (int i = 0; i < 2; ++i) must(part->swap_back(mark));
  must(part->discard(mark));
  EXPECT_EQ(fixture_.state(place), before);
}

// Two databases of one surface, which has one; a name that leads elsewhere.
TEST_F(SqliteDriver, FilesThatTheSurfaceCannotHaveAreRefused) {
  fixture_.fill(fixture_.place(0), 1);
  const std::string content = must(env::read_file(fixture_.fs(), fixture_.place(0).path, 16u << 20));
  const auto stage = [&](const Place& place, const std::vector<std::string>& names) {
    auto files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
    for (const std::string& name : names) must(files.add(name, content));
    files.rewind();
    const auto part = fixture_.restore(place_of(place), {.id = "0123456789abcdef", .engine = {}});
    base::NoProgress progress;
    const auto mark = part->stage(files, progress);
    EXPECT_TRUE(part->discard(""));
    return mark ? std::string("taken") : mark.error().message;
  };
  EXPECT_THAT(stage(fixture_.place(1), {"a.sqlite", "b.sqlite"}), HasSubstr("second database"));
  Place many = fixture_.place(1);
  many.path = fixture_.data() + "/1/*.db";
  EXPECT_THAT(stage(many, {"%2E.%2Fa.db.sqlite"}), HasSubstr("does not match"));
  EXPECT_THAT(stage(many, {"x.txt.sqlite"}), HasSubstr("does not match"));
  EXPECT_THAT(stage(many, {"x.db-wal.sqlite"}), HasSubstr("does not match"));
  EXPECT_EQ(stage(many, {"x.db.sqlite"}), "taken");
}

TEST(Examination, CountsWhatRunsByItself) {
  testing::TempDirectory directory;
  const std::string path = directory.path() + "/a.db";
  {
    auto database = must(db::Connection::open(path, db::OpenAs::kCreate));
    must(
        database.execute("CREATE TABLE t(a); INSERT INTO t VALUES(1),(2);"
                         "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;"
                         "CREATE VIEW v AS SELECT * FROM t; CREATE VIRTUAL TABLE f USING fts5(x)"));
  }
  base::NoProgress progress;
  const auto seen = must(db::examine_database(path, progress));
  EXPECT_EQ(seen.triggers, 1u);
  EXPECT_EQ(seen.views, 1u);
  EXPECT_EQ(seen.virtual_tables, 1u);
  EXPECT_GE(seen.rows, 2u);
}

}  // namespace
}  // namespace spl::surface
