#include "api/cursor.h"

namespace spl::api {

Result<store::Cursor> cursor_from(Exchange& exchange) {
  const std::string* since = exchange.parameter("since");
  if (since == nullptr) return store::Cursor{};
  return TRY_IN("parameter since", store::Cursor::parse(*since));
}

Result<void> check_cursor(store::Cursor& cursor, store::StoreReader& reader) {
  if (!TRY(store::is_current(cursor, reader)))
    return fail(Cause::kCursorGone, "the cursor is of a store that is no longer here: the instance was restored",
                "begin again with since=0; ids tell what is known");
  cursor.incarnation = TRY(reader.incarnation());
  return {};
}

}  // namespace spl::api
