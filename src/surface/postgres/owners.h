// Who is to have what is restored. One thread.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "surface/part.h"
#include "surface/postgres/restore_target.h"

namespace spl::surface {

struct Owners {
  std::string place;                  // of the database, or of the schema: as of the live one
  std::string objects;                // of all that lies in it: who has most of what is live, else the url's role
  std::size_t live_roles = 0;         // that have something of what is live
  bool may_create_in_public = false;  // `objects`, in the live database
};

// Code kStop where the bundle is a stranger's and its objects would be a superuser's: whoever touches a table runs what
// its owner may.
Result<Owners> owners_of_restored(const RestoreTarget& target, Trust signer);

}  // namespace spl::surface
