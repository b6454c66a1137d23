// The cursor of a request for what is new in the log (store/cursor.h). Any thread.
#pragma once

#include "api/exchange.h"
#include "base/result.h"
#include "store/cursor.h"

namespace spl::api {

// The query parameter "since"; the beginning where it is absent.
Result<store::Cursor> cursor_from(Exchange& exchange);
// Completes a cursor of the beginning. Refuses one of another store than this, with 410.
Result<void> check_cursor(store::Cursor& cursor, store::StoreReader& reader);

}  // namespace spl::api
