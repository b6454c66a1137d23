#include "store/sqlite/sqlite_store.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "db/sqlite.h"
#include "store/conformance.h"
#include "store/conformance_beside.h"
#include "store/conformance_load.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::store {
namespace {

struct SqliteBackend {
  spl::testing::TempDirectory directory;
  spl::testing::FakeClock clock;
  std::unique_ptr<RecordStore> store =
      open_sqlite_store({.path = directory.path() + "/hub.db", .vfs = "", .clock = &clock}, StoreOpen::kCreate).value();
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreConformance, SqliteBackend);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreUnderLoad, SqliteBackend);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreBesideRecords, SqliteBackend);

using conformance::make;
using conformance::Model;
using conformance::nth;
using conformance::put;

class SqliteStore : public ::testing::Test {
 protected:
  [[nodiscard]] std::string parent() const { return directory_.path(); }
  [[nodiscard]] std::string path() const { return directory_.path() + "/hub.db"; }
  std::unique_ptr<RecordStore> open(StoreOpen how = StoreOpen::kCreate) {
    return open_sqlite_store({path(), ""}, how).value();
  }
  db::Connection connection() { return db::Connection::open(path(), db::OpenAs::kReadWrite).value(); }

  // What the sqlite3 program prints.
  std::string shell(const std::string& sql) {
    const std::string file = directory_.path() + "/query.sql";
    std::ofstream(file) << sql;
    const std::string command = "sqlite3 -batch '" + path() + "' < '" + file + "' 2>&1";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    std::string out;
    std::array<char, 4096> block{};
    for (std::size_t n = 0; (n = std::fread(block.data(), 1, block.size(), pipe.get())) > 0;)
      out.append(block.data(), n);
    return out;
  }

 private:
  spl::testing::TempDirectory directory_;
};

TEST_F(SqliteStore, NamesItsFile) {
  EXPECT_EQ(open()->name(), "sqlite:" + path());
}

TEST_F(SqliteStore, IsNotMadeWhereAnExistingOneIsWanted) {
  EXPECT_FALSE(open_sqlite_store({path(), ""}, StoreOpen::kExisting));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(SqliteStore, ReopenedHasAllThatWasThere) {
  Model model;
  std::string incarnation;
  {
    auto store = open();
    auto writer = store->writer().value();
    for (std::uint64_t n = 0; n < 500; ++n) {
      Record record = nth(n, "t" + std::to_string(n % 7));
      if (n % 3 == 0) record.judged_by = "j";
      ASSERT_EQ(writer->put(record).value(), model.put(record));
    }
    ASSERT_TRUE(writer->set_setting("s", "v"));
    ASSERT_TRUE(writer->put_token({Digest(), "ann", {"read"}, "now", {}}));
    ASSERT_TRUE(writer->commit());
    incarnation = writer->incarnation().value();
  }
  model.settings["s"] = "v";
  for (const StoreOpen how : {StoreOpen::kExisting, StoreOpen::kCreate}) {
    auto store = open(how);
    auto reader = store->reader().value();
    model.expect_same(*reader);
    EXPECT_EQ(reader->incarnation().value(), incarnation);
    EXPECT_EQ(reader->tokens().value().size(), 1u);
    EXPECT_TRUE(store->check());
    const Record next = nth(1000 + static_cast<std::uint64_t>(how));
    reader.reset();
    put(*store, {next});
    model.put(next);
  }
}

TEST_F(SqliteStore, WrittenWhileManyWereExpectedIsTheSameWhenReopened) {
  Model model;
  {
    auto store = open();
    auto writer = store->writer().value();
    ASSERT_TRUE(writer->expect_many_distinct());
    for (std::uint64_t n = 0; n < 500; ++n) {
      ASSERT_EQ(writer->put(nth(n)).value(), model.put(nth(n)));
    }
    ASSERT_TRUE(writer->commit());
  }
  auto store = open(StoreOpen::kExisting);
  model.expect_same(*store->reader().value());
  EXPECT_TRUE(store->check());
  EXPECT_EQ(put(*store, {nth(77)}), std::vector{PutOutcome::kDuplicate});
  EXPECT_NE(shell("SELECT sql FROM sqlite_schema WHERE name='record_log_id';").find("UNIQUE"), std::string::npos);
}

TEST_F(SqliteStore, IsReadableByTheSqlite3Program) {
  const std::string odd =
      "{\"a\":\"é\xF0\x9F\x98\x80\x7F \xE2\x80\xA8 "
      "\\u0000\\\\\\\"/\\n\",\"big\":1234567890123456789012345678901234567890,"
      "\"e\":1e-7,\"list\":[9007199254740993,-0.5,1e+21,null,true],\"{}\":{}}";
  Record record = make(
      {.act = "KNOW", .actor = "did:x:é", .thread = "é '\"", .clock = INT64_MAX, .body = odd, .parents = {nth(1).id}});
  ASSERT_EQ(record.body(), odd) << "canonical already";
  record.judged_by = "judge";
  put(*open(), {nth(1), record});
  EXPECT_EQ(shell("SELECT count(*) FROM records;"), "2\n");
  const std::string where = " FROM records WHERE id='" + record.id.hex() + "';";
  EXPECT_EQ(shell("SELECT thread" + where), "é '\"\n");
  EXPECT_EQ(shell("SELECT actor" + where), "did:x:é\n");
  EXPECT_EQ(shell("SELECT act" + where), "KNOW\n");
  EXPECT_EQ(shell("SELECT clock" + where), "9223372036854775807\n");
  EXPECT_EQ(shell("SELECT body" + where), odd + "\n");
  EXPECT_EQ(shell("SELECT data_type" + where), "VOID\n");
  EXPECT_EQ(shell("SELECT parents" + where), "[\"" + nth(1).id.hex() + "\"]\n");
  EXPECT_EQ(shell("SELECT judged_by" + where), "judge\n");
  EXPECT_EQ(shell("SELECT id, thread, actor, act, clock, body FROM records WHERE sequence=1;"),
            nth(1).id.hex() + "|t|did:x:a|DO|1|{\"n\":1}\n");
}

TEST_F(SqliteStore, IsReadableByTheSqlite3ProgramWhileAWriterWrites) {
  auto store = open();
  put(*store, {nth(1)});
  auto writer = store->writer().value();
  ASSERT_TRUE(writer->put(nth(2)));
  EXPECT_EQ(shell("SELECT count(*) FROM records;"), "1\n");
  EXPECT_NE(shell("CREATE TABLE t(x);").find("locked"), std::string::npos);
}

TEST_F(SqliteStore, TwoStoresOnOneFileBothWrite) {
  auto first = open();
  auto second = open(StoreOpen::kExisting);
  Model model;
  for (std::uint64_t n = 0; n < 30; ++n) {
    // Threads and actors that the other store met first.
    const Record record =
        make({.actor = "did:x:" + std::to_string(n / 2), .thread = "t" + std::to_string(n / 3), .clock = n});
    put(n % 2 == 0 ? *first : *second, {record});
    model.put(record);
  }
  model.expect_same(*first->reader().value());
  model.expect_same(*second->reader().value());
  EXPECT_TRUE(first->check());
}

TEST_F(SqliteStore, TwoStoresOnOneFileTakeTurns) {
  std::vector<std::thread> threads;
  std::vector<std::unique_ptr<RecordStore>> stores;
  for (int i = 0; i < 2; ++i) stores.push_back(open());
  for (std::uint64_t s = 0; s < 2; ++s) {
    threads.emplace_back([&stores, s] {
      for (std::uint64_t round = 0; round < 25; ++round) {
        auto writer = stores[s]->writer().value();
        const int n = std::stoi(writer->setting("n").value().value_or("0"));
        EXPECT_EQ(writer->put(nth(s * 1000 + round, "t" + std::to_string(round))).value(), PutOutcome::kInserted);
        EXPECT_TRUE(writer->set_setting("n", std::to_string(n + 1)));
        if (round % 5 == 4) continue;
        EXPECT_TRUE(writer->commit());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stores[0]->reader().value()->setting("n").value(), "40");
  EXPECT_EQ(conformance::count(*stores[1]), 40u);
  EXPECT_TRUE(stores[0]->check());
}

TEST_F(SqliteStore, MadeByManyAtOnceIsOneStore) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    std::vector<std::string> incarnations(4);
    for (std::string& incarnation : incarnations) {
      threads.emplace_back([this, &incarnation] {
        const auto store = open_sqlite_store({path(), ""}, StoreOpen::kCreate);
        ASSERT_TRUE(store) << store.error().message;
        incarnation = (*store)->reader().value()->incarnation().value();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(std::set(incarnations.begin(), incarnations.end()).size(), 1u);
    EXPECT_EQ(incarnations[0].size(), 32u);
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path() + end);
  }
}

TEST_F(SqliteStore, OpensWhileAnotherWrites) {
  auto store = open();
  auto writer = store->writer().value();
  ASSERT_TRUE(writer->put(nth(1)));
  auto other = open(StoreOpen::kExisting);
  EXPECT_EQ(conformance::count(*other), 0u);
}

TEST_F(SqliteStore, OfVersion1LearnsWhichSignaturesAreRight) {
  const std::string did = crypto::did_of(conformance::signer().public_key());
  Record right = make({.actor = did, .thread = "th_consent", .clock = 1});
  right.sig = conformance::signer().sign(right.canonical);
  Record wrong = make({.actor = did, .thread = "th_consent", .clock = 2});
  wrong.sig = right.sig;
  const Record none = make({.actor = did, .thread = "th_consent", .clock = 3});
  put(*open(), {right, wrong, none});
  ASSERT_TRUE(connection().execute(
      "UPDATE record_log SET flags=flags & ~32; DROP TABLE redacted; DROP TABLE arrivals; DROP TABLE answers; "
      "PRAGMA user_version=1"));
  auto store = open(StoreOpen::kExisting);
  std::map<RecordId, bool> signed_ones;
  const auto note = [&signed_ones](const StoredRecord& row) -> Result<void> {
    signed_ones[row.id] = row.is_signed;
    return {};
  };
  ASSERT_TRUE(store->reader().value()->thread_records("th_consent", RecordOrder::kAny, note));
  EXPECT_EQ(signed_ones, (std::map<RecordId, bool>{{right.id, true}, {wrong.id, false}, {none.id, false}}));
  EXPECT_EQ(store->reader().value()->redacted_count().value(), 0u);
  EXPECT_EQ(connection().query_integer("PRAGMA user_version").value(), 4);
}

TEST_F(SqliteStore, OfVersion2KeepsItsRecordsAndLearnsOfRedactedOnes) {
  const Record record = nth(1);
  put(*open(), {record});
  ASSERT_TRUE(
      connection().execute("DROP TABLE redacted; DROP TABLE arrivals; DROP TABLE answers; PRAGMA user_version=2"));
  for (const StoreOpen how : {StoreOpen::kReading, StoreOpen::kExisting}) {
    auto store = open(how);
    Model model;
    model.put(record);
    model.expect_same(*store->reader().value());
    EXPECT_TRUE(store->check());
    EXPECT_EQ(connection().query_integer("PRAGMA user_version").value(), 4);
  }
  const auto store = open();
  auto writer = store->writer().value();
  EXPECT_TRUE(writer->put_redacted(conformance::redacted(nth(2))).value());
}

TEST_F(SqliteStore, TheSqlite3ProgramShowsWhatIsRedacted) {
  auto store = open();
  auto writer = store->writer().value();
  ASSERT_TRUE(writer->put_redacted(conformance::redacted(nth(5, "é"))).value());
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(shell("SELECT lower(hex(id)), thread, actor, act, clock, peer FROM redacted;"),
            nth(5, "é").id.hex() + "|é|did:x:a|DO|5|did:x:peer\n");
  EXPECT_EQ(shell("SELECT count(*) FROM records;"), "0\n");
}

TEST_F(SqliteStore, CheckFindsARecordThatIsThereAndRedactedAsWell) {
  auto store = open();
  put(*store, {nth(1)});
  ASSERT_TRUE(connection().execute("INSERT INTO redacted SELECT id, 't', 'a', 'DO', 1, 'p' FROM record_log"));
  EXPECT_FALSE(store->check());
  ASSERT_TRUE(connection().execute("UPDATE redacted SET act='SAY'"));
  EXPECT_FALSE(store->reader().value()->redacted([](const RedactedRecord&) -> Result<void> { return {}; }));
}

TEST_F(SqliteStore, OfANewerVersionIsRefused) {
  put(*open(), {nth(1)});
  const auto old_version = connection().query_integer("PRAGMA user_version").value();
  ASSERT_TRUE(connection().execute("PRAGMA user_version=" + std::to_string(old_version + 1)));
  for (const StoreOpen how : {StoreOpen::kExisting, StoreOpen::kCreate}) {
    const auto store = open_sqlite_store({path(), ""}, how);
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().message.find("newer"), std::string::npos) << store.error().message;
  }
  ASSERT_TRUE(connection().execute("PRAGMA user_version=" + std::to_string(old_version)));
  EXPECT_EQ(conformance::count(*open()), 1u);
}

TEST_F(SqliteStore, ADatabaseOfAnotherProgramIsRefusedAndStaysAsItWas) {
  const std::vector<std::string> foreign = {
      "CREATE TABLE t(x); INSERT INTO t VALUES(1)", "CREATE TABLE t(x); PRAGMA user_version=70",
      "CREATE TABLE record_log(x); PRAGMA user_version=1", "PRAGMA application_id=1234", "PRAGMA user_version=4"};
  for (const std::string& sql : foreign) {
    std::filesystem::remove(path());
    ASSERT_TRUE(db::Connection::open(path(), db::OpenAs::kCreate).value().execute(sql));
    const auto content = [this] {
      std::ostringstream text;
      text << std::ifstream(path()).rdbuf();
      return text.str();
    };
    const std::string before = content();
    ASSERT_FALSE(before.empty());
    for (const StoreOpen how : {StoreOpen::kExisting, StoreOpen::kCreate}) {
      const auto store = open_sqlite_store({path(), ""}, how);
      ASSERT_FALSE(store) << sql;
      EXPECT_NE(store.error().message.find("not a record store"), std::string::npos) << store.error().message;
    }
    EXPECT_EQ(content(), before) << sql;
  }
}

TEST_F(SqliteStore, AFileThatIsNoDatabaseIsRefusedAndStaysAsItWas) {
  const std::string text = "to do: buy milk\n" + std::string(5000, 'x');
  std::ofstream(path()) << text;
  EXPECT_FALSE(open_sqlite_store({path(), ""}, StoreOpen::kCreate));
  EXPECT_FALSE(open_sqlite_store({path(), ""}, StoreOpen::kExisting));
  EXPECT_EQ(std::filesystem::file_size(path()), text.size());
}

TEST_F(SqliteStore, CheckFindsADamagedPage) {
  {
    auto store = open();
    auto writer = store->writer().value();
    for (std::uint64_t n = 0; n < 2000; ++n) {
      ASSERT_TRUE(writer->put(nth(n, "t" + std::to_string(n % 11))));
    }
    ASSERT_TRUE(writer->commit());
  }
  const std::uint64_t pages = std::filesystem::file_size(path()) / 4096;
  ASSERT_GT(pages, 50u);
  std::string original;
  {
    std::ostringstream text;
    text << std::ifstream(path()).rdbuf();
    original = text.str();
  }
  // Every twentieth page, and always the first after the schema's.
  for (std::uint64_t page = 1; page < pages; page += 20) {
    std::string damaged = original;
    damaged.replace(page * 4096, 4096, std::string(4096, '\xA5'));
    std::ofstream(path(), std::ios::trunc) << damaged;
    const auto store = open_sqlite_store({path(), ""}, StoreOpen::kExisting);
    if (!store) continue;
    EXPECT_FALSE((*store)->check()) << "page " << page;
  }
  std::ofstream(path(), std::ios::trunc) << original;
  EXPECT_TRUE(open()->check());
}

TEST_F(SqliteStore, CheckFindsAWrongCount) {
  auto store = open();
  put(*store, {nth(1), nth(2)});
  EXPECT_TRUE(store->check());
  ASSERT_TRUE(connection().execute("UPDATE threads SET records=3"));
  EXPECT_FALSE(store->check());
}

TEST_F(SqliteStore, FindRefusesContentThatIsNotThatOfItsId) {
  auto store = open();
  put(*store, {nth(1)});
  ASSERT_TRUE(connection().execute("UPDATE record_log SET canonical=replace(canonical, '\"n\":1', '\"n\":2')"));
  EXPECT_FALSE(store->reader().value()->find(nth(1).id));
  EXPECT_TRUE(store->reader().value()->contains(nth(1).id).value());
}

TEST_F(SqliteStore, IdsAndSignaturesOfAWrongLengthAreErrors) {
  auto store = open();
  put(*store, {nth(1)});
  const auto walk = [&store] {
    return store->reader().value()->changes(0, 10, {}, [](const StoredRecord&) -> Result<void> { return {}; });
  };
  EXPECT_TRUE(walk());
  for (const char* damage : {"sig=x'00'", "sig=x''", "sig=NULL, id=x'0102'", "id=x''"}) {
    ASSERT_TRUE(connection().execute("UPDATE record_log SET " + std::string(damage)));
    const auto walked = walk();
    ASSERT_FALSE(walked) << damage;
    EXPECT_EQ(walked.error().hint, "run spl doctor");
  }
  ASSERT_TRUE(connection().execute("INSERT INTO tokens VALUES(x'01', 'ci', '', '2026-01-31T12:00:00Z', NULL)"));
  EXPECT_FALSE(store->reader().value()->tokens());
}

// What can become of the files of a store while it is open.
struct Loss {
  const char* name;
  void (*happen)(const std::string& path);
};
void copy_files(const std::string& from, const std::string& to) {
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::copy_file(from + end, to + end);
}
const Loss kLosses[] = {
    {"removed", [](const std::string& path) { std::filesystem::remove(path); }},
    {"replaced by rename",
     [](const std::string& path) {
       std::filesystem::copy_file(path, path + ".new");
       std::filesystem::rename(path + ".new", path);
     }},
    {"its log removed", [](const std::string& path) { std::filesystem::remove(path + "-wal"); }},
    {"its directory renamed away",
     [](const std::string& path) {
       const auto directory = std::filesystem::path(path).parent_path();
       std::filesystem::rename(directory, directory.string() + ".away");
     }},
    {"another volume in its place",
     [](const std::string& path) {
       const auto directory = std::filesystem::path(path).parent_path();
       std::filesystem::rename(directory, directory.string() + ".away");
       std::filesystem::create_directory(directory);
       copy_files(directory.string() + ".away/hub.db", path);
     }},
};

TEST_F(SqliteStore, WhoseFilesAreNoLongerThereAcknowledgesNothing) {
  for (const Loss& loss : kLosses) {
    for (const bool during : {false, true}) {
      const std::string directory = parent() + "/" + std::to_string(&loss - kLosses) + (during ? "during" : "before");
      std::filesystem::create_directory(directory);
      const auto store = open_sqlite_store({directory + "/hub.db", ""}, StoreOpen::kCreate).value();
      put(*store, {nth(1)});
      EXPECT_FALSE(store->is_lost());
      auto earlier = store->reader().value();
      if (!during) loss.happen(directory + "/hub.db");
      auto writer = store->writer();
      EXPECT_EQ(writer.has_value(), during) << loss.name;
      if (during) {
        ASSERT_TRUE((*writer)->put(nth(2)));
        loss.happen(directory + "/hub.db");
        EXPECT_FALSE((*writer)->commit()) << loss.name;
        writer->reset();
      }
      EXPECT_TRUE(store->is_lost()) << loss.name;
      EXPECT_EQ(earlier->counts().value().records, 1u);
      EXPECT_FALSE(store->reader()) << loss.name;
      const auto again = store->writer();
      ASSERT_FALSE(again) << loss.name;
      EXPECT_NE(again.error().message.find("was removed or replaced"), std::string::npos) << again.error().message;
    }
  }
}

TEST_F(SqliteStore, StaysWhereItIsByARelativePathAndThroughALink) {
  std::filesystem::create_directory_symlink(parent(), parent() + "/link");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(parent());
  const auto linked = open_sqlite_store({parent() + "/link/hub.db", ""}, StoreOpen::kCreate).value();
  const auto relative = open_sqlite_store({"hub.db", ""}, StoreOpen::kExisting).value();
  std::filesystem::current_path(before);
  put(*relative, {nth(1)});
  put(*linked, {nth(2)});
  std::filesystem::create_directory(parent() + "/other");
  copy_files(path(), parent() + "/other/hub.db");
  std::filesystem::remove(parent() + "/link");
  std::filesystem::create_directory_symlink(parent() + "/other", parent() + "/link");
  EXPECT_FALSE(linked->writer());
  EXPECT_TRUE(relative->writer());
}

TEST_F(SqliteStore, ManyReadersAtOnceAreGivenBack) {
  auto store = open();
  put(*store, {nth(1)});
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<StoreReader>> readers;
    for (int i = 0; i < 20; ++i) {
      readers.push_back(store->reader().value());
      EXPECT_EQ(readers.back()->counts().value().records, static_cast<std::uint64_t>(round + 1));
    }
    put(*store, {nth(static_cast<std::uint64_t>(round) + 10)});
  }
  EXPECT_EQ(conformance::count(*store), 4u);
}

TEST_F(SqliteStore, AReaderThatIsGivenBackHoldsNoState) {
  auto store = open();
  put(*store, {nth(1)});
  {
    auto reader = store->reader().value();
    // Walks that end early leave their statements in the middle.
    (void)reader->thread_records("t", RecordOrder::kAny,
                                 [](const StoredRecord&) -> Result<void> { return fail("enough"); });
    (void)reader->find(nth(1).id);
  }
  put(*store, {nth(2)});
  // Only where no reader holds the log can it be written back whole.
  db::Connection other = connection();
  db::Statement checkpoint = other.prepare("PRAGMA wal_checkpoint(TRUNCATE)").value();
  ASSERT_TRUE(checkpoint.step().value());
  EXPECT_EQ(checkpoint.integer(0), 0) << "not blocked";
  EXPECT_EQ(conformance::count(*store), 2u);
}

}  // namespace
}  // namespace spl::store
