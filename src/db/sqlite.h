// SQLite's C API as owned objects and Results. A Connection and its Statements belong to one thread
// at a time. Source: https://www.sqlite.org/c3ref/intro.html
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace spl::db {

// Where what SQLite sorts goes when it is too large for memory, as files without a name: not in /var/tmp, which may be
// small, or less well kept than the database. What cannot be written to is passed over. For the whole process; before
// the first connection.
void keep_temporary_files_in(const std::string& directory);

// "3.40.1"
std::string library_version();

class Connection;

// A prepared statement. Values that are bound are not copied: they live until the next step() or
// reset(). Columns live until the next step(), reset() or the end.
class Statement {
 public:
  Statement() = default;
  Statement(Statement&&) = default;
  Statement& operator=(Statement&&) = default;

  Statement& bind(int index, std::int64_t value);  // indexes begin at 1
  Statement& bind_text(int index, std::string_view text);
  Statement& bind_blob(int index, std::string_view octets);
  Statement& bind_null(int index);

  // True where there is a row. After false the statement is reset by itself.
  Result<bool> step();
  // Runs a statement that gives no rows, to its end.
  Result<void> run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;  // columns begin at 0
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::optional<std::string_view> optional_text(int column) const;
  [[nodiscard]] std::optional<std::string_view> optional_blob(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

enum class OpenAs : std::uint8_t {
  kReadWrite,
  kCreate,
  kUnchanging,  // to read only, without a lock: right only while nobody writes to the file
};

class Connection {
 public:
  // `vfs` is a registered name, or empty for the default. Foreign schemas are not trusted: no
  // extensions, trusted_schema off, defensive on, cell sizes checked.
  static Result<Connection> open(const std::string& path, OpenAs how, const std::string& vfs = {});
  Connection(Connection&&) = default;
  Connection& operator=(Connection&&) = default;

  // Any number of statements without values or rows.
  Result<void> execute(const std::string& sql);
  // Ends the transaction, if there is one. False where it could not be ended. Allocates nothing: for destructors.
  [[nodiscard]] bool roll_back() noexcept;
  Result<Statement> prepare(std::string_view sql);
  // The first column of the first row of a query without values.
  Result<std::int64_t> query_integer(std::string_view sql);
  Result<std::string> query_text(std::string_view sql);
  // Rows that the last INSERT, UPDATE or DELETE changed.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] std::int64_t last_rowid() const;
  // How long a statement waits for another connection's lock before it fails.
  void set_busy_timeout_ms(int timeout_ms);
  // Whether the path by which it was opened leads to no file any more, or to one of another inode. Always false with a
  // VFS that does not tell.
  [[nodiscard]] bool has_moved();
  // Nothing of the log is put into the database when this connection is the last to be closed.
  void leave_log_on_close();
  // All of the database, as this connection sees it now (within a read transaction: as it was when that began), into a
  // new file. `go_on` is asked now and then; false ends it with cause kCancelled.
  Result<void> copy_to(const std::string& path, const std::function<bool()>& go_on);
  // Puts the database into WAL mode, which it keeps. Any number of connections may do so at a time.
  Result<void> use_write_ahead_log();

 private:
  explicit Connection(sqlite3* handle) : handle_(handle) {}
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace spl::db
