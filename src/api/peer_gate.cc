#include "api/peer_gate.h"

#include "federation/retirement.h"
#include "federation/seal.h"
#include "federation/whereabouts.h"
#include "http/signature.h"
#include "substrate/pairs.h"

namespace spl::api {

PeerGate::PeerGate(instance::Instance& instance)
    : instance_(instance), started_(federation::unix_seconds(instance.env().clock.now())) {}

Result<std::shared_ptr<const PeerGate::Known>> PeerGate::known(const std::string& did) {
  const std::scoped_lock lock(mutex_);
  // Before they are read: a commit meanwhile makes what is read worthless.
  const std::uint64_t generation = instance_.store().authority_generation();
  if (known_ && known_->generation == generation && known_->did == did) return known_;
  auto read = std::make_shared<Known>();
  read->generation = generation;
  read->did = did;
  const auto reader = TRY(instance_.store().reader());
  for (const substrate::Pair& pair : TRY(substrate::federation_pairs(*reader, did))) {
    if (pair.state != substrate::PairState::kRevoked) read->peers.insert(pair.peer_did);
  }
  for (const auto& [ended, retirement] : TRY(federation::retirements(*reader, did))) read->retired.insert(ended);
  known_ = read;
  return known_;
}

Result<void> PeerGate::admit(Exchange& exchange) {
  const http::RequestHead& head = exchange.head();
  const bool is_signed = http::find_field(head.fields, http::kSignatureField) != nullptr;
  if (exchange.door() == Door::kUnix && !is_signed) return {};
  const auto identity = instance_.identity();
  if (!identity) return std::unexpected(instance_.no_identity());
  // What nobody has signed is not read.
  const std::string_view content = is_signed ? TRY(exchange.body()) : std::string_view();
  const std::int64_t now = federation::unix_seconds(instance_.env().clock.now());
  federation::Caller caller = TRY(federation::verified_request(head, content, identity->did, now));
  const bool was_before = caller.created < started_;
  const auto others = TRY(known(identity->did));
  const bool is_peer = others->peers.contains(caller.did);
  const auto taken = nonces_.take(caller.did, is_peer, caller.nonce, caller.created, now);
  federation::Caller known = caller;
  exchange.set_caller(std::move(caller), [identity, known = std::move(known)](int status, std::string_view body) {
    return federation::seal_answer(status, body, *identity, known);
  });
  if (was_before)
    return fail(ErrorCode::kRefused, Cause::kAuthInvalid, "the request was signed before this daemon started",
                "sign it again");
  TRY(taken);
  if (is_peer) exchange.set_known();
  // What it says of its end, once more, changes nothing.
  if (others->retired.contains(exchange.caller()->did) && exchange.target().path != federation::kAnnouncePath)
    return fail(ErrorCode::kRefused, Cause::kRetired, "the identity that asks was retired");
  return {};
}

}  // namespace spl::api
