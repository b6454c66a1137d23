// Where a client or a peer is in the log of a store: opaque to it, "<incarnation>.<arrival sequence>". A sequence alone
// would be taken for one of another store after a restore, and what came there before it would never be told. Any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/record_store.h"

namespace spl::store {

struct Cursor {
  std::string incarnation;  // "" at the beginning of whatever store there is
  std::uint64_t sequence = 0;

  [[nodiscard]] std::string text() const { return incarnation + "." + std::to_string(sequence); }
  // "0", or what text() gives; code kUsage for anything else.
  static Result<Cursor> parse(std::string_view text);
};

// Whether the cursor is a place in the log that `reader` reads; the beginning always is. One of another life of the
// store is not: its records are unknown here, and here is what its owner has not seen.
Result<bool> is_current(const Cursor& cursor, StoreReader& reader);

}  // namespace spl::store
