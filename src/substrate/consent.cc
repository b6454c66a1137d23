#include "substrate/consent.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "base/names.h"
#include "codec/json.h"
#include "record/thread.h"
#include "substrate/accounts.h"
#include "substrate/authority.h"

namespace spl::substrate {
namespace {

using codec::Json;

constexpr std::string_view kConsentKind = "core.consent.v1";
constexpr std::array<std::string_view, 4> kLevels{"L0", "L1", "L2", "L3"};
constexpr std::string_view kAllThreads = "*";
constexpr std::size_t kThreadBytesMax = 256;
constexpr std::size_t kPurposeBytesMax = 1024;

std::string text_member(const Json& body, std::string_view name) {
  const Json* value = body.find(name);
  return value != nullptr && value->string() != nullptr ? *value->string() : std::string();
}

Json texts(const std::vector<std::string>& items) {
  Json::Array array;
  for (const std::string& item : items) array.emplace_back(item);
  return array;
}

// Nothing where it is there and no list of texts: then it is no grant that could be understood.
std::optional<std::vector<std::string>> text_list(const Json& body, std::string_view name) {
  const Json* value = body.find(name);
  std::vector<std::string> items;
  if (value == nullptr) return items;
  if (value->array() == nullptr) return std::nullopt;
  for (const Json& item : *value->array()) {
    if (item.string() == nullptr) return std::nullopt;
    items.push_back(*item.string());
  }
  return items;
}

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
  terms.source_namespace = text_member(body, "source_namespace");
  if (terms.source_namespace.empty()) terms.source_namespace = kDefaultNamespace;
  terms.target_namespace = text_member(body, "target_namespace");
  auto levels = text_list(body, "hash_levels");
  auto threads = text_list(body, "threads");
  const Json* expires = body.find("expires");
  const bool is_understood =
      levels && threads && !terms.target_namespace.empty() &&
      (expires == nullptr || expires->is_null() || (expires->string() != nullptr && is_token_time(*expires->string())));
  if (!is_understood) return std::nullopt;
  terms.hash_levels = std::move(*levels);
  terms.threads = std::move(*threads);
  terms.purpose = text_member(body, "purpose");
  if (expires != nullptr && expires->string() != nullptr) terms.expires = *expires->string();
  return terms;
}

void take_revoked(const Json& revokes, std::set<std::string>& ids) {
  if (revokes.string() != nullptr) ids.insert(*revokes.string());
  if (revokes.array() == nullptr) return;
  for (const Json& id : *revokes.array()) {
    if (id.string() != nullptr) ids.insert(*id.string());
  }
}

bool fits(const ConsentGrant& terms, std::string_view source_namespace, std::string_view target_namespace,
          std::string_view thread) {
  return terms.source_namespace == source_namespace && terms.target_namespace == target_namespace &&
         (terms.threads.empty() || std::ranges::find(terms.threads, kAllThreads) != terms.threads.end() ||
          std::ranges::find(terms.threads, thread) != terms.threads.end());
}

}  // namespace

std::string namespace_of(const Record& record) {
  const auto body = Json::parse(record.body());
  std::string named = body ? text_member(*body, "namespace") : std::string();
  return named.empty() ? std::string(kDefaultNamespace) : named;
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
  if (!request.hash_levels.empty()) body.add("hash_levels", texts(request.hash_levels));
  if (!request.threads.empty()) body.add("threads", texts(request.threads));
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
    const Json body = TRY(Json::parse(record.body()));
    if (const Json* revokes = body.find("revokes")) {
      take_revoked(*revokes, revoked);
      return {};
    }
    if (record.act != record::Act::kLearn || text_member(body, "kind") != kConsentKind) return {};
    if (auto terms = terms_of(body)) grants.push_back(ConsentGrant::of(record.id, std::move(*terms)));
    return {};
  }));
  for (ConsentGrant& grant : grants) grant.is_revoked = revoked.contains(grant.id.hex());
  return grants;
}

Passage Consent::passage(std::string_view source_namespace, std::string_view target_namespace, std::string_view thread,
                         std::string_view now) const {
  for (const ConsentGrant& grant : std::ranges::reverse_view(grants_)) {
    if (grant.is_revoked || (grant.expires && *grant.expires <= now)) continue;
    if (!fits(grant, source_namespace, target_namespace, thread)) continue;
    const bool is_whole =
        grant.hash_levels.empty() || std::ranges::find(grant.hash_levels, kLevels.front()) != grant.hash_levels.end();
    return is_whole ? Passage::kWhole : Passage::kRedacted;
  }
  return Passage::kNothing;
}

}  // namespace spl::substrate
