#include "surface/mariadb/mariadb_target.h"

#include "base/encoding.h"
#include "crypto/sha256.h"

namespace spl::surface {
namespace {

constexpr std::size_t kHashDigits = 8;

constexpr std::chrono::seconds kEndTimeMax{30};
constexpr std::chrono::milliseconds kBetweenLooks{20};

Result<void> end_sessions_where(MariadbSession& admin, env::Clock& clock, const std::string& condition) {
  const auto deadline = clock.since_boot() + kEndTimeMax;
  for (;;) {
    const MariadbRows rows =
        TRY(admin.query("SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND " + condition));
    bool is_ended = true;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool may = admin.run("KILL " + std::to_string(rows.number(i, 0))).has_value() ||
                       admin.last_error() == mariadb_error::kNoSuchThread;
      if (!may && admin.last_error() == 0) return fail("the sessions in the way could not be ended");
      is_ended = is_ended && !may;
    }
    if (is_ended || clock.since_boot() > deadline) return {};
    clock.sleep_for(kBetweenLooks);
  }
}

}  // namespace

Result<MariadbTarget> MariadbTarget::of(env::Clock& clock, const Place& place, std::string_view restore_id) {
  MariadbAddress url = TRY(MariadbAddress::parse(place.url));
  MariadbAddress admin = url.copy();
  if (!place.admin_url.empty()) admin = TRY(MariadbAddress::parse(place.admin_url));
  std::string live = place.database.value_or(url.database());
  if (live.empty())
    return fail(ErrorCode::kUsage, "the url names no database, and there is no split that does",
                "write it as in mariadb:///database?socket=/run/mysqld/mysqld.sock");
  // Whoever makes a database is in none.
  url.set_database({});
  admin.set_database({});
  MariadbTarget target(clock, std::move(url), std::move(admin));
  target.beside_ = std::string(kMariadbOwn) + std::string(restore_id) + "_" +
                   base::to_hex(crypto::sha256(live).view()).substr(0, kHashDigits);
  target.live_ = std::move(live);
  return target;
}

MariadbTarget MariadbTarget::with_fresh(std::string name) const {
  MariadbTarget made(*clock_, url_.copy(), admin_.copy());
  made.live_ = live_;
  made.beside_ = beside_;
  made.fresh_ = std::move(name);
  return made;
}

Result<MariadbSession> MariadbTarget::open_admin(base::Progress* progress) const {
  return MariadbSession::open(admin_, *clock_, progress);
}

Result<MariadbSession> MariadbTarget::open_url(base::Progress* progress) const {
  return MariadbSession::open(url_, *clock_, progress);
}

Result<void> end_sessions_of(MariadbSession& admin, env::Clock& clock, const std::string& user) {
  return end_sessions_where(admin, clock, "USER = " + mariadb_text(user));
}

Result<void> end_sessions_in(MariadbSession& admin, env::Clock& clock, const std::string& database) {
  return end_sessions_where(admin, clock, mariadb_is("DB", database));
}

Result<void> make_durable(MariadbSession& admin) {
  return admin.run("FLUSH LOCAL ENGINE LOGS");
}

Result<std::string> make_files_durable(MariadbSession& admin, env::Env machine, const MariadbTarget& target,
                                       const std::vector<std::string>& databases, const std::string& beside) {
  std::string table;
  std::string engine;
  for (const std::string& database : databases) {
    const MariadbRows rows = TRY(admin.query(
        "SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE " + mariadb_is("TABLE_SCHEMA", database) +
        " AND TABLE_TYPE NOT LIKE '%VIEW' AND ENGINE NOT IN ('InnoDB', 'ROCKSDB', 'MEMORY') ORDER BY ENGINE <> "
        "'Aria'"));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      table = rows.text(i, 0);
      engine = rows.text(i, 1);
      // What the server still holds of it goes to the file.
      TRY(run_when_free(admin, machine.clock, database, "FLUSH LOCAL TABLES " + mariadb_name(database, table)));
    }
  }
  if (table.empty()) return "";
  const std::string directory = TRY(admin.query("SELECT @@datadir")).text(0, 0);
  const auto found = machine.fs.info(directory + "/" + beside);
  const bool is_here = target.admin().is_local() && found && *found;
  if (is_here && machine.fs.sync_all(directory)) return "";
  // Aria has a log, which the server makes durable.
  if (engine == "Aria") return "";
  return base::escaped(table, 70) + " of the engine " + base::escaped(engine, 40);
}

Result<void> run_when_free(MariadbSession& admin, env::Clock& clock, const std::string& database,
                           const std::string& sql) {
  const auto deadline = clock.since_boot() + kEndTimeMax;
  for (;;) {
    auto done = admin.run(sql);
    if (done) return {};
    if (done.error().cause != Cause::kTimeout || admin.last_error() == 0 || clock.since_boot() > deadline) return done;
    // Whoever holds a table has left it open: the services are down.
    TRY(end_sessions_in(admin, clock, database));
  }
}

}  // namespace spl::surface
