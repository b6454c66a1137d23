// Lets what was staged and what is live change places. The tables do by one RENAME TABLE, which takes the book's word
// on which side they are along: all or nothing, whenever the server stops. What is beside the tables is taken away
// before and made anew after it, as the book has it; so each call goes on where another was ended. Views that cannot be
// made anew go along as tables do, into names of spl's in the live database. One thread.
#pragma once

#include <string>
#include <vector>

#include "surface/mariadb/restore_book.h"

namespace spl::surface {

class MariadbExchange {
 public:
  // `admin` is in no database. `definers`: of what was brought; where they are as they were, events run at once, too.
  MariadbExchange(MariadbSession& admin, env::Env machine, const MariadbTarget& target,
                  Definers definers = Definers::kThis)
      : admin_(admin), machine_(machine), target_(target), definers_(definers), book_(admin, target) {}
  // There is a book.
  Result<void> bring_live();
  Result<void> take_back();
  // After the commit: events that were brought run from now on. Nothing where another state is live.
  Result<void> let_events_run();
  // Goes to the end of what was begun: live is one of the two states, whole.
  Result<void> settle();

 private:
  Result<void> move_there();
  Result<void> arrange_fresh();
  Result<void> move_back();
  Result<void> arrange_old();
  Result<void> let_in();
  Result<void> rename(const std::vector<std::string>& moves);
  Result<void> run(const std::string& sql) { return run_when_free(admin_, machine_.clock, target_.live(), sql); }
  Result<void> make_all(ProgramsOf whose, const ProgramsToMake& how);
  Result<void> make_all_durable();
  Result<std::vector<std::string>> names_kept();

  MariadbSession& admin_;
  const env::Env machine_;
  const MariadbTarget& target_;
  const Definers definers_;
  RestoreBook book_;
};

}  // namespace spl::surface
