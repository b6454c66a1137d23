#include "surface/postgres/restore_target.h"

#include "base/encoding.h"
#include "crypto/sha256.h"

namespace spl::surface {
namespace {

constexpr std::size_t kHashDigits = 8;
constexpr std::chrono::seconds kRenameTimeMax{30};
constexpr std::chrono::milliseconds kBetweenTries{100};

Result<std::optional<std::string>> first_of(ServerConnection& server, const char* sql, const std::string& name) {
  const Rows rows = TRY(server.query(sql, {name}));
  if (rows.size() == 0) return std::optional<std::string>();
  return std::optional(rows.text(0, 0));
}

}  // namespace

Result<RestoreTarget> RestoreTarget::of(env::Clock& clock, const Place& place, std::string_view restore_id) {
  ServerAddress url = TRY(ServerAddress::parse(place.url));
  if (place.database) url.set("dbname", *place.database);
  ServerAddress admin = url.copy();
  if (!place.admin_url.empty()) admin = TRY(ServerAddress::parse(place.admin_url));
  // Two parts of one server are staged at the same time.
  std::string what = url.database();
  what += '\0';
  what += place.schema.value_or("");
  RestoreTarget target(clock, std::move(url), std::move(admin));
  target.schema_ = place.schema;
  target.other_ =
      "spl_" + std::string(restore_id) + "_" + base::to_hex(crypto::sha256(what).view()).substr(0, kHashDigits);
  // Whoever renames a database is in another one.
  const std::string& home = target.admin_.database();
  if (home == target.database() || home == target.other_)
    target.admin_.set("dbname", target.database() == "postgres" ? "template1" : "postgres");
  return target;
}

Result<ServerConnection> RestoreTarget::open_admin(base::Progress* progress) const {
  return ServerConnection::open(admin_, *clock_, progress);
}

Result<ServerConnection> RestoreTarget::open_admin_in(const std::string& database, base::Progress* progress) const {
  ServerAddress there = admin_.copy();
  there.set("dbname", database);
  return ServerConnection::open(there, *clock_, progress);
}

Result<std::optional<ServerConnection>> RestoreTarget::open_beside_live(base::Progress* progress) const {
  {
    ServerConnection admin = TRY(open_admin(progress));
    if (!TRY(database_oid(admin, database()))) return std::optional<ServerConnection>();
  }
  return std::optional(TRY(open_admin_in(database(), progress)));
}

Result<std::optional<std::string>> database_oid(ServerConnection& server, const std::string& name) {
  return first_of(server, "SELECT oid FROM pg_database WHERE datname = $1", name);
}

Result<std::optional<std::string>> schema_oid(ServerConnection& server, const std::string& name) {
  return first_of(server, "SELECT oid FROM pg_namespace WHERE nspname = $1", name);
}

Result<std::optional<std::string>> Exchange::oid(ServerConnection& server, const std::string& name) const {
  return target_.schema() ? schema_oid(server, name) : database_oid(server, name);
}

Result<ServerConnection> Exchange::open() {
  return target_.schema() ? target_.open_admin_in(target_.database()) : target_.open_admin();
}

Result<void> Exchange::expect_other(const std::string& mark) {
  ServerConnection server = TRY(open());
  if (TRY(oid(server, target_.other())) == mark) return {};
  return fail(ErrorCode::kFailed, Cause::kNotFound,
              "what was staged is not there any more: " + base::escaped(target_.other(), 70));
}

Result<void> end_sessions(ServerConnection& server, const std::string& database, const std::string& other) {
  TRY(
      server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ($1, $2) AND pid <> "
                   "pg_backend_pid() AND backend_type = 'client backend'",
                   {database, other}));
  return {};
}

Result<void> run_when_free(ServerConnection& server, env::Clock& clock, const std::string& sql,
                           const std::function<Result<void>()>& before_each_try) {
  const auto deadline = clock.since_boot() + kRenameTimeMax;
  for (;;) {
    TRY(before_each_try());
    auto done = server.run("BEGIN; SET LOCAL lock_timeout = '2s'; " + sql + "; COMMIT");
    if (done) return {};
    server.roll_back();
    const std::string& state = server.last_state();
    if ((state != sql_state::kObjectInUse && state != sql_state::kLockNotAvailable && state != sql_state::kDeadlock) ||
        clock.since_boot() > deadline)
      return done;
    clock.sleep_for(kBetweenTries);
  }
}

Result<void> Exchange::rename(ServerConnection& server, bool has_live, bool has_other) {
  const std::string between = target_.other() + "_t";
  std::string sql;
  const auto add = [&](const std::string& from, const std::string& to) {
    sql += std::string(sql.empty() ? "" : "; ") + "ALTER " + (target_.schema() ? "SCHEMA " : "DATABASE ") +
           sql_name(from) + " RENAME TO " + sql_name(to);
  };
  if (has_live) add(target_.live(), between);
  if (has_other) add(target_.other(), target_.live());
  if (has_live) add(between, target_.other());
  return run_when_free(server, clock_, sql, [&]() -> Result<void> {
    if (target_.schema()) return {};
    return end_sessions(server, target_.live(), target_.other());
  });
}

Result<void> Exchange::put(const std::string& mark, Side side) {
  ServerConnection server = TRY(open());
  const auto live = TRY(oid(server, target_.live()));
  const auto other = TRY(oid(server, target_.other()));
  if (live != mark && other != mark) {
    // Taken back and discarded: the crash came after that.
    if (side == Side::kOther) return {};
    return fail(ErrorCode::kFailed, Cause::kNotFound,
                "what was staged is not there any more: neither " + base::escaped(target_.live(), 70) + " nor " +
                    base::escaped(target_.other(), 70) + " is it");
  }
  if ((side == Side::kLive ? live : other) == mark) return {};
  return rename(server, live.has_value(), other.has_value());
}

}  // namespace spl::surface
