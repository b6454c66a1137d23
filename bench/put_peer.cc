// put_peer DATABASE RECORDS BATCH [COUNT]: what putting records costs in SQLite alone. Makes the store's own tables in
// DATABASE (which must not be there) and inserts the records of the NDJSON file RECORDS (the first COUNT) through
// SQLite's C API, one transaction for BATCH of them, with the settings that the store gives a connection: the same
// rows, indexes and durability, and nothing else. Reading, parsing and hashing are done before the clock of a batch
// starts. Prints JSON: records, transactions, seconds and processor seconds of the transactions alone.
#include <sqlite3.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "db/sqlite.h"
#include "record/record.h"
#include "record/thread.h"
#include "store/sqlite/schema.h"

namespace {

using spl::Record;

[[noreturn]] void die(const std::string& why) {
  std::cerr << "put_peer: " << why << "\n";
  std::exit(1);
}

template <class T>
T value_or_die(spl::Result<T> result) {
  if (!result) die(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Makes the tables; the settings that a connection of the store has, as SQL.
std::string prepare(const std::string& path) {
  auto connection = value_or_die(spl::db::Connection::open(path, spl::db::OpenAs::kCreate));
  const spl::store::StoreSizes sizes;
  value_or_die(spl::store::prepare_schema(connection, sizes));
  std::string settings = "PRAGMA cache_size=-" + std::to_string(sizes.writer_cache_kib);
  for (const char* name : {"synchronous", "wal_autocheckpoint", "journal_size_limit"}) {
    const std::string query = std::string("PRAGMA ") + name;
    settings += ";" + query + "=" + std::to_string(value_or_die(connection.query_integer(query)));
  }
  return settings;
}

class Statement {
 public:
  Statement(sqlite3* database, const char* sql) : database_(database) {
    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK) fail();
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  Statement& bind(int index, std::int64_t value) {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
  }
  Statement& bind_text(int index, std::string_view text) {
    sqlite3_bind_text64(statement_, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
  }
  Statement& bind_blob(int index, std::string_view octets) {
    sqlite3_bind_blob64(statement_, index, octets.data(), octets.size(), SQLITE_STATIC);
    return *this;
  }
  Statement& bind_null(int index) {
    sqlite3_bind_null(statement_, index);
    return *this;
  }
  void run() {
    if (sqlite3_step(statement_) != SQLITE_DONE) fail();
    sqlite3_reset(statement_);
  }

 private:
  [[noreturn]] void fail() const { die(sqlite3_errmsg(database_)); }
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

// Inserts as a program that keeps its names in memory does.
class Inserter {
 public:
  explicit Inserter(sqlite3* database) : database_(database) {}

  void insert(const std::vector<Record>& batch) {
    begin_.run();
    for (const Record& record : batch) insert_one(record);
    for (const auto& [number, sum] : sums_)
      update_thread_.bind(1, sum.records).bind(2, sum.last_sequence).bind(3, sum.flags).bind(4, number).run();
    for (const auto& [key, clock] : clocks_) upsert_clock_.bind(1, key.first).bind(2, key.second).bind(3, clock).run();
    sums_.clear();
    clocks_.clear();
    commit_.run();
  }

 private:
  struct Sum {
    std::int64_t records = 0;
    std::int64_t last_sequence = 0;
    std::int64_t flags = 0;
  };

  void insert_one(const Record& record) {
    const std::int64_t thread = thread_number(record.thread);
    const std::int64_t actor = actor_number(record.actor);
    const auto clock = static_cast<std::int64_t>(record.clock);
    const std::int64_t flags = spl::record::fold_flags(record);
    insert_.bind_blob(1, record.id.digest.view()).bind(2, thread).bind(3, flags).bind(4, clock);
    insert_.bind_text(5, record.canonical);
    record.judged_by ? insert_.bind_text(6, *record.judged_by) : insert_.bind_null(6);
    record.sig ? insert_.bind_blob(7, record.sig->view()) : insert_.bind_null(7);
    insert_.run();
    Sum& sum = sums_[thread];
    sum.records += 1;
    sum.last_sequence = sqlite3_last_insert_rowid(database_);
    sum.flags |= flags;
    std::int64_t& latest = clocks_[{thread, actor}];
    latest = std::max(latest, clock);
  }

  std::int64_t thread_number(const std::string& thread) {
    const auto [at, fresh] = threads_.try_emplace(thread);
    if (fresh) {
      insert_thread_.bind_text(1, thread).bind_text(2, spl::record::thread_directory(thread)).run();
      at->second = sqlite3_last_insert_rowid(database_);
    }
    return at->second;
  }

  std::int64_t actor_number(const std::string& actor) {
    const auto [at, fresh] = actors_.try_emplace(actor);
    if (fresh) {
      insert_actor_.bind_text(1, actor).run();
      at->second = sqlite3_last_insert_rowid(database_);
    }
    return at->second;
  }

  sqlite3* database_;
  Statement begin_{database_, "BEGIN IMMEDIATE"};
  Statement commit_{database_, "COMMIT"};
  Statement insert_{database_,
                    "INSERT INTO record_log(id, thread_no, flags, clock, canonical, judged_by, sig) "
                    "VALUES(?,?,?,?,?,?,?) ON CONFLICT(id) DO NOTHING"};
  Statement insert_thread_{database_,
                           "INSERT INTO threads(thread, directory, records, last_sequence, flags) VALUES(?,?,0,0,0)"};
  Statement insert_actor_{database_, "INSERT INTO actors(actor) VALUES(?)"};
  Statement update_thread_{database_,
                           "UPDATE threads SET records=records+?, last_sequence=?, flags=flags|? WHERE thread_no=?"};
  Statement upsert_clock_{
      database_, "INSERT INTO clocks VALUES(?,?,?) ON CONFLICT DO UPDATE SET clock=max(clock, excluded.clock)"};
  std::unordered_map<std::string, std::int64_t> threads_;
  std::unordered_map<std::string, std::int64_t> actors_;
  std::map<std::int64_t, Sum> sums_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> clocks_;
};

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

struct Spent {
  std::size_t records = 0;
  std::size_t transactions = 0;
  double seconds = 0;
  double processor = 0;
};

void insert_timed(Inserter& inserter, const std::vector<Record>& batch, Spent& spent) {
  const double processor = processor_seconds();
  const auto begun = std::chrono::steady_clock::now();
  inserter.insert(batch);
  spent.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  spent.processor += processor_seconds() - processor;
  spent.records += batch.size();
  spent.transactions += 1;
}

Spent insert_all(sqlite3* database, std::istream& in, std::size_t batch_records, std::size_t count) {
  Inserter inserter(database);
  Spent spent;
  std::vector<Record> batch;
  std::string line;
  while (spent.records + batch.size() < count && std::getline(in, line)) {
    batch.push_back(value_or_die(spl::record::parse_record_line(line)));
    if (batch.size() < batch_records) continue;
    insert_timed(inserter, batch, spent);
    batch.clear();
  }
  if (!batch.empty()) insert_timed(inserter, batch, spent);
  return spent;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t batch_records = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  if (batch_records == 0) die("usage: put_peer DATABASE RECORDS BATCH [COUNT]");
  const std::size_t count = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : SIZE_MAX;
  std::ifstream in(argv[2]);
  if (!in) die(std::string("cannot read ") + argv[2]);
  const std::string settings = prepare(argv[1]);
  sqlite3* database = nullptr;
  if (sqlite3_open(argv[1], &database) != SQLITE_OK) die("cannot open the database");
  if (sqlite3_exec(database, settings.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) die(sqlite3_errmsg(database));
  const Spent spent = insert_all(database, in, batch_records, count);
  sqlite3_close(database);
  std::printf("{\"records\":%zu,\"transactions\":%zu,\"seconds\":%.6f,\"processor_s\":%.6f}\n", spent.records,
              spent.transactions, spent.seconds, spent.processor);
  return 0;
}
