// The operations of LocalOperations that go out to other instances.
#include "federation/contact.h"
#include "federation/pairing.h"
#include "federation/sync.h"
#include "operation/local_operations.h"
#include "substrate/pairs.h"

namespace spl::operation {
namespace {

using federation::Outgoing;

Result<Outgoing> outgoing(instance::Instance& instance, bool insecure_localhost, base::Progress& progress) {
  return Outgoing::make(instance, insecure_localhost ? Outgoing::Localhost::kInsecure : Outgoing::Localhost::kVerified,
                        progress);
}

Result<substrate::Pair> pair_named(instance::Instance& instance, const std::string& name) {
  return substrate::find_pair(TRY(substrate::federation_pairs(*TRY(instance.store().reader()), instance.did())), name);
}

}  // namespace

Result<std::vector<federation::PairSummary>> LocalOperations::pairs() {
  return federation::list_pairs(instance_);
}

Result<std::vector<federation::PairRequest>> LocalOperations::pair_requests() {
  return federation::list_requests(instance_);
}

Result<federation::PairSummary> LocalOperations::pair(const federation::PairQuestion& question,
                                                      base::Progress& progress) {
  return federation::pair_with(TRY(outgoing(instance_, question.insecure_localhost, progress)), question);
}

Result<federation::PairSummary> LocalOperations::pause_pair(const PairName& pair) {
  return federation::pause_pair(instance_, pair.peer);
}

Result<federation::PairSummary> LocalOperations::resume_pair(const PairName& pair) {
  return federation::resume_pair(instance_, pair.peer);
}

Result<federation::PairSummary> LocalOperations::revoke_pair(const PairName& pair, base::Progress& progress) {
  const substrate::Pair before = TRY(pair_named(instance_, pair.peer));
  auto summary = TRY(federation::revoke_pair(instance_, before.peer_did));
  const auto told = federation::tell_revoked(TRY(outgoing(instance_, pair.insecure_localhost, progress)),
                                             before.peer_did, before.peer_base_url);
  // Where the peer cannot be told it hears so when it asks.
  if (!told) progress.step("the peer was not told: " + told.error().message);
  return summary;
}

Result<federation::PairSummary> LocalOperations::refresh_pair(const RefreshQuestion& question,
                                                              base::Progress& progress) {
  const substrate::Pair pair = TRY(pair_named(instance_, question.peer));
  const Outgoing out = TRY(outgoing(instance_, question.insecure_localhost, progress));
  TRY(federation::refresh(out, pair, question.url.value_or("")));
  return federation::pair_summary(instance_, pair.peer_did);
}

Result<federation::SyncReport> LocalOperations::sync(const federation::SyncQuestion& question,
                                                     base::Progress& progress) {
  return federation::sync(TRY(outgoing(instance_, question.insecure_localhost, progress)), question);
}

Result<federation::Retirement> LocalOperations::retire_identity(const RetireQuestion& question,
                                                                base::Progress& progress) {
  auto retirement = TRY(federation::retire(instance_, question.successor));
  federation::announce_to_all(TRY(outgoing(instance_, false, progress)));
  return retirement;
}

Result<federation::PairSummary> LocalOperations::approve_request(const RequestName& request) {
  return federation::approve_request(instance_, request.id);
}

Result<federation::PairRequest> LocalOperations::reject_request(const RequestName& request) {
  return federation::reject_request(instance_, request.id);
}

}  // namespace spl::operation
