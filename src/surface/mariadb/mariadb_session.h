// A session with a MariaDB server: owned, with waits that end when they should. A statement is one statement: the
// server takes no second one after it, and asks this side for no file. One thread at a time. Source:
// https://mariadb.com/kb/en/mariadb-connector-c/
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"
#include "surface/mariadb/mariadb_address.h"

struct st_mysql;      // NOLINT(readability-identifier-naming): the library's
struct st_mysql_res;  // NOLINT(readability-identifier-naming)

namespace spl::surface {

// What a restore has beside the live databases begins with it.
inline constexpr std::string_view kMariadbOwn = "spl_";

// What a query gave, whole: at most kMariadbResultBytesMax.
class MariadbRows {
 public:
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  // Rows and columns from 0. NULL, and a column that is not there, is the empty text.
  [[nodiscard]] const std::string& text(std::size_t row, std::size_t column) const;
  [[nodiscard]] std::uint64_t number(std::size_t row, std::size_t column) const;  // 0 of what is none
  [[nodiscard]] bool is_null(std::size_t row, std::size_t column) const;
  // The text of a column by its name.
  [[nodiscard]] const std::string& named(std::size_t row, std::string_view column) const;

 private:
  friend class MariadbSession;
  std::vector<std::string> columns_;
  std::vector<std::vector<std::optional<std::string>>> rows_;
};

// Of one answer: no fact that this side asks for comes near it.
inline constexpr std::size_t kMariadbResultBytesMax = 64u << 20;

// Numbers of errors that somebody reacts to (mysqld_error.h).
namespace mariadb_error {
inline constexpr unsigned kDatabaseDenied = 1044;
inline constexpr unsigned kAccessDenied = 1045;
inline constexpr unsigned kNoSuchThread = 1094;
inline constexpr unsigned kNoSuchTable = 1146;
inline constexpr unsigned kBadDatabase = 1049;
inline constexpr unsigned kPacketTooLarge = 1153;
inline constexpr unsigned kLockWaitTimeout = 1205;
inline constexpr unsigned kDeadlock = 1213;
inline constexpr unsigned kNeedsRight = 1227;
inline constexpr unsigned kNotToBePrepared = 1295;
inline constexpr unsigned kViewInvalid = 1356;
inline constexpr unsigned kTableChanged = 1412;
inline constexpr unsigned kDenyBinaryLog = 1419;
inline constexpr unsigned kAccessDeniedPlain = 1698;
inline constexpr unsigned kStatementTimeout = 1969;
}  // namespace mariadb_error

class MariadbSession {
 public:
  // The address's database becomes the session's, where it names one. Code kUnavailable where there is no server, or it
  // lets nobody in. Where this process is root's and comes by the socket without a password, the server is asked again
  // with the rights of the Unix user of the same name.
  static Result<MariadbSession> open(const MariadbAddress& address, env::Clock& clock, base::Progress* progress);
  MariadbSession(MariadbSession&&) noexcept = default;
  MariadbSession& operator=(MariadbSession&&) noexcept = default;

  // Every wait from now on ends when `progress` (may be null; outlives the waits) is cancelled, or when it is later
  // than `deadline` (Clock::since_boot; none: half a day for each statement), with cause kTimeout. The session is of no
  // use after that.
  void limit_waits(base::Progress* progress, std::optional<std::chrono::nanoseconds> deadline = {});
  // What it answers is passed over, however long it is.
  Result<void> run(std::string_view sql);
  // An error where the answer is longer than kMariadbResultBytesMax; the session is of no use after that.
  Result<MariadbRows> query(std::string_view sql);
  // Whether the server understands the statement and finds what it names, without doing any of it.
  Result<void> check(std::string_view sql);
  // The statements that follow are ended by the server after this time; 0: never.
  Result<void> limit_statements(std::chrono::milliseconds at_most);
  // Of the last statement; 0 where it was none of the server's.
  [[nodiscard]] unsigned last_error() const { return last_error_; }
  // As the server's own words have it, without what is around them.
  [[nodiscard]] const std::string& last_message() const { return last_message_; }
  [[nodiscard]] unsigned warnings() const;  // of the last statement
  // How the statements of this session are written, as the server was told last: "utf8mb4".
  [[nodiscard]] std::string charset() const;
  // Whether a backslash in a text is one, for who must tell where a statement ends.
  [[nodiscard]] bool has_plain_backslashes() const;

  // "10.11.19"; "" of a server that is not MariaDB.
  [[nodiscard]] std::string version() const;
  // 1011 of 10.11.19.
  [[nodiscard]] unsigned series() const;
  [[nodiscard]] std::uint64_t id() const;

  // For who speaks the protocol himself (lent_session.h).
  [[nodiscard]] int socket() const;
  [[nodiscard]] std::string greeting_version() const;
  [[nodiscard]] std::uint32_t offered() const;           // capabilities of the server
  [[nodiscard]] std::uint32_t offered_extended() const;  // MariaDB's own
  [[nodiscard]] std::uint32_t agreed() const;            // with this session

 private:
  struct Close {
    void operator()(st_mysql* handle) const;
  };
  using Handle = std::unique_ptr<st_mysql, Close>;
  MariadbSession(Handle handle, env::Clock& clock, const MariadbAddress& address)
      : handle_(std::move(handle)), clock_(&clock), address_(address.copy()) {}
  static Result<Handle> connect(const MariadbAddress& address, unsigned& error);
  class WaitsOf;
  static int wait_for_socket(int socket, char is_read, int at_most_ms);
  int wait_for(int socket, bool is_read, std::chrono::nanoseconds deadline);
  Result<void> send(std::string_view sql);
  Result<void> read_results(MariadbRows* rows);
  bool read_rows(st_mysql_res* result, MariadbRows* rows);
  std::unexpected<Error> failure();
  std::unexpected<Error> failure(unsigned error, std::string message);
  [[nodiscard]] bool is_cancelled() const { return progress_ != nullptr && progress_->cancelled(); }

  Handle handle_;
  env::Clock* clock_;
  MariadbAddress address_;  // for messages
  base::Progress* progress_ = nullptr;
  std::optional<std::chrono::nanoseconds> deadline_;
  unsigned last_error_ = 0;
  std::string last_message_;
};

}  // namespace spl::surface
