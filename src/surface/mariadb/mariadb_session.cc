#include "surface/mariadb/mariadb_session.h"

#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <poll.h>

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
         error == CR_CONN_HOST_ERROR || error == CR_CONNECTION_ERROR;
}

}  // namespace

const std::string& MariadbRows::text(std::size_t row, std::size_t column) const {
  static const std::string kNone;
  return row < rows_.size() && column < rows_[row].size() ? rows_[row][column] : kNone;
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
  const unsigned protocol = address.is_local() ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_files);
  mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_time);
  mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &silence);
  mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &silence);
  mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
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
  last_error_ = mysql_errno(handle_.get());
  last_message_ = address_.without_password(mysql_error(handle_.get()));
  const bool is_gone = is_end_of_session(last_error_);
  std::string shown = base::escaped(last_message_, kMessageBytesShown);
  if (is_gone) {
    handle_.reset();
    last_error_ = 0;
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
  for (;;) {
    pollfd one{static_cast<int>(mysql_get_socket(handle_.get())), POLLIN, 0};
    const auto wait = std::clamp(deadline - clock_->since_boot(), nanoseconds(0), nanoseconds(kLookEvery));
    const int ready = ::poll(&one, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
    if (ready > 0) break;
    if (ready < 0 && errno != EINTR) return base::fail_errno("cannot wait for the server", errno);
    const bool is_cancelled = progress_ != nullptr && progress_->cancelled();
    if (!is_cancelled && clock_->since_boot() < deadline) continue;
    // What it still answers is nobody's.
    handle_.reset();
    if (is_cancelled) return base::fail_cancelled("the server was not waited for");
    return fail(Cause::kTimeout, "the server of the " + address_.shown() + " did not answer in time");
  }
  if (mysql_read_query_result(handle_.get()) != 0) return failure();
  return {};
}

Result<void> MariadbSession::run(std::string_view sql) {
  TRY(query(sql));
  return {};
}

Result<MariadbRows> MariadbSession::query(std::string_view sql) {
  TRY(send(sql));
  MariadbRows rows;
  for (bool is_first = true;; is_first = false) {
    struct Free {
      void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
    };
    const std::unique_ptr<MYSQL_RES, Free> result(mysql_store_result(handle_.get()));
    if (!result && mysql_errno(handle_.get()) != 0) return failure();
    if (result && is_first) {
      const unsigned columns = mysql_num_fields(result.get());
      for (unsigned i = 0; i < columns; ++i)
        rows.columns_.emplace_back(mysql_fetch_field_direct(result.get(), i)->name);
      while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
        const unsigned long* const lengths = mysql_fetch_lengths(result.get());
        auto& texts = rows.rows_.emplace_back();
        for (unsigned i = 0; i < columns; ++i)
          texts.emplace_back(row[i] == nullptr ? "" : row[i], row[i] == nullptr ? 0 : lengths[i]);
      }
    }
    // A procedure has more than one.
    const int next = mysql_next_result(handle_.get());
    if (next > 0) return failure();
    if (next < 0) return rows;
  }
}

Result<void> MariadbSession::limit_statements(std::chrono::milliseconds at_most) {
  const std::string digits = std::to_string(at_most.count() + 1000000);
  return run("SET SESSION max_statement_time = " + std::to_string(at_most.count() / 1000) + "." +
             digits.substr(digits.size() - 3));
}

bool MariadbSession::has_plain_backslashes() const {
  return handle_ && (handle_->server_status & SERVER_STATUS_NO_BACKSLASH_ESCAPES) != 0;
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
