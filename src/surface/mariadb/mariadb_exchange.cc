#include "surface/mariadb/mariadb_exchange.h"

#include <chrono>

#include "base/encoding.h"
#include "base/words.h"

namespace spl::surface {
namespace {

constexpr std::chrono::seconds kRenameTimeMax{30};
constexpr std::chrono::milliseconds kBetweenTries{100};
constexpr unsigned kNoSuchGrant = 1141;

Result<void> add_moves(MariadbSession& admin, const std::string& from, const std::string& to,
                       std::vector<std::string>& moves) {
  for (const std::string& name : TRY(list_stored(admin, from)))
    moves.push_back(mariadb_name(from, name) + " TO " + mariadb_name(to, name));
  return {};
}

}  // namespace

Result<void> MariadbExchange::rename(const std::vector<std::string>& moves) {
  // A foreign key goes along with its two tables, in whatever order they do.
  TRY(admin_.run("SET SESSION foreign_key_checks = 0, lock_wait_timeout = 2"));
  const std::string sql = "RENAME TABLE " + base::join(moves, ", ");
  const auto deadline = target_.clock().since_boot() + kRenameTimeMax;
  for (;;) {
    auto done = admin_.run(sql);
    if (done) return {};
    if (done.error().cause != Cause::kTimeout || target_.clock().since_boot() > deadline) return done;
    // Whoever holds a table has left it open: the services are down.
    TRY(end_sessions_in(admin_, target_.live()));
    target_.clock().sleep_for(kBetweenTries);
  }
}

Result<void> MariadbExchange::move_there() {
  TRY(book_.note_old());
  if (!TRY(book_.had_live()))
    TRY(admin_.run("CREATE DATABASE IF NOT EXISTS " + mariadb_name(target_.live()) +
                   TRY(book_.defaults(ProgramsOf::kFresh)).sql()));
  TRY(admin_.run("CREATE DATABASE IF NOT EXISTS " + mariadb_name(target_.old())));
  TRY(drop_programs(admin_, target_.live()));
  std::vector<std::string> moves;
  TRY(add_moves(admin_, target_.live(), target_.old(), moves));
  TRY(add_moves(admin_, target_.fresh(), target_.live(), moves));
  moves.push_back(book_.rename_to_live());
  return rename(moves);
}

// The url's user, in a database that there was not before.
Result<void> MariadbExchange::let_in() {
  auto session = TRY(target_.open_url());
  if (session.run("USE " + mariadb_name(target_.live()))) return {};
  TRY(book_.note_granted());
  auto granted =
      admin_.run("GRANT ALL PRIVILEGES ON " + mariadb_grant_name(target_.live()) + ".* TO " + TRY(book_.account()));
  if (granted) return {};
  return fail(ErrorCode::kFailed, granted.error().cause, granted.error().message,
              "give the url's user the rights on the database, and try again");
}

Result<void> MariadbExchange::arrange_fresh() {
  if (TRY(book_.is_arranged())) return {};
  TRY(drop_programs(admin_, target_.live()));
  if (const std::string defaults = TRY(book_.defaults(ProgramsOf::kFresh)).sql(); !defaults.empty())
    TRY(admin_.run("ALTER DATABASE " + mariadb_name(target_.live()) + defaults));
  if (!TRY(book_.had_live())) TRY(let_in());
  TRY(make_programs(admin_, target_.live(), TRY(book_.programs(ProgramsOf::kFresh)), Definers::kThis,
                    TRY(book_.account())));
  return book_.set_arranged(true);
}

Result<void> MariadbExchange::bring_live() {
  if (TRY(book_.side()) == BookSide::kStaged) TRY(move_there());
  TRY(arrange_fresh());
  make_durable(admin_);
  return {};
}

Result<void> MariadbExchange::move_back() {
  TRY(book_.set_arranged(false));
  TRY(drop_programs(admin_, target_.live()));
  std::vector<std::string> moves;
  TRY(add_moves(admin_, target_.live(), target_.fresh(), moves));
  TRY(add_moves(admin_, target_.old(), target_.live(), moves));
  moves.push_back(book_.rename_to_staged());
  return rename(moves);
}

Result<void> MariadbExchange::arrange_old() {
  if (!TRY(book_.has_old())) return {};
  if (TRY(book_.had_live())) {
    TRY(drop_programs(admin_, target_.live()));
    TRY(admin_.run("ALTER DATABASE " + mariadb_name(target_.live()) + TRY(book_.defaults(ProgramsOf::kOld)).sql()));
    TRY(make_programs(admin_, target_.live(), TRY(book_.programs(ProgramsOf::kOld)), Definers::kAsTheyWere, ""));
  } else {
    if (TRY(book_.has_granted())) {
      auto taken = admin_.run("REVOKE ALL PRIVILEGES ON " + mariadb_grant_name(target_.live()) + ".* FROM " +
                              TRY(book_.account()));
      if (!taken && admin_.last_error() != kNoSuchGrant) return taken;
    }
    TRY(admin_.run("DROP DATABASE IF EXISTS " + mariadb_name(target_.live())));
  }
  return book_.forget_old();
}

Result<void> MariadbExchange::take_back() {
  if (TRY(book_.side()) == BookSide::kLive) TRY(move_back());
  TRY(arrange_old());
  make_durable(admin_);
  return {};
}

}  // namespace spl::surface
