#include "substrate/pairs.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/names.h"
#include "crypto/sha256.h"
#include "record/thread.h"
#include "substrate/authority.h"
#include "substrate/body_members.h"
#include "substrate/consent.h"

namespace spl::substrate {
namespace {

using codec::Json;

constexpr std::string_view kPairIdPrefix = "fed_";
constexpr std::size_t kShortestPairId = 8;

// The record's body, as it is written and read.
struct PairWords {
  std::string at;
  PairStep kind = PairStep::kInit;
  std::vector<std::string> namespaces;
  std::string own_base_url;
  std::string pair_id;
  std::string peer_base_url;
  std::string peer_did;
  PairState state = PairState::kEstablishing;

  static constexpr auto shape() {
    using W = PairWords;
    using enum codec::Presence;
    return codec::shape(codec::member("at", &W::at, "when"), codec::member("kind", &W::kind, "what was done"),
                        codec::member("namespaces", &W::namespaces, "shared whole"),
                        codec::member("own_base_url", &W::own_base_url, "where this side was", kOmitted),
                        codec::member("pair_id", &W::pair_id, "fed_ and 64 digits"),
                        codec::member("peer_base_url", &W::peer_base_url, "where the other side was"),
                        codec::member("peer_did", &W::peer_did, "the other side"),
                        codec::member("state", &W::state, "from then on"));
  }
};

}  // namespace

std::string pair_id_of(std::string_view did, std::string_view other) {
  const auto [first, second] = std::minmax(did, other);
  return std::string(kPairIdPrefix) +
         base::to_hex(crypto::sha256(std::string(first) + "\n" + std::string(second)).view());
}

Result<std::vector<std::string>> pair_namespaces(std::vector<std::string> names) {
  if (names.empty()) names.emplace_back(kDefaultNamespace);
  if (names.size() > kPairNamespacesMax)
    return fail(ErrorCode::kUsage, "a pair shares at most " + std::to_string(kPairNamespacesMax) + " namespaces");
  for (const std::string& name : names) {
    if (!base::is_name(name))
      return fail(ErrorCode::kUsage, "\"" + base::escaped(name, 80) + "\" is no namespace",
                  "use lowercase letters, digits, _ and -, at most 63");
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

std::string pair_body(const Pair& pair, PairStep step, std::string_view at) {
  return codec::shape_json(PairWords{.at = std::string(at),
                                     .kind = step,
                                     .namespaces = pair.namespaces,
                                     .own_base_url = pair.own_base_url,
                                     .pair_id = pair.pair_id,
                                     .peer_base_url = pair.peer_base_url,
                                     .peer_did = pair.peer_did,
                                     .state = pair.state})
      .text();
}

Result<std::vector<Pair>> federation_pairs(store::StoreReader& reader, const std::optional<std::string>& did) {
  std::map<std::string, Pair> by_peer;
  TRY(effective_records(reader, record::kPairsThread, did, [&](const Record& record) -> Result<void> {
    const Json body = body_of(record);
    auto words = codec::parse_shape<PairWords>(body, codec::Unknown::kIgnored);
    // What is not understood changes nothing; a pair of somebody else's is none of this instance's.
    if (!words || words->pair_id != pair_id_of(*did, words->peer_did)) return {};
    by_peer[words->peer_did] = {.pair_id = std::move(words->pair_id),
                                .peer_did = words->peer_did,
                                .peer_base_url = std::move(words->peer_base_url),
                                .own_base_url = std::move(words->own_base_url),
                                .state = words->state,
                                .namespaces = std::move(words->namespaces)};
    return {};
  }));
  std::vector<Pair> pairs;
  for (auto& [peer, pair] : by_peer) pairs.push_back(std::move(pair));
  return pairs;
}

Result<Pair> find_pair(const std::vector<Pair>& pairs, std::string_view name) {
  const Pair* found = nullptr;
  for (const Pair& pair : pairs) {
    const bool begins = name.size() >= kPairIdPrefix.size() + kShortestPairId && pair.pair_id.starts_with(name);
    if (pair.peer_did != name && !begins) continue;
    if (found != nullptr)
      return fail(ErrorCode::kUsage, "more than one pair has an id that begins so", "give more digits of it");
    found = &pair;
  }
  if (found != nullptr) return *found;
  return fail(ErrorCode::kUsage, Cause::kNotFound, "there is no pair with \"" + base::escaped(name, 120) + "\"",
              "spl federation list shows them; spl federation pair URL makes one");
}

}  // namespace spl::substrate
