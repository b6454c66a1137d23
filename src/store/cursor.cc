#include "store/cursor.h"

#include <algorithm>
#include <charconv>

namespace spl::store {
namespace {

constexpr std::size_t kIncarnationDigits = 32;

std::unexpected<Error> malformed() {
  return fail(ErrorCode::kUsage, "this is no cursor", "give 0, or the cursor of an earlier answer as it is");
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

Result<bool> is_current(const Cursor& cursor, StoreReader& reader) {
  if (!cursor.incarnation.empty() && cursor.incarnation != TRY(reader.incarnation())) return false;
  if (cursor.sequence == 0) return true;
  // Nothing is ever deleted: a record that is not there was told by a store that has been put back since.
  bool is_there = false;
  TRY(reader.changes(cursor.sequence - 1, 1, std::nullopt, [&](const StoredRecord& row) -> Result<void> {
    is_there = row.sequence == cursor.sequence;
    return {};
  }));
  return is_there;
}

}  // namespace spl::store
