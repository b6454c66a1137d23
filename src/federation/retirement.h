// The end of an identity (docs/formats/federation.md): what its key signs last. Kept for ever, as a record on
// th_actor_registry of whoever has heard of it. Follows a StoreReader's rules for threads.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"
#include "store/record_store.h"

namespace spl::federation {

struct Retirement {
  std::string kind = "syncropel.retirement.v1";
  std::string did;
  std::string retired_at;                // RFC 3339
  std::optional<std::string> successor;  // the DID that is to take its place, if it says so too

  static constexpr auto shape() {
    using R = Retirement;
    return codec::shape(codec::member("kind", &R::kind, "syncropel.retirement.v1"),
                        codec::member("did", &R::did, "the identity that ends"),
                        codec::member("retired_at", &R::retired_at, "RFC 3339"),
                        codec::member("successor", &R::successor, "the DID that is to take its place"));
  }
};

// By DID: all that have taken effect here.
Result<std::map<std::string, Retirement>> retirements(store::StoreReader& reader,
                                                      const std::optional<std::string>& own_did);
// The signed text of this instance's own; nothing where its identity is in force.
Result<std::optional<std::string>> own_retirement(store::StoreReader& reader,
                                                  const std::optional<std::string>& own_did);
// Cause kRetired where this instance's identity has ended.
Result<void> require_not_retired(store::StoreReader& reader, const std::optional<std::string>& own_did);

// Verifies and keeps it; the pair with that identity ends. Code kVerification where it is not that DID's. Again changes
// nothing, and nor does that of an identity with which there never was a pair. In a unit of the committer.
Result<void> take_retirement(instance::Instance& instance, store::StoreWriter& writer, const std::string& text);

// Ends this instance's identity, for good. The successor must be another did:key. Cause kRetired where it has ended.
Result<Retirement> retire(instance::Instance& instance, const std::optional<std::string>& successor);

}  // namespace spl::federation
