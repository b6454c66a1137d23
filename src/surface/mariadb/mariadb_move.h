// Gives a database another name, for a context that gets one. A server cannot: the tables go by one RENAME TABLE, as in
// an exchange, and what is beside them is written down before in a database of spl's own, and made anew after. One
// thread.
#pragma once

#include "surface/mariadb/restore_book.h"

namespace spl::surface {

class MariadbMove {
 public:
  // `from` and `to` are on one server; `admin` is in no database.
  MariadbMove(MariadbSession& admin, env::Env machine, const MariadbTarget& from, const MariadbTarget& to)
      : admin_(admin), machine_(machine), from_(from), to_(to) {}
  // Whether a move between the two, in either direction, has begun and not ended.
  Result<bool> is_under_way();
  // All of `from` becomes `to`, which is not there or what an ended move has left of it. Goes on where another call was
  // ended, also where that went the other way. Durable.
  Result<void> run();

 private:
  Result<void> finish();
  Result<void> undo_the_way_back();
  Result<void> write_down();
  Result<void> refuse_what_cannot_go();
  Result<void> remove_book(const MariadbTarget& to);

  MariadbSession& admin_;
  const env::Env machine_;
  const MariadbTarget& from_;
  const MariadbTarget& to_;
};

}  // namespace spl::surface
