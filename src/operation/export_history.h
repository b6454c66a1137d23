// What a store remembers of exports, so that `export_sequence` and `previous` of a manifest are right and an older
// bundle is known for one (docs/formats/bundle.md, "export_sequence"; the settings are named in docs/formats/store.md).
// Functions of a transaction: any thread that holds one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/record_store.h"

namespace spl::operation {

struct PastExport {
  std::uint64_t sequence = 0;  // 0: none
  std::string bundle_sha256;   // hex; empty where not known
};

// The largest number that an export of the identity in force has taken, whether it was finished or not.
Result<std::uint64_t> last_sequence(store::StoreReader& reader);
// The last export of the identity in force that was finished.
Result<PastExport> previous_export(store::StoreReader& reader);
// The newest export of an identity that was seen here, whoever is the instance's identity since.
Result<PastExport> newest_seen(store::StoreReader& reader, std::string_view did);

// The next number, for good: two exports never share one, and one that fails burns its own.
Result<std::uint64_t> take_sequence(store::StoreWriter& writer);
// An export of the identity in force is durable; one that was begun later may have been finished before it.
Result<void> note_finished(store::StoreWriter& writer, const PastExport& done);
// The setting that holds the number of the export of an identity from which a service, or a context of it, was last
// restored here.
std::string restored_setting(std::string_view did, std::string_view service, std::string_view context);
// The setting that holds the number of the last export that was finished and has a context's part of a service; "" once
// the context was removed.
std::string backed_up_setting(std::string_view service, std::string_view context);
// What comes under this name from now on was in none of them.
Result<void> forget_backups(store::StoreWriter& writer, const std::vector<std::string>& services,
                            std::string_view context);

// An export of this identity was imported; changes nothing where a newer one was seen.
Result<void> note_seen(store::StoreWriter& writer, std::string_view did, const PastExport& seen);
// The identity `did` comes into force, or stays, with this export of it: its numbers go on from there, and never back.
// `did_before` is the identity in force until now; what it had reached is kept for when it comes again.
Result<void> take_over(store::StoreWriter& writer, const std::optional<std::string>& did_before, std::string_view did,
                       const PastExport& imported);

}  // namespace spl::operation
