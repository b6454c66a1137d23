#include "store/record_store.h"

#include <cstdint>
#include <limits>

#include "base/check.h"

namespace spl::store {

Result<Record> parse_row(const StoredRecord& row) {
  auto record = record::parse_stored(row.canonical, row.judged_by, row.sig);
  // What cannot be parsed is not what was put either.
  if (!record || record->id != row.id) TRY(record::check_content(row.id, row.canonical));
  return record;
}

bool is_signed(const Record& record) {
  return record.sig && record::is_reserved(record.thread) && record::signature_is_valid(record);
}

Result<void> check_redacted(const RedactedRecord& redacted) {
  TRY(record::check_thread(redacted.thread));
  TRY(record::check_actor(redacted.actor));
  TRY_IN("the peer", record::check_actor(redacted.peer));
  if (redacted.clock > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return fail(ErrorCode::kUsage, "the clock of a record is larger than any may be");
  return {};
}

std::pair<RecordId, RecordId> ids_between(std::string_view digits) {
  constexpr std::size_t kDigits = 64;
  std::string first(digits.substr(0, kDigits));
  std::string last = first;
  first.resize(kDigits, '0');
  last.resize(kDigits, 'f');
  const auto low = RecordId::parse(first);
  const auto high = RecordId::parse(last);
  SPL_CHECK(low.has_value() && high.has_value());
  return {*low, *high};
}

Result<bool> StoreReader::contains(const RecordId& id) {
  return look(id, [](const StoredRecord&) { return Result<void>(); });
}

Result<std::optional<Record>> StoreReader::find(const RecordId& id) {
  std::optional<Record> found;
  TRY(look(id, [&found](const StoredRecord& row) -> Result<void> {
    found = TRY(parse_row(row));
    return {};
  }));
  return found;
}

}  // namespace spl::store
