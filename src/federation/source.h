// What a peer gets when it pulls (docs/formats/federation.md): the log in the order of arrival, page by page, through
// consent. Any thread, on an open instance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "instance/instance.h"
#include "store/record_store.h"
#include "substrate/pairs.h"

namespace spl::federation {

inline constexpr std::uint64_t kSyncRecordsDefault = 1000;
inline constexpr std::uint64_t kSyncRecordsMax = 10'000;
inline constexpr std::size_t kSyncPageBytesMax = 8u << 20;     // a page ends before its limit where it grows over this
inline constexpr std::uint64_t kSyncRowsMax = 100'000;         // that are looked at for one page
inline constexpr std::size_t kSyncAnswerBytesMax = 32u << 20;  // of a page with the largest record there is

struct PageQuestion {
  std::string since = "0";  // "0", or the cursor of an earlier page
  std::uint64_t limit = kSyncRecordsDefault;
  std::optional<std::string> thread;
};

// {"records":[{"id","record","sig"}],"next_cursor","has_more"} for a peer, who must have an active pair: else cause
// kUnpairedPeer (also while the pair is being established), kPairPaused, kPairRevoked. An instance that has moved
// answers with kMoved.
Result<std::string> changes_for_peer(instance::Instance& instance, const std::string& peer_did,
                                     const PageQuestion& question);
// The same for the owner: everything but the reserved threads.
Result<std::string> changes_for_owner(instance::Instance& instance, const PageQuestion& question);

}  // namespace spl::federation
