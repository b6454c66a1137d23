// An instance that has left with `spl export --move`: it is read, and takes no more writes, so that nothing is recorded
// where nobody looks any more, until it is brought back or a later bundle of it comes home. Any thread, on an open
// instance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "instance/instance.h"

namespace spl::instance {

// When it left (RFC 3339); nothing where it is here.
Result<std::optional<std::string>> moved_at(store::StoreReader& reader);
// The export_sequence with which it left; only where it has. What is exported here from then on is that export again,
// under the same number: so a bundle with a larger one was made where the instance has gone.
Result<std::uint64_t> moved_sequence(store::StoreReader& reader);
// Code kRefused where it has left. For every writer of records, accounts and tokens, in its transaction.
Result<void> require_not_moved(store::StoreReader& reader);
// In the transaction that makes the export known: it leaves now.
Result<void> note_move(store::StoreWriter& writer, const std::string& now, std::uint64_t sequence);
// In the transaction that brings what was recorded elsewhere: it is here again.
Result<void> note_return(store::StoreWriter& writer);
// It is here again; false where it had not left.
Result<bool> cancel_move(Instance& instance);

}  // namespace spl::instance
