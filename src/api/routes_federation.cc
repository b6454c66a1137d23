// What other instances ask: pairs, whereabouts, records. Signed requests, signed answers (docs/formats/federation.md).
#include "api/routes.h"
#include "federation/pairing.h"
#include "federation/peer_notes.h"
#include "federation/source.h"
#include "federation/whereabouts.h"

namespace spl::api {
namespace {

using codec::Json;

// The owner needs no pair with itself.
Result<const federation::Caller*> caller_of(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const federation::Caller* caller = call.exchange.caller();
  if (caller == nullptr)
    return fail(ErrorCode::kRefused, Cause::kAuthRequired, "a signed request is wanted here",
                "spl federation and spl sync sign theirs");
  return caller;
}

Result<void> pair(Call& call) {
  const federation::Caller* caller = TRY(caller_of(call));
  const std::string_view content = TRY(call.exchange.body());
  const auto answer = TRY(federation::answer_pair(call.served.instance, *caller, content));
  return call.exchange.send(answer.waits ? 202 : 200, kJsonType, answer.content);
}

Result<void> revoke(Call& call) {
  const federation::Caller* caller = TRY(caller_of(call));
  return call.exchange.send(200, kJsonType, TRY(federation::answer_revoke(call.served.instance, *caller)));
}

// One that has moved says where to, once it knows.
Result<void> told_of_move(Call& call, Result<void> outcome) {
  if (outcome || outcome.error().cause != Cause::kMoved) return outcome;
  const auto& instance = call.served.instance;
  const auto known =
      TRY(federation::announcement_of(*TRY(call.served.instance.store().reader()), instance.did().value_or("")));
  if (known) call.exchange.add_error_member("announcement", *known);
  return outcome;
}

Result<void> announce(Call& call) {
  const federation::Caller* caller = TRY(caller_of(call));
  const auto answered = [&]() -> Result<void> {
    return call.exchange.send(
        200, kJsonType, TRY(federation::answer_announce(call.served.instance, *caller, TRY(call.exchange.body()))));
  }();
  return told_of_move(call, answered);
}

Result<void> changes(Call& call) {
  Exchange& exchange = call.exchange;
  federation::PageQuestion question;
  if (const std::string* since = exchange.parameter("since")) question.since = *since;
  question.limit = TRY(exchange.number("limit", federation::kSyncRecordsDefault));
  if (const std::string* thread = exchange.parameter("thread")) question.thread = *thread;
  TRY(exchange.only_known_parameters());
  const federation::Caller* caller = exchange.caller();
  const auto answered = [&]() -> Result<void> {
    const std::string page = caller == nullptr
                                 ? TRY(federation::changes_for_owner(call.served.instance, question))
                                 : TRY(federation::changes_for_peer(call.served.instance, caller->did, question));
    return exchange.send(200, kJsonType, page);
  }();
  return told_of_move(call, answered);
}

Result<void> directory(Call& call) {
  TRY(call.exchange.only_known_parameters());
  instance::Instance& instance = call.served.instance;
  const std::string& did = call.exchange.captured(0);
  auto text = TRY(federation::announcement_of(*TRY(instance.store().reader()), did));
  if (did == instance.did()) text = TRY(federation::latest_announcement(instance));
  if (!text) return fail(ErrorCode::kFailed, Cause::kNotFound, "nothing is known of that instance here");
  return call.exchange.send(200, kJsonType, *text);
}

Json changes_parameters() {
  const auto parameter = [](const char* name, const char* type, const char* about) {
    return Json(Json::Object{{"name", name},
                             {"in", "query"},
                             {"required", false},
                             {"description", about},
                             {"schema", Json::Object{{"type", type}}}});
  };
  return Json::Array{parameter("since", "string", "0, or next_cursor of an earlier page"),
                     parameter("limit", "integer", "how many records at most"),
                     parameter("thread", "string", "of this thread alone")};
}

}  // namespace

void add_federation_routes(std::vector<Route>& table) {
  table.push_back({"POST",
                   federation::kPairPath,
                   Access::kPeer,
                   pair,
                   {.summary = "Asks for a pair: 200 where both owners want it, 202 while this one has to decide."}});
  table.push_back(
      {"POST", federation::kRevokePath, Access::kPeer, revoke, {.summary = "Says that the pair has ended."}});
  table.push_back({"POST",
                   federation::kAnnouncePath,
                   Access::kPeer,
                   announce,
                   {.summary = "Says where the asking instance is, and is told where this one is."}});
  table.push_back({"GET",
                   federation::kChangesPath,
                   Access::kPeer,
                   changes,
                   {.summary = "A page of the log, through consent.", .parameters = changes_parameters}});
  table.push_back({"GET",
                   "/v1/directory/{did}",
                   Access::kOpen,
                   directory,
                   {.summary = "The newest announcement of an instance that is known here."}});
}

}  // namespace spl::api
