// Consent (docs/formats/consent.md): which records may pass to a peer, and how much of them. Grants are records on
// th_consent. Reads through a StoreReader and follows its rules for threads: one thread; a Consent in memory by any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "record/record_shape.h"
#include "store/record_store.h"

namespace spl::substrate {

// The namespace of records that name none.
inline constexpr std::string_view kDefaultNamespace = "default";
// body.namespace, or the default where there is none; "", which is nobody's, where it is no text.
std::string namespace_of(const Record& record);

struct ConsentRequest {
  std::string source_namespace;          // whose records
  std::string target_namespace;          // that of the pairs that get them
  std::vector<std::string> hash_levels;  // of L0, L1, L2, L3; none: all. Without L0 the body stays behind
  std::vector<std::string> threads;      // none, or "*": all
  std::string purpose;
  std::optional<std::string> expires;  // RFC 3339, UTC

  static constexpr auto shape() {
    using R = ConsentRequest;
    using enum codec::Presence;
    return codec::shape(codec::member("source_namespace", &R::source_namespace, "whose records pass"),
                        codec::member("target_namespace", &R::target_namespace, "to which pairs: theirs"),
                        codec::member("hash_levels", &R::hash_levels, "L0 (whole), L1, L2, L3; missing: all", kOmitted),
                        codec::member("threads", &R::threads, "on which threads; missing: all", kOmitted),
                        codec::member("purpose", &R::purpose, "what for", kOmitted),
                        codec::member("expires", &R::expires, "until when, RFC 3339", kOmitted));
  }
};

struct ConsentGrant {
  RecordId id;
  std::string source_namespace;
  std::string target_namespace;
  std::vector<std::string> hash_levels;
  std::vector<std::string> threads;
  std::string purpose;
  std::optional<std::string> expires;
  bool is_revoked = false;

  static ConsentGrant of(const RecordId& id, ConsentRequest terms);

  static constexpr auto shape() {
    using G = ConsentGrant;
    return codec::shape(codec::member("id", &G::id, "the record that grants"),
                        codec::member("source_namespace", &G::source_namespace, "whose records pass"),
                        codec::member("target_namespace", &G::target_namespace, "to which pairs: theirs"),
                        codec::member("hash_levels", &G::hash_levels, "L0 (whole), L1, L2, L3; empty: all"),
                        codec::member("threads", &G::threads, "on which threads; empty: all"),
                        codec::member("purpose", &G::purpose, "what for; may be empty"),
                        codec::member("expires", &G::expires, "until when, RFC 3339; null: no end"),
                        codec::member("revoked", &G::is_revoked, "it was ended"));
  }
};

// In its normal form: levels and threads ascending, without repeats. Code kUsage.
Result<ConsentRequest> checked(ConsentRequest request);
// The bodies of the records.
std::string consent_body(const ConsentRequest& request);
std::string revocation_body(const RecordId& grant);

// Grants of effective records in fold order: by clock, then id.
Result<std::vector<ConsentGrant>> consent_grants(store::StoreReader& reader, const std::optional<std::string>& did);

enum class Passage : std::uint8_t {
  kNothing,
  kRedacted,  // id, thread, actor, act and clock
  kWhole,
};

class Consent {
 public:
  explicit Consent(std::vector<ConsentGrant> grants) : grants_(std::move(grants)) {}
  // What may pass of a record of this namespace and thread to a pair of these namespaces at `now` (RFC 3339). The last
  // grant that fits decides.
  [[nodiscard]] Passage passage(std::string_view source_namespace, const std::vector<std::string>& target_namespaces,
                                std::string_view thread, std::string_view now) const;

 private:
  std::vector<ConsentGrant> grants_;
};

}  // namespace spl::substrate
