#include "surface/mariadb/mariadb_move.h"

#include "base/encoding.h"
#include "surface/mariadb/mariadb_exchange.h"
#include "surface/mariadb/statement_text.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameShown = 70;

}  // namespace

Result<bool> MariadbMove::is_under_way() {
  const auto has_book = [&](const MariadbTarget& target) -> Result<bool> {
    return TRY(RestoreBook(admin_, target).side()) != BookSide::kNone;
  };
  return TRY(has_book(to_)) || TRY(has_book(from_));
}

// Views that are broken, and whatever else would not be made in the other database.
Result<void> MariadbMove::refuse_what_cannot_go() {
  return read_programs(admin_, from_.live(), [&](const MariadbProgram& program) -> Result<void> {
    const std::string why = TRY(why_not_made_again(admin_, from_.live(), program));
    if (why.empty()) return {};
    return fail(ErrorCode::kRefused,
                "the server would not make " + base::escaped(program.type, 20) + " " +
                    base::escaped(program.name, kNameShown) + " under another name: " + base::escaped(why, 300),
                "mend it or drop it, and try again");
  });
}

Result<void> MariadbMove::write_down() {
  TRY(remove_book(to_));
  const auto defaults = TRY(find_database(admin_, from_.live()));
  std::string account;
  {
    MariadbSession session = TRY(to_.open_url());
    account = TRY(own_account(session));
  }
  RestoreBook book(admin_, to_);
  TRY(book.begin());
  TRY(read_programs(admin_, from_.live(), [&](const MariadbProgram& program) -> Result<void> {
    MariadbProgram moved = program;
    // The head of a trigger may name the database, and nothing else of it does.
    if (program.kind == ProgramKind::kTrigger)
      moved.tail = without_owner(program.head + program.tail).substr(program.head.size());
    return book.add_program(ProgramsOf::kFresh, moved);
  }));
  TRY(book.add_defaults_of(from_.live()));
  return book.finish(defaults.value_or(MariadbDefaults()), account);
}

Result<void> MariadbMove::remove_book(const MariadbTarget& to) {
  for (const std::string& name : {to.book(), to.old()})
    TRY(admin_.run("DROP DATABASE IF EXISTS " + mariadb_name(name)));
  return make_durable(admin_);
}

Result<void> MariadbMove::finish() {
  const MariadbTarget target = to_.with_fresh(from_.live());
  RestoreBook book(admin_, target);
  if (TRY(book.side()) == BookSide::kStaged) {
    if (TRY(count_objects(admin_, to_.live())).has_any())
      return fail(ErrorCode::kRefused, Cause::kFileExists, base::escaped(to_.live(), kNameShown) + " is in the way");
    TRY(drop_programs(admin_, machine_.clock, from_.live()));
    TRY(book.drop_defaults(from_.live()));
  }
  TRY(MariadbExchange(admin_, machine_, target, Definers::kAsTheyWere).bring_live());
  if (TRY(count_objects(admin_, from_.live())).has_any())
    return fail("the database " + base::escaped(from_.live(), kNameShown) + " has got something new meanwhile");
  TRY(admin_.run("DROP DATABASE IF EXISTS " + mariadb_name(from_.live())));
  return remove_book(to_);
}

// A move the other way has been ended: all goes back to where it was, which is where it is to be.
Result<void> MariadbMove::undo_the_way_back() {
  const MariadbTarget target = from_.with_fresh(to_.live());
  RestoreBook book(admin_, target);
  TRY(MariadbExchange(admin_, machine_, target, Definers::kAsTheyWere).take_back());
  TRY(drop_programs(admin_, machine_.clock, to_.live()));
  TRY(book.set_defaults(to_.live()));
  TRY(make_programs(admin_, machine_.clock, to_.live(),
                    {.count = TRY(book.count_programs(ProgramsOf::kFresh)),
                     .get = [&](std::size_t i) { return book.program(ProgramsOf::kFresh, i); }}));
  return remove_book(from_);
}

Result<void> MariadbMove::run() {
  TRY(admin_.run("SET SESSION foreign_key_checks = 0, lock_wait_timeout = 2"));
  if (TRY(RestoreBook(admin_, from_).side()) != BookSide::kNone) return undo_the_way_back();
  if (TRY(RestoreBook(admin_, to_).side()) == BookSide::kNone) {
    TRY(refuse_what_cannot_go());
    TRY(write_down());
  }
  return finish();
}

}  // namespace spl::surface
