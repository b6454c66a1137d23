#include "api/cursor.h"

#include <algorithm>
#include <charconv>

namespace spl::api {
namespace {

constexpr std::size_t kIncarnationDigits = 32;

std::unexpected<Error> malformed() {
  return fail(ErrorCode::kUsage, "parameter since is no cursor", "give 0, or the cursor of an earlier answer as it is");
}

}  // namespace

Result<Cursor> Cursor::parse(std::string_view text) {
  if (text == "0") return Cursor{};
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() < kIncarnationDigits + 2 || text[kIncarnationDigits] != '.') return malformed();
  Cursor cursor;
  cursor.incarnation = text.substr(0, kIncarnationDigits);
  const std::string_view number = text.substr(kIncarnationDigits + 1);
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), cursor.sequence);
  // In one form only.
  if (parsed.ec != std::errc() || !std::ranges::all_of(cursor.incarnation, is_digit) || cursor.text() != text)
    return malformed();
  return cursor;
}

Result<Cursor> cursor_from(Exchange& exchange) {
  const std::string* since = exchange.parameter("since");
  return since == nullptr ? Cursor{} : Cursor::parse(*since);
}

Result<void> check_cursor(Cursor& cursor, store::StoreReader& reader) {
  std::string incarnation = TRY(reader.incarnation());
  bool is_known = cursor.incarnation.empty() || cursor.incarnation == incarnation;
  // Nothing is ever deleted: a record that is not there was told by a store that has been put back since.
  if (is_known && cursor.sequence > 0) {
    is_known = false;
    TRY(reader.changes(cursor.sequence - 1, 1, std::nullopt, [&](const store::StoredRecord& row) -> Result<void> {
      is_known = row.sequence == cursor.sequence;
      return {};
    }));
  }
  if (!is_known)
    return fail(Cause::kCursorGone, "the cursor is of a store that is no longer here: the instance was restored",
                "begin again with since=0; ids tell what is known");
  cursor.incarnation = std::move(incarnation);
  return {};
}

}  // namespace spl::api
