// The clock of an actor on a thread where the largest that was claimed is beyond any that emissions reach
// (docs/decisions/D-08-clocks-that-are-claims.md). For the stores: they share the rule.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "crypto/did_key.h"
#include "store/record_store.h"

namespace spl::store {

using record::kClaimedClockMin;

inline std::unexpected<Error> clock_at_end(std::string_view actor, std::string_view thread) {
  return fail("the clock of " + base::escaped(actor) + " on thread \"" + base::escaped(thread) +
                  "\" has reached its end, 2^63-1",
              "go on on another thread, or as another actor");
}

// Whether a record of this clock says nothing of the actor's next one unless the actor has signed it.
inline bool is_only_a_claim(std::string_view actor, std::uint64_t clock) {
  return clock >= kClaimedClockMin && crypto::parse_did_key(actor).has_value();
}

// next_clock() without the records that only claim the actor. It reads the whole thread.
inline Result<std::uint64_t> next_signed_clock(StoreReader& reader, std::string_view actor, std::string_view thread) {
  std::uint64_t next = 0;
  TRY(reader.thread_records(thread, RecordOrder::kAny, [&](const StoredRecord& row) -> Result<void> {
    if (row.canonical.find(actor) == std::string_view::npos) return {};
    const Record record = TRY(parse_row(row));
    if (record.actor != actor) return {};
    if (record.clock < kClaimedClockMin || record::signature_is_valid(record)) next = std::max(next, record.clock + 1);
    return {};
  }));
  if (next > static_cast<std::uint64_t>(INT64_MAX)) return clock_at_end(actor, thread);
  return next;
}

}  // namespace spl::store
