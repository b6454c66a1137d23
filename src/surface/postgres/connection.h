// A session with a PostgreSQL server: owned, with waits that end when they should. Whatever runs in it finds
// PostgreSQL's own functions and no others, so that nothing that lies in a database is called by a query of ours. One
// thread at a time. Source: https://www.postgresql.org/docs/15/libpq.html
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
#include "surface/postgres/address.h"

struct pg_conn;
struct pg_result;

namespace spl::surface {

// What a query gave.
class Rows {
 public:
  [[nodiscard]] std::size_t size() const;
  // Rows and columns from 0. NULL is the empty text.
  [[nodiscard]] std::string text(std::size_t row, int column) const;
  [[nodiscard]] std::uint64_t number(std::size_t row, int column) const;  // 0 of what is none
  [[nodiscard]] bool flag(std::size_t row, int column) const { return text(row, column) == "t"; }
  [[nodiscard]] bool is_null(std::size_t row, int column) const;
  // What was done, as the server calls it: "COMMIT".
  [[nodiscard]] std::string command() const;

 private:
  friend class ServerConnection;
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

// SQLSTATEs that somebody reacts to.
namespace sql_state {
inline constexpr std::string_view kNoSuchDatabase = "3D000";
inline constexpr std::string_view kLockNotAvailable = "55P03";
inline constexpr std::string_view kObjectInUse = "55006";
inline constexpr std::string_view kDeadlock = "40P01";
inline constexpr std::string_view kNoSuchTable = "42P01";
inline constexpr std::string_view kNoSuchSchema = "3F000";
inline constexpr std::string_view kNoSuchObject = "42704";
inline constexpr std::string_view kWrongObject = "42809";
inline constexpr std::string_view kBadParameter = "22023";
}  // namespace sql_state

class ServerConnection {
 public:
  // Code kUnavailable where there is no server, or it lets nobody in. One that is starting is waited for. Where this
  // process is root's, the server is asked again with the rights of the Unix user that the role is called after: it may
  // let that user in without a password.
  static Result<ServerConnection> open(const ServerAddress& address, env::Clock& clock, base::Progress* progress);
  ServerConnection(ServerConnection&&) noexcept = default;
  ServerConnection& operator=(ServerConnection&&) noexcept = default;

  // Every wait from now on ends when `progress` (may be null; outlives the waits) is cancelled, or when it is later
  // than `deadline` (Clock::since_boot; none: half a day for each statement), with cause kTimeout.
  void limit_waits(base::Progress* progress, std::optional<std::chrono::nanoseconds> deadline = {});
  // One or more statements. A transaction that one of them begins stays open.
  Result<void> run(const std::string& sql);
  // The end of a transaction. An error where the server has undone it instead, which it says in no other way.
  Result<void> commit();
  // For after an error, which is what is told: what goes wrong now is not.
  void roll_back();
  // One statement, with texts for $1, $2, ...
  Result<Rows> query(const std::string& sql, const std::vector<std::string>& parameters = {});
  // The SQLSTATE of the last error of a statement; empty where it was none of the server's.
  [[nodiscard]] const std::string& last_state() const { return last_state_; }

  [[nodiscard]] int major_version() const;
  // "15.18"
  [[nodiscard]] std::string version() const;
  // What the server says of a setting when it changes: "server_encoding". Empty where it says nothing.
  [[nodiscard]] std::string reported(const char* setting) const;
  // What CREATE ROLE ... PASSWORD takes, so that the password itself is sent to nobody and logged nowhere.
  Result<std::string> password_verifier(const std::string& role, const SecretBytes& password);

  // For who speaks the protocol himself (session_relay.h): the socket, -1 where what goes over it is encrypted.
  [[nodiscard]] int plain_socket() const;
  [[nodiscard]] int backend_pid() const;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  using Handle = std::unique_ptr<pg_conn, Finish>;
  ServerConnection(Handle handle, env::Clock& clock, const ServerAddress& address)
      : handle_(std::move(handle)), clock_(&clock), address_(address.copy()) {}
  enum class ServerState : std::uint8_t { kGone, kStarting, kReady };
  // Where it fails `state` is what the server answers to who asks only that.
  static Result<Handle> connect(const ServerAddress& address, env::Clock& clock, base::Progress* progress,
                                ServerState& state);
  Result<void> wait_for_answer();
  Result<Rows> take_answer();
  std::unexpected<Error> failure(const pg_result* result);

  Handle handle_;
  env::Clock* clock_;
  ServerAddress address_;  // for messages
  base::Progress* progress_ = nullptr;
  std::optional<std::chrono::nanoseconds> deadline_;
  std::string last_state_;
};

}  // namespace spl::surface
