// Pairs of instances (docs/formats/federation.md): with whom records are shared, where the other side is, and which
// namespaces pass whole. Records on th_federation_pairs; the last effective one of a pair in fold order decides.
// Follows a StoreReader's rules for threads.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/enum_names.h"
#include "codec/shape.h"
#include "store/record_store.h"

namespace spl::substrate {

inline constexpr std::size_t kPairNamespacesMax = 64;

enum class PairState : std::uint8_t {
  kEstablishing,  // this side has agreed, and has not heard that the other one has
  kActive,
  kPaused,    // nothing passes in either direction until its owner resumes it
  kDegraded,  // active, but the peer could not be reached for a day, or refused to know us; never in a record
  kRevoked,   // ended
};
constexpr auto names_of(PairState) {
  using enum PairState;
  return std::array{std::pair{kEstablishing, "establishing"}, std::pair{kActive, "active"},
                    std::pair{kPaused, "paused"}, std::pair{kDegraded, "degraded"}, std::pair{kRevoked, "revoked"}};
}

// What a record on the thread says was done.
enum class PairStep : std::uint8_t { kInit, kGenesis, kActive, kUpdate, kRevoke };
constexpr auto names_of(PairStep) {
  using enum PairStep;
  return std::array{std::pair{kInit, "syncropel.federation.pair_init.v1"},
                    std::pair{kGenesis, "syncropel.federation.pair_genesis.v1"},
                    std::pair{kActive, "syncropel.federation.pair_active.v1"},
                    std::pair{kUpdate, "syncropel.federation.pair_update.v1"},
                    std::pair{kRevoke, "syncropel.federation.pair_revoke.v1"}};
}

struct Pair {
  std::string pair_id;
  std::string peer_did;
  std::string peer_base_url;
  std::string own_base_url;  // where this side said it was; empty: nowhere
  PairState state = PairState::kEstablishing;
  std::vector<std::string> namespaces;  // shared whole; ascending

  bool operator==(const Pair&) const = default;
};

// "fed_" and the SHA-256 of the two DIDs, ascending, joined by a line feed.
std::string pair_id_of(std::string_view did, std::string_view other);
// Ascending and without repeats; none are the default one. Code kUsage.
Result<std::vector<std::string>> pair_namespaces(std::vector<std::string> names);

// The body of the record that says that the pair is now like this.
std::string pair_body(const Pair& pair, PairStep step, std::string_view at);
// By peer's DID; revoked ones too.
Result<std::vector<Pair>> federation_pairs(store::StoreReader& reader, const std::optional<std::string>& did);
// The one whose pair_id, peer's DID, or a beginning of the pair_id of 8 digits or more after "fed_" this is. Code
// kUsage, cause kNotFound.
Result<Pair> find_pair(const std::vector<Pair>& pairs, std::string_view name);

}  // namespace spl::substrate
