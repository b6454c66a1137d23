// Lets what was staged and what is live change places. The tables do by one RENAME TABLE, which takes the book's word
// on which side they are along: all or nothing, whenever the server stops. What is beside the tables is taken away
// before and made anew after it, as the book has it; so each call goes on where another was ended. One thread.
#pragma once

#include <string>
#include <vector>

#include "surface/mariadb/restore_book.h"

namespace spl::surface {

class MariadbExchange {
 public:
  // `admin` is in no database.
  MariadbExchange(MariadbSession& admin, const MariadbTarget& target)
      : admin_(admin), target_(target), book_(admin, target) {}
  // There is a book.
  Result<void> bring_live();
  Result<void> take_back();

 private:
  Result<void> move_there();
  Result<void> arrange_fresh();
  Result<void> move_back();
  Result<void> arrange_old();
  Result<void> let_in();
  Result<void> rename(const std::vector<std::string>& moves);

  MariadbSession& admin_;
  const MariadbTarget& target_;
  RestoreBook book_;
};

}  // namespace spl::surface
