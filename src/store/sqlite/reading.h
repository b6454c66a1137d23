// What readers and writers of the SQLite store share: every question, asked on one connection. One thread.
#pragma once

#include <map>
#include <string>

#include "db/sqlite.h"
#include "store/record_store.h"

namespace spl::store {

// A connection and the statements that were asked for on it once.
class PreparedConnection {
 public:
  explicit PreparedConnection(db::Connection c) : connection(std::move(c)) {}
  // `sql` must be a constant. The statement is reset.
  Result<db::Statement*> get(const char* sql);
  // Before an index that they use goes.
  void forget_statements() { statements_.clear(); }

  db::Connection connection;

 private:
  std::map<const char*, db::Statement> statements_;  // by the constant's address; gone before the connection
};

// Base is StoreReader or StoreWriter.
template <class Base>
class Reading : public Base {
 public:
  explicit Reading(PreparedConnection& session) : session_(session) {}

  Result<StoreCounts> counts() override;
  Result<std::uint64_t> log_size() override;
  Result<std::string> incarnation() override;
  Result<bool> look(const RecordId& id, const RecordVisitor& visit) override;
  Result<std::vector<RecordId>> ids_beginning(std::string_view digits, std::size_t limit) override;
  Result<void> thread_records(std::string_view thread, RecordOrder order, const RecordVisitor& visit) override;
  Result<void> changes(std::uint64_t since, std::uint64_t limit, std::optional<std::string_view> thread,
                       const RecordVisitor& visit) override;
  Result<void> newest_first(std::uint64_t since, std::optional<std::string_view> thread,
                            const RecordVisitor& visit) override;
  Result<std::optional<Arrival>> arrival(std::uint64_t sequence) override;
  Result<std::optional<std::uint64_t>> first_arrived_since(std::int64_t seconds) override;
  Result<std::optional<KeptAnswer>> kept_answer(const Digest& key) override;
  Result<void> bundle_order(
      const std::function<Result<void>(std::string_view directory, const StoredRecord&)>& visit) override;
  Result<void> threads(const ThreadVisitor& visit) override;
  Result<std::optional<ThreadSummary>> thread(std::string_view thread) override;
  Result<std::uint64_t> next_clock(std::string_view actor, std::string_view thread) override;
  Result<std::optional<std::string>> setting(std::string_view name) override;
  Result<std::map<std::string, std::string>> settings_beginning(std::string_view prefix) override;
  Result<std::vector<Token>> tokens() override;
  Result<std::uint64_t> redacted_count() override;
  Result<void> redacted(const RedactedVisitor& visit) override;

 protected:
  // Writers keep sums in memory that belong in the tables before anything is read.
  virtual Result<void> before_read() { return {}; }
  // A writer that expects many has put off the index by which records are found.
  virtual Result<void> before_find() { return {}; }
  Result<std::optional<std::int64_t>> thread_no(std::string_view thread);
  PreparedConnection& session_;

 private:
  Result<record::ThreadState> state_of(std::int64_t thread_no, std::uint8_t flags);
  Result<ThreadSummary> summary(db::Statement& row);
  Result<void> walk(db::Statement& rows, const RecordVisitor& visit);
  Result<void> visit_at(std::int64_t sequence, const RecordVisitor& visit);
};

}  // namespace spl::store
