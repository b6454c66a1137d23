// Where a client is in the log of a store: opaque to it, "<incarnation>.<arrival sequence>". A sequence alone would be
// taken for one of another store after a restore, and what came there before it would never be told. Pure but for
// check_cursor(); any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/exchange.h"
#include "base/result.h"
#include "store/record_store.h"

namespace spl::api {

struct Cursor {
  std::string incarnation;  // "" at the beginning of whatever store there is
  std::uint64_t sequence = 0;

  [[nodiscard]] std::string text() const { return incarnation + "." + std::to_string(sequence); }
  // "0", or what text() gives; code kUsage for anything else.
  static Result<Cursor> parse(std::string_view text);
};

// The query parameter "since"; the beginning where it is absent.
Result<Cursor> cursor_from(Exchange& exchange);
// Completes a cursor of the beginning. Refuses one of another store than this, with 410: its records are unknown here,
// and here is what its client has not seen.
Result<void> check_cursor(Cursor& cursor, store::StoreReader& reader);

}  // namespace spl::api
