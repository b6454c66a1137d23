#include "surface/mariadb/mariadb_target.h"

#include "base/encoding.h"
#include "crypto/sha256.h"

namespace spl::surface {
namespace {

constexpr std::size_t kHashDigits = 8;

Result<void> end_sessions_where(MariadbSession& admin, const std::string& condition) {
  const MariadbRows rows =
      TRY(admin.query("SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND " + condition));
  for (std::size_t i = 0; i < rows.size(); ++i) (void)admin.run("KILL " + std::to_string(rows.number(i, 0)));
  return {};
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

Result<MariadbSession> MariadbTarget::open_admin(base::Progress* progress) const {
  return MariadbSession::open(admin_, *clock_, progress);
}

Result<MariadbSession> MariadbTarget::open_url(base::Progress* progress) const {
  return MariadbSession::open(url_, *clock_, progress);
}

Result<void> end_sessions_of(MariadbSession& admin, const std::string& user) {
  return end_sessions_where(admin, "USER = " + mariadb_text(user));
}

Result<void> end_sessions_in(MariadbSession& admin, const std::string& database) {
  return end_sessions_where(admin, "DB = " + mariadb_text(database));
}

void make_durable(MariadbSession& admin) {
  (void)admin.run("FLUSH LOCAL ENGINE LOGS");
}

}  // namespace spl::surface
