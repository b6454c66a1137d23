#include "surface/postgres/connection.h"

#include <libpq-fe.h>
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
constexpr std::chrono::seconds kConnectTimeMax{20};
constexpr std::chrono::hours kAnswerTimeMax{12};   // to one statement, where the caller sets no limit
constexpr std::chrono::seconds kStartTimeMax{60};  // of a server, crash recovery with it
constexpr std::size_t kMessageBytesShown = 600;
constexpr int kKnowsGoneClients = 14;  // the first version that can look whether its client is still there

// Set at the connection's start, they stand above what a database or a role has been given by ALTER ... SET.
constexpr std::string_view kOptions =
    "-c search_path=pg_catalog -c row_security=off -c statement_timeout=0 -c "
    "lock_timeout=10000 -c idle_in_transaction_session_timeout=0 -c synchronous_commit=on -c "
    "default_transaction_isolation=read\\ "
    "committed "
    "-c default_transaction_read_only=off -c client_min_messages=error -c standard_conforming_strings=on "
    "-c check_function_bodies=off";

std::string trimmed(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::unexpected<Error> no_server(const ServerAddress& address, const std::string& why) {
  return fail(ErrorCode::kUnavailable,
              "no connection to the " + address.shown() + ": " +
                  base::escaped(address.without_password(trimmed(why)), kMessageBytesShown),
              "see that the server runs, and that pg_hba.conf and the password let this role in");
}

// For events of a socket. False where the time is over.
Result<bool> wait_on(int socket, short events, base::Progress* progress, env::Clock& clock,
                     std::optional<nanoseconds> deadline) {
  for (;;) {
    pollfd one{socket, events, 0};
    auto wait = std::chrono::duration_cast<nanoseconds>(kLookEvery);
    if (deadline) wait = std::clamp(*deadline - clock.since_boot(), nanoseconds(0), wait);
    const int ready = ::poll(&one, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return base::fail_errno("cannot wait for the server", errno);
    if (progress != nullptr && progress->cancelled()) return base::fail_cancelled("the server was not waited for");
    if (deadline && clock.since_boot() >= *deadline) return false;
  }
}

}  // namespace

void Rows::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

std::size_t Rows::size() const {
  return result_ ? static_cast<std::size_t>(PQntuples(result_.get())) : 0;
}

std::string Rows::text(std::size_t row, int column) const {
  const int at = static_cast<int>(row);
  return {PQgetvalue(result_.get(), at, column), static_cast<std::size_t>(PQgetlength(result_.get(), at, column))};
}

std::uint64_t Rows::number(std::size_t row, int column) const {
  const std::string digits = text(row, column);
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

bool Rows::is_null(std::size_t row, int column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), column) != 0;
}

std::string Rows::command() const {
  return result_ ? PQcmdStatus(result_.get()) : "";
}

void ServerConnection::Finish::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

Result<ServerConnection::Handle> ServerConnection::connect(const ServerAddress& address, env::Clock& clock,
                                                           base::Progress* progress, ServerState& state) {
  state = ServerState::kGone;
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  std::string options = std::string(kOptions);
  std::string password(address.password().reveal());
  for (const auto& [keyword, value] : address.values()) {
    if (keyword == "connect_timeout") continue;  // ours is kConnectTimeMax
    if (keyword == "options") {
      // Ours come last, and win.
      options = value + " " + options;
      continue;
    }
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  const auto add = [&](const char* keyword, const std::string& value) {
    keywords.push_back(keyword);
    values.push_back(value.c_str());
  };
  const std::string encoding = "UTF8";
  add("options", options);
  add("client_encoding", encoding);
  if (!password.empty()) add("password", password);
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  Handle handle(PQconnectStartParams(keywords.data(), values.data(), 0));
  explicit_bzero(password.data(), password.size());
  if (!handle) return fail(Cause::kNoMemory, "no memory for a connection");
  PQsetNoticeProcessor(handle.get(), [](void*, const char*) {}, nullptr);
  const nanoseconds deadline = clock.since_boot() + kConnectTimeMax;
  for (PostgresPollingStatusType next = PGRES_POLLING_WRITING;;) {
    if (PQstatus(handle.get()) == CONNECTION_BAD || next == PGRES_POLLING_FAILED) {
      auto failed = no_server(address, PQerrorMessage(handle.get()));
      // There is one, which starts, or recovers from a crash: what it says is in its own language.
      keywords.insert(keywords.begin(), "connect_timeout");
      values.insert(values.begin(), "5");
      const PGPing ping = PQpingParams(keywords.data(), values.data(), 0);
      if (ping == PQPING_REJECT) state = ServerState::kStarting;
      if (ping == PQPING_OK) state = ServerState::kReady;
      return failed;
    }
    if (next == PGRES_POLLING_OK) return handle;
    const short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!TRY(wait_on(PQsocket(handle.get()), events, progress, clock, deadline)))
      return no_server(address, "it did not answer in time");
    next = PQconnectPoll(handle.get());
  }
}

Result<ServerConnection> ServerConnection::open(const ServerAddress& address, env::Clock& clock,
                                                base::Progress* progress) {
  ServerState state = ServerState::kGone;
  auto handle = connect(address, clock, progress, state);
  const nanoseconds deadline = clock.since_boot() + kStartTimeMax;
  // One that is ready now may have been starting a moment ago, or refuses us: once more tells.
  for (bool may_have_started = true;
       !handle && (state == ServerState::kStarting || (state == ServerState::kReady && may_have_started)) &&
       clock.since_boot() < deadline;) {
    if (progress != nullptr && progress->cancelled()) return base::fail_cancelled("the server was not waited for");
    if (state == ServerState::kStarting) clock.sleep_for(kLookEvery);
    may_have_started = state == ServerState::kStarting;
    handle = connect(address, clock, progress, state);
  }
  if (!handle && handle.error().cause != Cause::kCancelled && address.is_local() && address.password().empty()) {
    const auto account = TRY(env::find_user(address.user()));
    if (account && account->ids.uid != 0 && env::own_user_id() == 0) {
      const auto as_user = TRY(env::AsUser::take(account->ids.uid));
      auto again = connect(address, clock, progress, state);
      if (again) handle = std::move(again);
    }
  }
  if (!handle) return std::unexpected(std::move(handle).error());
  ServerConnection connection(std::move(*handle), clock, address);
  connection.progress_ = progress;
  // So that a query ends with a session that was given up.
  if (connection.major_version() >= kKnowsGoneClients)
    TRY(connection.run("SET client_connection_check_interval = '1s'"));
  return connection;
}

void ServerConnection::limit_waits(base::Progress* progress, std::optional<nanoseconds> deadline) {
  progress_ = progress;
  deadline_ = deadline;
}

std::unexpected<Error> ServerConnection::failure(const pg_result* result) {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* detail = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  last_state_ = state == nullptr ? "" : state;
  std::string text = primary != nullptr ? primary : PQerrorMessage(handle_.get());
  if (detail != nullptr) text += std::string(": ") + detail;
  const bool gone = PQstatus(handle_.get()) == CONNECTION_BAD;
  std::string hint = gone ? "see the server's log, and try again" : "";
  if (last_state_ == sql_state::kLockNotAvailable)
    hint = "somebody works on what is wanted: pg_stat_activity and pg_locks say who; end that session, and try again";
  return fail(gone ? ErrorCode::kUnavailable : ErrorCode::kFailed,
              "the server of the " + address_.shown() + (gone ? " is gone: " : " refuses: ") +
                  base::escaped(address_.without_password(trimmed(text)), kMessageBytesShown),
              std::move(hint));
}

// Until all of an answer is there, or it is time to give up. The server sees then that its client has gone: to tell it
// (PQcancel) would be a wait for it without an end.
Result<void> ServerConnection::wait_for_answer() {
  const nanoseconds deadline = deadline_.value_or(clock_->since_boot() + kAnswerTimeMax);
  for (;;) {
    const int unsent = PQflush(handle_.get());
    if (unsent < 0) return failure(nullptr);
    if (unsent == 0 && PQisBusy(handle_.get()) == 0) return {};
    const auto events = static_cast<short>(unsent == 0 ? POLLIN : POLLIN | POLLOUT);
    auto ready = wait_on(PQsocket(handle_.get()), events, progress_, *clock_, deadline);
    if (!ready || !*ready) {
      // What it still answers is nobody's: the session is of no use any more.
      handle_.reset();
      last_state_.clear();
      if (!ready) return std::unexpected(std::move(ready).error());
      return fail(Cause::kTimeout, "the server of the " + address_.shown() + " did not answer in time");
    }
    if (PQconsumeInput(handle_.get()) == 0) return failure(nullptr);
  }
}

Result<Rows> ServerConnection::take_answer() {
  Rows last;
  std::optional<Error> error;
  for (;;) {
    TRY(wait_for_answer());
    Rows rows;
    rows.result_.reset(PQgetResult(handle_.get()));
    if (!rows.result_) break;
    const ExecStatusType status = PQresultStatus(rows.result_.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
      if (!error) error = failure(rows.result_.get()).error();
      // A session that ended in the middle of a copy has no end of answers.
      if (PQstatus(handle_.get()) == CONNECTION_BAD) break;
    } else {
      last = std::move(rows);
    }
  }
  if (error) return std::unexpected(std::move(*error));
  return last;
}

Result<void> ServerConnection::run(const std::string& sql) {
  last_state_.clear();
  if (!handle_) return fail(ErrorCode::kUnavailable, "the session with the server has ended");
  PQsetnonblocking(handle_.get(), 1);
  if (PQsendQuery(handle_.get(), sql.c_str()) == 0) return failure(nullptr);
  TRY(take_answer());
  return {};
}

Result<void> ServerConnection::commit() {
  const Rows rows = TRY(query("COMMIT"));
  if (rows.command() == "COMMIT") return {};
  return fail("the server of the " + address_.shown() +
              " has undone the transaction: " + base::escaped(rows.command(), kMessageBytesShown));
}

void ServerConnection::roll_back() {
  const std::string state = last_state_;
  (void)run("ROLLBACK");
  last_state_ = state;
}

Result<Rows> ServerConnection::query(const std::string& sql, const std::vector<std::string>& parameters) {
  last_state_.clear();
  if (!handle_) return fail(ErrorCode::kUnavailable, "the session with the server has ended");
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  PQsetnonblocking(handle_.get(), 1);
  if (PQsendQueryParams(handle_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                        nullptr, 0) == 0)
    return failure(nullptr);
  return take_answer();
}

int ServerConnection::major_version() const {
  constexpr int kMajor = 10000;
  return handle_ ? PQserverVersion(handle_.get()) / kMajor : 0;
}

std::string ServerConnection::version() const {
  // "15.18 (Debian 15.18-0+deb12u1)"
  const std::string text = reported("server_version");
  return text.substr(0, text.find(' '));
}

std::string ServerConnection::reported(const char* setting) const {
  const char* value = handle_ ? PQparameterStatus(handle_.get(), setting) : nullptr;
  return value == nullptr ? "" : value;
}

Result<std::string> ServerConnection::password_verifier(const std::string& role, const SecretBytes& password) {
  std::string text(password.reveal());
  char* made = PQencryptPasswordConn(handle_.get(), text.c_str(), role.c_str(), "scram-sha-256");
  explicit_bzero(text.data(), text.size());
  if (made == nullptr) return failure(nullptr);
  std::string verifier = made;
  PQfreemem(made);
  return verifier;
}

int ServerConnection::plain_socket() const {
  return !handle_ || PQsslInUse(handle_.get()) != 0 ? -1 : PQsocket(handle_.get());
}

int ServerConnection::backend_pid() const {
  return handle_ ? PQbackendPID(handle_.get()) : 0;
}

}  // namespace spl::surface
