#include "surface/mariadb/mariadb_session.h"

#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "base/encoding.h"
#include "env/acting_user.h"
#include "env/users.h"

namespace spl::surface {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::milliseconds kLookEvery{100};  // at Progress::cancelled()
constexpr unsigned kConnectTimeMaxS = 20;
constexpr unsigned kSilenceMaxS = 600;            // in the middle of an answer
constexpr std::chrono::hours kAnswerTimeMax{12};  // to one statement, where the caller sets no limit
constexpr std::size_t kMessageBytesShown = 600;

// So that nothing depends on what the server's or an account's defaults are.
constexpr std::string_view kSettings =
    "SET NAMES utf8mb4, SESSION sql_mode = '', autocommit = 1, lock_wait_timeout = 10, innodb_lock_wait_timeout = 10, "
    "max_statement_time = 0, wait_timeout = 86400, idle_transaction_timeout = 0, net_write_timeout = 3600, "
    "net_read_timeout = 3600, tx_isolation = 'REPEATABLE-READ', sql_quote_show_create = 1, sql_select_limit = DEFAULT, "
    "foreign_key_checks = 1, unique_checks = 1, check_constraint_checks = 1";

bool is_end_of_session(unsigned error) {
  return error == CR_SERVER_GONE_ERROR || error == CR_SERVER_LOST || error == CR_COMMANDS_OUT_OF_SYNC ||
         error == CR_CONN_HOST_ERROR || error == CR_CONNECTION_ERROR || error == CR_NET_PACKET_TOO_LARGE;
}

}  // namespace

const std::string& MariadbRows::text(std::size_t row, std::size_t column) const {
  static const std::string kNone;
  return is_null(row, column) ? kNone : *rows_[row][column];
}

bool MariadbRows::is_null(std::size_t row, std::size_t column) const {
  return row >= rows_.size() || column >= rows_[row].size() || !rows_[row][column];
}

std::uint64_t MariadbRows::number(std::size_t row, std::size_t column) const {
  const std::string& digits = text(row, column);
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

const std::string& MariadbRows::named(std::size_t row, std::string_view column) const {
  const auto found = std::ranges::find(columns_, column);
  return text(row, static_cast<std::size_t>(found - columns_.begin()));
}

// Whose waits the library's are: it says no more than a socket where it waits.
thread_local MariadbSession* waiting = nullptr;

class MariadbSession::WaitsOf {
 public:
  explicit WaitsOf(MariadbSession& session) : before_(std::exchange(waiting, &session)) {}
  WaitsOf(const WaitsOf&) = delete;
  WaitsOf& operator=(const WaitsOf&) = delete;
  ~WaitsOf() { waiting = before_; }

 private:
  MariadbSession* before_;
};

// 1: there is something; 0: it is over.
int MariadbSession::wait_for(int socket, bool is_read, nanoseconds deadline) {
  for (;;) {
    pollfd one{socket, static_cast<short>(is_read ? POLLIN : POLLOUT), 0};
    const auto wait = std::clamp(deadline - clock_->since_boot(), nanoseconds(0), nanoseconds(kLookEvery));
    const int ready = ::poll(&one, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
    if (ready > 0) return 1;
    if (ready < 0 && errno != EINTR) return -1;
    if (is_cancelled() || clock_->since_boot() >= deadline) return 0;
  }
}

// The library's own waits, in the middle of a statement or of an answer.
int MariadbSession::wait_for_socket(int socket, char is_read, int at_most_ms) {
  if (waiting == nullptr) {
    pollfd one{socket, static_cast<short>(is_read != 0 ? POLLIN : POLLOUT), 0};
    return ::poll(&one, 1, at_most_ms);
  }
  const nanoseconds now = waiting->clock_->since_boot();
  const nanoseconds silence = at_most_ms < 0 ? nanoseconds(kAnswerTimeMax) : std::chrono::milliseconds(at_most_ms);
  return waiting->wait_for(socket, is_read != 0, std::min(now + silence, waiting->deadline_.value_or(now + silence)));
}

void MariadbSession::Close::operator()(st_mysql* handle) const {
  mysql_close(handle);
}

Result<MariadbSession::Handle> MariadbSession::connect(const MariadbAddress& address, unsigned& error) {
  error = 0;
  Handle handle(mysql_init(nullptr));
  if (!handle) return fail(Cause::kNoMemory, "no memory for a connection");
  MYSQL* const mysql = handle.get();
  const unsigned no_files = 0;
  const unsigned connect_time = kConnectTimeMaxS;
  const unsigned silence = kSilenceMaxS;
  const unsigned long row_max = kMariadbResultBytesMax;
  const unsigned protocol = address.is_local() ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_files);
  mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_time);
  mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &silence);
  mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &silence);
  mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &row_max);
  int (*const wait)(my_socket, my_bool, int) = &wait_for_socket;
  mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, reinterpret_cast<const void*>(wait));
  mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "spl");
  std::string password(address.password().reveal());
  const bool connected =
      mysql_real_connect(mysql, address.is_local() ? "localhost" : address.host().c_str(), address.user().c_str(),
                         password.c_str(), address.database().empty() ? nullptr : address.database().c_str(),
                         address.port(), address.is_local() ? address.socket().c_str() : nullptr, 0) != nullptr;
  explicit_bzero(password.data(), password.size());
  if (connected) return handle;
  error = mysql_errno(mysql);
  return fail(ErrorCode::kUnavailable,
              "no connection to the " + address.shown() + ": " +
                  base::escaped(address.without_password(mysql_error(mysql)), kMessageBytesShown),
              "see that the server runs, and that it lets this user in");
}

Result<MariadbSession> MariadbSession::open(const MariadbAddress& address, env::Clock& clock,
                                            base::Progress* progress) {
  unsigned error = 0;
  auto handle = connect(address, error);
  const bool is_denied = error == mariadb_error::kAccessDenied || error == mariadb_error::kAccessDeniedPlain;
  if (!handle && is_denied && address.is_local() && address.password().empty()) {
    const auto account = TRY(env::find_user(address.user()));
    if (account && account->ids.uid != 0 && env::own_user_id() == 0) {
      const auto as_user = TRY(env::AsUser::take(account->ids.uid));
      if (auto again = connect(address, error)) handle = std::move(again);
    }
  }
  if (!handle) return std::unexpected(std::move(handle).error());
  MariadbSession session(std::move(*handle), clock, address);
  session.progress_ = progress;
  if (session.version().empty())
    return fail(ErrorCode::kUnavailable, "the server on " + address.shown() + " is not MariaDB",
                "its dumps are others than MariaDB's: use a surface of the kind command");
  TRY(session.run(kSettings));
  return session;
}

void MariadbSession::limit_waits(base::Progress* progress, std::optional<nanoseconds> deadline) {
  progress_ = progress;
  deadline_ = deadline;
}

std::unexpected<Error> MariadbSession::failure() {
  return failure(mysql_errno(handle_.get()), mysql_error(handle_.get()));
}

std::unexpected<Error> MariadbSession::failure(unsigned error, std::string message) {
  last_error_ = error;
  last_message_ = address_.without_password(std::move(message));
  const bool is_gone = is_end_of_session(last_error_);
  std::string shown = base::escaped(last_message_, kMessageBytesShown);
  if (is_gone) {
    handle_.reset();
    last_error_ = 0;
    if (is_cancelled()) return base::fail_cancelled("the server was not waited for");
    return fail(ErrorCode::kUnavailable, "the " + address_.shown() + ": " + shown,
                "see the server's log, and try again");
  }
  const bool is_time = last_error_ == mariadb_error::kStatementTimeout ||
                       last_error_ == mariadb_error::kLockWaitTimeout || last_error_ == mariadb_error::kDeadlock;
  return fail(ErrorCode::kFailed, is_time ? Cause::kTimeout : Cause::kUnspecified,
              "the server answered for the " + address_.shown() + ": " + shown,
              is_time ? "see SHOW FULL PROCESSLIST for who holds what is wanted, and try again" : "");
}

// The statement, and a wait for the beginning of its answer.
Result<void> MariadbSession::send(std::string_view sql) {
  last_error_ = 0;
  last_message_.clear();
  if (!handle_) return fail(ErrorCode::kUnavailable, "the session with the server has ended");
  if (mysql_send_query(handle_.get(), sql.data(), sql.size()) != 0) return failure();
  const nanoseconds deadline = deadline_.value_or(clock_->since_boot() + kAnswerTimeMax);
  const int ready = wait_for(static_cast<int>(mysql_get_socket(handle_.get())), true, deadline);
  if (ready < 0) return base::fail_errno("cannot wait for the server", errno);
  if (ready == 0) {
    // What it still answers is nobody's.
    handle_.reset();
    if (is_cancelled()) return base::fail_cancelled("the server was not waited for");
    return fail(Cause::kTimeout, "the server of the " + address_.shown() + " did not answer in time");
  }
  if (mysql_read_query_result(handle_.get()) != 0) return failure();
  return {};
}

// Adds what `result` has to `rows` (may be null). False where that is not to be waited for, or too much.
bool MariadbSession::read_rows(st_mysql_res* result, MariadbRows* rows) {
  std::size_t bytes = 0;
  const unsigned columns = mysql_num_fields(result);
  for (unsigned i = 0; i < columns && rows != nullptr; ++i)
    rows->columns_.emplace_back(mysql_fetch_field_direct(result, i)->name);
  while (MYSQL_ROW row = mysql_fetch_row(result)) {
    if (is_cancelled()) return false;
    if (rows == nullptr) continue;
    const unsigned long* const lengths = mysql_fetch_lengths(result);
    auto& texts = rows->rows_.emplace_back();
    bytes += sizeof(std::vector<std::optional<std::string>>);
    for (unsigned i = 0; i < columns; ++i) {
      bytes += sizeof(std::optional<std::string>) + lengths[i];
      texts.push_back(row[i] == nullptr ? std::nullopt : std::optional(std::string(row[i], lengths[i])));
    }
    if (bytes > kMariadbResultBytesMax) return false;
  }
  return true;
}

// All that a statement answers; `rows` (may be null) takes the first table of it.
Result<void> MariadbSession::read_results(MariadbRows* rows) {
  for (;;) {
    bool is_read = true;
    // Before the connection ends the result must have.
    if (MYSQL_RES* const result = mysql_use_result(handle_.get())) {
      is_read = read_rows(result, rows);
      // Its rest would have to be read: the connection ends first, and there is nothing to be read any more.
      if (!is_read) ::shutdown(socket(), SHUT_RDWR);
      const unsigned error = mysql_errno(handle_.get());
      const std::string message = mysql_error(handle_.get());
      mysql_free_result(result);
      if (is_read && error != 0) return failure(error, message);
    } else if (mysql_errno(handle_.get()) != 0) {
      return failure();
    }
    if (!is_read) break;
    rows = nullptr;
    // A procedure has more than one.
    const int next = mysql_next_result(handle_.get());
    if (next > 0) return failure();
    if (next < 0) return {};
  }
  handle_.reset();
  if (is_cancelled()) return base::fail_cancelled("the server was not waited for");
  return fail("the server's answer for the " + address_.shown() + " is longer than any that is expected");
}

Result<void> MariadbSession::run(std::string_view sql) {
  const WaitsOf these(*this);
  TRY(send(sql));
  return read_results(nullptr);
}

Result<MariadbRows> MariadbSession::query(std::string_view sql) {
  const WaitsOf these(*this);
  TRY(send(sql));
  MariadbRows rows;
  TRY(read_results(&rows));
  return rows;
}

Result<void> MariadbSession::check(std::string_view sql) {
  const WaitsOf these(*this);
  if (!handle_) return fail(ErrorCode::kUnavailable, "the session with the server has ended");
  struct Free {
    void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
  };
  const std::unique_ptr<MYSQL_STMT, Free> statement(mysql_stmt_init(handle_.get()));
  if (!statement) return fail(Cause::kNoMemory, "no memory for a statement");
  last_error_ = 0;
  last_message_.clear();
  if (mysql_stmt_prepare(statement.get(), sql.data(), sql.size()) == 0) return {};
  return failure(mysql_stmt_errno(statement.get()), mysql_stmt_error(statement.get()));
}

Result<void> MariadbSession::limit_statements(std::chrono::milliseconds at_most) {
  const std::string digits = std::to_string(at_most.count() + 1000000);
  return run("SET SESSION max_statement_time = " + std::to_string(at_most.count() / 1000) + "." +
             digits.substr(digits.size() - 3));
}

bool MariadbSession::has_plain_backslashes() const {
  return handle_ && (handle_->server_status & SERVER_STATUS_NO_BACKSLASH_ESCAPES) != 0;
}

unsigned MariadbSession::warnings() const {
  return handle_ ? mysql_warning_count(handle_.get()) : 0;
}

std::string MariadbSession::charset() const {
  return handle_ ? mysql_character_set_name(handle_.get()) : "";
}

std::string MariadbSession::greeting_version() const {
  return handle_ ? mysql_get_server_info(handle_.get()) : "";
}

std::string MariadbSession::version() const {
  // "10.11.19-MariaDB-0+deb12u1-log"
  const std::string text = greeting_version();
  return text.find("MariaDB") == std::string::npos ? "" : text.substr(0, text.find('-'));
}

unsigned MariadbSession::series() const {
  constexpr unsigned kSeries = 100;
  return handle_ ? static_cast<unsigned>(mysql_get_server_version(handle_.get())) / kSeries : 0;
}

std::uint64_t MariadbSession::id() const {
  return handle_ ? mysql_thread_id(handle_.get()) : 0;
}

int MariadbSession::socket() const {
  return handle_ ? static_cast<int>(mysql_get_socket(handle_.get())) : -1;
}

std::uint32_t MariadbSession::offered() const {
  unsigned long flags = 0;
  if (handle_) mariadb_get_infov(handle_.get(), MARIADB_CONNECTION_SERVER_CAPABILITIES, &flags);
  return static_cast<std::uint32_t>(flags);
}

std::uint32_t MariadbSession::offered_extended() const {
  unsigned long flags = 0;
  if (handle_) mariadb_get_infov(handle_.get(), MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &flags);
  return static_cast<std::uint32_t>(flags);
}

std::uint32_t MariadbSession::agreed() const {
  return handle_ ? static_cast<std::uint32_t>(handle_->client_flag) : 0;
}

}  // namespace spl::surface
