#include "substrate/consent.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <ranges>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "base/names.h"
#include "codec/json.h"
#include "codec/json_members.h"
#include "record/thread.h"
#include "substrate/accounts.h"
#include "substrate/authority.h"
#include "substrate/body_members.h"

namespace spl::substrate {
namespace {

using codec::Json;

constexpr std::string_view kConsentKind = "core.consent.v1";
constexpr std::array<std::string_view, 4> kLevels{"L0", "L1", "L2", "L3"};
constexpr std::string_view kAllThreads = "*";
constexpr std::size_t kThreadBytesMax = 256;
constexpr std::size_t kPurposeBytesMax = 1024;

void make_ascending(std::vector<std::string>& items) {
  std::ranges::sort(items);
  items.erase(std::ranges::unique(items).begin(), items.end());
}

Result<void> check_namespace(std::string_view name) {
  if (base::is_name(name)) return {};
  return fail(ErrorCode::kUsage, "\"" + base::escaped(name, 80) + "\" is no namespace",
              "use lowercase letters, digits, _ and -, at most 63");
}

// A grant whose members are not what they should be grants nothing.
std::optional<ConsentRequest> terms_of(const Json& body) {
  ConsentRequest terms;
  terms.source_namespace = text_in(body, "source_namespace");
  if (terms.source_namespace.empty()) terms.source_namespace = kDefaultNamespace;
  terms.target_namespace = text_in(body, "target_namespace");
  const auto list = [&body](std::string_view name) {
    return body.find(name) == nullptr ? std::optional(std::vector<std::string>()) : texts_in(body, name);
  };
  auto levels = list("hash_levels");
  auto threads = list("threads");
  const Json* expires = body.find("expires");
  const bool is_understood =
      levels && threads && !terms.target_namespace.empty() &&
      (expires == nullptr || expires->is_null() || (expires->string() != nullptr && is_token_time(*expires->string())));
  if (!is_understood) return std::nullopt;
  terms.hash_levels = std::move(*levels);
  terms.threads = std::move(*threads);
  terms.purpose = text_in(body, "purpose");
  if (expires != nullptr && expires->string() != nullptr) terms.expires = *expires->string();
  return terms;
}

bool fits(const ConsentGrant& terms, std::string_view source_namespace,
          const std::vector<std::string>& target_namespaces, std::string_view thread) {
  return terms.source_namespace == source_namespace &&
         std::ranges::find(target_namespaces, terms.target_namespace) != target_namespaces.end() &&
         (terms.threads.empty() || std::ranges::find(terms.threads, kAllThreads) != terms.threads.end() ||
          std::ranges::find(terms.threads, thread) != terms.threads.end());
}

}  // namespace

std::string namespace_of(const Record& record) {
  const Json body = body_of(record);
  const Json* named = body.find("namespace");
  if (named == nullptr) return std::string(kDefaultNamespace);
  return named->string() == nullptr ? std::string() : *named->string();
}

ConsentGrant ConsentGrant::of(const RecordId& id, ConsentRequest terms) {
  return {.id = id,
          .source_namespace = std::move(terms.source_namespace),
          .target_namespace = std::move(terms.target_namespace),
          .hash_levels = std::move(terms.hash_levels),
          .threads = std::move(terms.threads),
          .purpose = std::move(terms.purpose),
          .expires = std::move(terms.expires)};
}

Result<ConsentRequest> checked(ConsentRequest request) {
  TRY(check_namespace(request.source_namespace));
  TRY(check_namespace(request.target_namespace));
  for (const std::string& level : request.hash_levels) {
    if (std::ranges::find(kLevels, level) == kLevels.end())
      return fail(ErrorCode::kUsage, "there is no level \"" + base::escaped(level, 20) + "\"",
                  "the levels are L0 (records as they are), L1, L2 and L3");
  }
  for (const std::string& thread : request.threads) {
    if (thread.size() > kThreadBytesMax)
      return fail(ErrorCode::kUsage, "\"" + base::escaped(thread, 80) + "\" is no thread");
  }
  if (request.purpose.size() > kPurposeBytesMax)
    return fail(ErrorCode::kUsage, "the purpose is longer than 1024 bytes");
  if (request.expires && !is_token_time(*request.expires))
    return fail(ErrorCode::kUsage, "\"" + base::escaped(*request.expires, 80) + "\" is no time",
                "such as 2030-01-31T12:00:00Z");
  make_ascending(request.hash_levels);
  make_ascending(request.threads);
  return request;
}

std::string consent_body(const ConsentRequest& request) {
  Json body = Json::Object{{"kind", kConsentKind},
                           {"source_namespace", request.source_namespace},
                           {"target_namespace", request.target_namespace}};
  if (!request.hash_levels.empty()) body.add("hash_levels", codec::json_texts(request.hash_levels));
  if (!request.threads.empty()) body.add("threads", codec::json_texts(request.threads));
  if (!request.purpose.empty()) body.add("purpose", request.purpose);
  if (request.expires) body.add("expires", *request.expires);
  return body.text();
}

std::string revocation_body(const RecordId& grant) {
  return Json(Json::Object{{"kind", kConsentKind}, {"revokes", Json::Array{grant.hex()}}}).text();
}

Result<std::vector<ConsentGrant>> consent_grants(store::StoreReader& reader, const std::optional<std::string>& did) {
  std::vector<ConsentGrant> grants;
  std::set<std::string> revoked;
  TRY(effective_records(reader, record::kConsentThread, did, [&](const Record& record) -> Result<void> {
    const Json body = body_of(record);
    if (body.find("revokes") != nullptr) {
      std::ranges::move(one_or_more_in(body, "revokes"), std::inserter(revoked, revoked.end()));
      return {};
    }
    if (record.act != record::Act::kLearn || text_in(body, "kind") != kConsentKind) return {};
    if (auto terms = terms_of(body)) grants.push_back(ConsentGrant::of(record.id, std::move(*terms)));
    return {};
  }));
  for (ConsentGrant& grant : grants) grant.is_revoked = revoked.contains(grant.id.hex());
  return grants;
}

Passage Consent::passage(std::string_view source_namespace, const std::vector<std::string>& target_namespaces,
                         std::string_view thread, std::string_view now) const {
  for (const ConsentGrant& grant : std::ranges::reverse_view(grants_)) {
    if (grant.is_revoked || (grant.expires && *grant.expires <= now)) continue;
    if (!fits(grant, source_namespace, target_namespaces, thread)) continue;
    const bool is_whole =
        grant.hash_levels.empty() || std::ranges::find(grant.hash_levels, kLevels.front()) != grant.hash_levels.end();
    return is_whole ? Passage::kWhole : Passage::kRedacted;
  }
  return Passage::kNothing;
}

}  // namespace spl::substrate
