#include "federation/retirement.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/did_key.h"
#include "federation/documents.h"
#include "federation/pairing.h"
#include "instance/ingest.h"
#include "instance/move.h"
#include "record/thread.h"
#include "substrate/authority.h"
#include "substrate/body_members.h"

namespace spl::federation {
namespace {

using codec::Json;

constexpr std::string_view kRecordKind = "syncropel.retirement.v1";

Result<Retirement> verified(std::string_view text) {
  const Json document = TRY(verified_document(text, Retirement().kind));
  auto retirement = codec::parse_shape<Retirement>(document, codec::Unknown::kIgnored);
  if (!retirement)
    return fail(ErrorCode::kVerification, Cause::kSignature, "retirement: " + retirement.error().message);
  if (retirement->successor && !crypto::parse_did_key(*retirement->successor)) retirement->successor.reset();
  return std::move(*retirement);
}

// The texts that effective records hold, whoever's they are.
Result<void> visit_texts(store::StoreReader& reader, const std::optional<std::string>& own_did,
                         const std::function<void(const Retirement&, const std::string& text)>& visit) {
  return substrate::effective_records(reader, record::kActorRegistryThread, own_did,
                                      [&visit](const Record& record) -> Result<void> {
                                        const Json body = substrate::body_of(record);
                                        if (substrate::text_in(body, "kind") != kRecordKind) return {};
                                        const std::string text = substrate::text_in(body, "retirement");
                                        if (const auto retirement = verified(text)) visit(*retirement, text);
                                        return {};
                                      });
}

Result<void> keep(instance::Instance& instance, store::StoreWriter& writer, const std::string& text) {
  instance::Emission emission;
  emission.act = record::Act::kLearn;
  emission.thread = std::string(record::kActorRegistryThread);
  emission.body = Json(Json::Object{{"kind", kRecordKind}, {"retirement", text}}).text();
  TRY(instance::emit_within(instance, writer, emission));
  return {};
}

}  // namespace

Result<std::map<std::string, Retirement>> retirements(store::StoreReader& reader,
                                                      const std::optional<std::string>& own_did) {
  std::map<std::string, Retirement> by_did;
  TRY(visit_texts(reader, own_did, [&by_did](const Retirement& retirement, const std::string&) {
    // The first that was heard of holds.
    by_did.try_emplace(retirement.did, retirement);
  }));
  return by_did;
}

Result<std::optional<std::string>> own_retirement(store::StoreReader& reader,
                                                  const std::optional<std::string>& own_did) {
  std::optional<std::string> own;
  TRY(visit_texts(reader, own_did, [&](const Retirement& retirement, const std::string& text) {
    if (retirement.did == own_did && !own) own = text;
  }));
  return own;
}

Result<void> require_not_retired(store::StoreReader& reader, const std::optional<std::string>& own_did) {
  if (!TRY(own_retirement(reader, own_did))) return {};
  return fail(ErrorCode::kRefused, Cause::kRetired, "the identity of this instance was retired",
              "its records can be exported, and read; a new home with a new identity goes on");
}

Result<void> take_retirement(instance::Instance& instance, store::StoreWriter& writer, const std::string& text) {
  const Retirement retirement = TRY(verified(text));
  const auto own_did = instance.did();
  auto pairs = TRY(substrate::federation_pairs(writer, own_did));
  const auto at = std::ranges::find(pairs, retirement.did, &substrate::Pair::peer_did);
  // Strangers do not fill the log.
  if (at == pairs.end() && retirement.did != own_did) return {};
  if (TRY(retirements(writer, own_did)).contains(retirement.did)) return {};
  TRY(keep(instance, writer, text));
  if (at == pairs.end() || at->state == substrate::PairState::kRevoked) return {};
  at->state = substrate::PairState::kRevoked;
  return record_pair(instance, writer, *at, substrate::PairStep::kRevoke);
}

Result<Retirement> retire(instance::Instance& instance, const std::optional<std::string>& successor) {
  const auto identity = instance.identity();
  if (!identity) return std::unexpected(instance.no_identity());
  if (successor && (!crypto::parse_did_key(*successor) || *successor == identity->did))
    return fail(ErrorCode::kUsage, "\"" + base::escaped(*successor, 120) + "\" is no other identity's did:key",
                "spl identity show, in the successor's home, prints its DID");
  Retirement retirement{
      .did = identity->did, .retired_at = env::rfc3339(instance.env().clock.now()), .successor = successor};
  const std::string text = sign_document(codec::shape_json(retirement), *identity);
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(instance::require_not_moved(writer));
    TRY(require_not_retired(writer, identity->did));
    return keep(instance, writer, text);
  }));
  return retirement;
}

}  // namespace spl::federation
