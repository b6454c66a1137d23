#include "substrate/authority.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include "codec/json.h"
#include "record/thread.h"
#include "substrate/body_members.h"

namespace spl::substrate {
namespace {

using codec::Json;

// Who may speak on a reserved thread, and whom they have spoken for.
class Authority {
 public:
  static Result<Authority> of(store::StoreReader& reader, const std::optional<std::string>& did) {
    Authority authority;
    if (!did) return authority;
    authority.did_ = *did;
    for (const std::string_view thread : record::reserved_threads()) {
      TRY(reader.thread_records(thread, store::RecordOrder::kAny, [&](const store::StoredRecord& row) -> Result<void> {
        if (row.canonical.find("\"endorses\":") == std::string_view::npos) return {};
        const Record record = TRY(store::parse_row(row));
        if (authority.is_own(row, record)) authority.take_endorsements(record);
        return {};
      }));
    }
    return authority;
  }

  // The store has checked the signature, once.
  [[nodiscard]] bool is_own(const store::StoredRecord& row, const Record& record) const {
    return did_ && record.actor == *did_ && row.is_signed;
  }
  [[nodiscard]] bool is_effective(const store::StoredRecord& row, const Record& record) const {
    return is_own(row, record) || endorsed_.contains(record.id);
  }
  [[nodiscard]] std::string why_not(const Record& record) const {
    if (record.actor != did_) return "another actor";
    return record.sig ? "wrong signature" : "no signature";
  }

 private:
  void take_endorsements(const Record& record) {
    for (const std::string& text : one_or_more_in(body_of(record), "endorses")) {
      if (const auto id = RecordId::parse(text)) endorsed_.insert(*id);
    }
  }

  std::optional<std::string> did_;
  std::set<RecordId> endorsed_;
};

Result<void> visit_effective(store::StoreReader& reader, const Authority& authority, std::string_view thread,
                             const std::function<Result<void>(const Record&)>& visit) {
  return reader.thread_records(thread, store::RecordOrder::kClock, [&](const store::StoredRecord& row) -> Result<void> {
    const Record record = TRY(store::parse_row(row));
    return authority.is_effective(row, record) ? visit(record) : Result<void>();
  });
}

// A pair is known by its pair_id, or by its peer where a record names none; its last word decides. One that the other
// side has not agreed to is none yet.
Result<std::uint64_t> count_pairs(store::StoreReader& reader, const Authority& authority) {
  std::map<std::string, bool> alive;
  TRY(visit_effective(reader, authority, record::kPairsThread, [&](const Record& record) -> Result<void> {
    const Json body = body_of(record);
    const std::string pair = text_in(body, "pair_id");
    const std::string peer = text_in(body, "peer_did");
    if (pair.empty() && peer.empty()) return {};
    const std::string state = text_in(body, "state");
    const bool is_ended = state == "revoked" || text_in(body, "kind").find("revoke") != std::string::npos;
    alive[pair.empty() ? peer : pair] = !is_ended && state != "establishing";
    return {};
  }));
  return static_cast<std::uint64_t>(std::ranges::count_if(alive, [](const auto& pair) { return pair.second; }));
}

// A grant is a LEARN of its kind; one that a revocation names is none, whatever the order.
Result<std::uint64_t> count_grants(store::StoreReader& reader, const Authority& authority) {
  std::set<std::string> grants;
  std::set<std::string> revoked;
  TRY(visit_effective(reader, authority, record::kConsentThread, [&](const Record& record) -> Result<void> {
    const Json body = body_of(record);
    std::ranges::move(one_or_more_in(body, "revokes"), std::inserter(revoked, revoked.end()));
    if (body.find("revokes") == nullptr && record.act == record::Act::kLearn &&
        text_in(body, "kind") == "core.consent.v1")
      grants.insert(record.id.hex());
    return {};
  }));
  return static_cast<std::uint64_t>(
      std::ranges::count_if(grants, [&revoked](const std::string& id) { return !revoked.contains(id); }));
}

// An account is known by its name; its last record decides.
Result<std::uint64_t> count_accounts(store::StoreReader& reader, const Authority& authority) {
  std::map<std::string, bool> active;
  TRY(visit_effective(reader, authority, record::kServiceAccountsThread, [&](const Record& record) -> Result<void> {
    const Json body = body_of(record);
    const std::string name = text_in(body, "name");
    if (!name.empty()) active[name] = text_in(body, "state") != "revoked";
    return {};
  }));
  return static_cast<std::uint64_t>(std::ranges::count_if(active, [](const auto& account) { return account.second; }));
}

}  // namespace

Result<void> effective_records(store::StoreReader& reader, std::string_view thread,
                               const std::optional<std::string>& did,
                               const std::function<Result<void>(const Record&)>& visit) {
  return visit_effective(reader, TRY(Authority::of(reader, did)), thread, visit);
}

Result<Ineffective> ineffective_records(store::StoreReader& reader, const std::optional<std::string>& did,
                                        std::size_t limit) {
  const Authority authority = TRY(Authority::of(reader, did));
  Ineffective found;
  for (const std::string_view thread : record::reserved_threads()) {
    TRY(reader.thread_records(thread, store::RecordOrder::kClock, [&](const store::StoredRecord& row) -> Result<void> {
      const Record record = TRY(store::parse_row(row));
      if (authority.is_effective(row, record)) return {};
      ++found.count;
      if (found.records.size() < limit)
        found.records.push_back({record.id, std::string(thread), record.actor,
                                 std::string(record::act_name(record.act)), authority.why_not(record)});
      return {};
    }));
  }
  return found;
}

Result<AuthorityCounts> authority_counts(store::StoreReader& reader, const std::optional<std::string>& did) {
  const Authority authority = TRY(Authority::of(reader, did));
  AuthorityCounts counts;
  counts.federation_pairs = TRY(count_pairs(reader, authority));
  counts.consent_grants = TRY(count_grants(reader, authority));
  counts.service_accounts = TRY(count_accounts(reader, authority));
  return counts;
}

}  // namespace spl::substrate
