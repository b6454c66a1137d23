#include "surface/mariadb/mariadb_exchange.h"

#include "base/encoding.h"
#include "base/words.h"
#include "surface/mariadb/statement_text.h"

namespace spl::surface {
namespace {

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
  return run("RENAME TABLE " + base::join(moves, ", "));
}

Result<std::vector<std::string>> MariadbExchange::names_kept() {
  std::vector<std::string> names;
  for (KeptView& view : TRY(book_.kept_views())) names.push_back(std::move(view.name));
  return names;
}

Result<void> MariadbExchange::make_all(ProgramsOf whose, const ProgramsToMake& how) {
  ProgramsToMake wanted = how;
  wanted.count = TRY(book_.count_programs(whose));
  wanted.get = [&](std::size_t i) { return book_.program(whose, i); };
  return make_programs(admin_, machine_.clock, target_.live(), wanted);
}

Result<void> MariadbExchange::make_all_durable() {
  TRY(make_durable(admin_));
  // What is not so now was not when it was staged, or was live before.
  TRY(make_files_durable(admin_, machine_, target_, {target_.live(), target_.old(), target_.fresh()}, target_.book()));
  return {};
}

Result<void> MariadbExchange::move_there() {
  TRY(book_.note_old());
  if (!TRY(book_.had_live()))
    TRY(admin_.run("CREATE DATABASE IF NOT EXISTS " + mariadb_name(target_.live()) +
                   TRY(book_.defaults(ProgramsOf::kFresh)).sql()));
  TRY(admin_.run("CREATE DATABASE IF NOT EXISTS " + mariadb_name(target_.old())));
  TRY(drop_programs(admin_, machine_.clock, target_.live(), TRY(names_kept())));
  std::vector<std::string> moves;
  TRY(add_moves(admin_, target_.live(), target_.old(), moves));
  for (const KeptView& view : TRY(book_.kept_views()))
    moves.push_back(mariadb_name(target_.live(), view.name) + " TO " + mariadb_name(target_.live(), view.kept_as));
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
  TRY(drop_programs(admin_, machine_.clock, target_.live()));
  if (const std::string defaults = TRY(book_.defaults(ProgramsOf::kFresh)).sql(); !defaults.empty())
    TRY(run("ALTER DATABASE " + mariadb_name(target_.live()) + defaults));
  if (!TRY(book_.had_live())) TRY(let_in());
  TRY(book_.set_defaults(target_.live()));
  if (definers_ == Definers::kThis) {
    TRY(make_all(ProgramsOf::kFresh,
                 {.definers = Definers::kThis, .definer = TRY(book_.account()), .events = Events::kDisabled}));
  } else {
    TRY(make_all(ProgramsOf::kFresh, {}));
  }
  return book_.set_arranged(true);
}

Result<void> MariadbExchange::bring_live() {
  TRY(admin_.run("SET SESSION foreign_key_checks = 0, lock_wait_timeout = 2"));
  if (TRY(book_.side()) == BookSide::kStaged) TRY(move_there());
  TRY(arrange_fresh());
  return make_all_durable();
}

Result<void> MariadbExchange::let_events_run() {
  if (TRY(book_.side()) != BookSide::kLive || !TRY(book_.is_arranged()) || TRY(book_.has_events())) return {};
  const auto names = TRY(book_.program_names(ProgramsOf::kFresh));
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].kind != ProgramKind::kEvent) continue;
    const MariadbProgram event = TRY(book_.program(ProgramsOf::kFresh, i));
    const auto read = EventStatement::read(event.head + event.tail);
    if (read && read->is_enabled)
      TRY_IN(event.name, enable_event(admin_, machine_.clock, target_.live(), event, TRY(book_.account())));
  }
  return book_.note_events();
}

Result<void> MariadbExchange::move_back() {
  TRY(book_.set_arranged(false));
  TRY(drop_programs(admin_, machine_.clock, target_.live()));
  std::vector<std::string> moves;
  TRY(add_moves(admin_, target_.live(), target_.fresh(), moves));
  for (const KeptView& view : TRY(book_.kept_views()))
    moves.push_back(mariadb_name(target_.live(), view.kept_as) + " TO " + mariadb_name(target_.live(), view.name));
  TRY(add_moves(admin_, target_.old(), target_.live(), moves));
  moves.push_back(book_.rename_to_staged());
  return rename(moves);
}

Result<void> MariadbExchange::arrange_old() {
  if (!TRY(book_.has_old())) return {};
  if (TRY(book_.had_live())) {
    TRY(drop_programs(admin_, machine_.clock, target_.live(), TRY(names_kept())));
    TRY(run("ALTER DATABASE " + mariadb_name(target_.live()) + TRY(book_.defaults(ProgramsOf::kOld)).sql()));
    TRY(make_all(ProgramsOf::kOld, {.definers = Definers::kAsTheyWere}));
  } else {
    if (TRY(book_.has_granted())) {
      auto taken = admin_.run("REVOKE ALL PRIVILEGES ON " + mariadb_grant_name(target_.live()) + ".* FROM " +
                              TRY(book_.account()));
      if (!taken && admin_.last_error() != kNoSuchGrant) return taken;
    }
    TRY(run("DROP DATABASE IF EXISTS " + mariadb_name(target_.live())));
  }
  return book_.forget_old();
}

Result<void> MariadbExchange::take_back() {
  TRY(admin_.run("SET SESSION foreign_key_checks = 0, lock_wait_timeout = 2"));
  if (TRY(book_.side()) == BookSide::kLive) TRY(move_back());
  TRY(arrange_old());
  return make_all_durable();
}

Result<void> MariadbExchange::settle() {
  const BookSide side = TRY(book_.side());
  if (side == BookSide::kStaged && TRY(book_.has_old())) return take_back();
  if (side == BookSide::kLive && !TRY(book_.is_arranged())) return bring_live();
  return {};
}

}  // namespace spl::surface
