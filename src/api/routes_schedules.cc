// Schedules, backup keys and who did what: for who has the scope admin, a browser's session among them.
#include "api/door_activity.h"
#include "api/routes.h"
#include "operation/local_operations.h"
#include "operation/recipients.h"
#include "operation/scheduler.h"

namespace spl::api {
namespace {

using codec::Json;
using operation::LocalOperations;

Result<void> say_nothing(Call& call) {
  return call.exchange.send(204, kJsonType, "");
}

Result<void> list_schedules(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const auto all = TRY(LocalOperations(call.served.instance).schedules());
  return call.exchange.send_json(200, codec::JsonValue<std::vector<operation::ScheduleState>>::to(all));
}

// Backups that nobody can open are none: in a browser a key is shown to be there first.
Result<void> put_schedule(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const auto body = TRY(call.exchange.body());
  auto schedule = TRY_IN("body", codec::parse_shape_text<schedule::Schedule>(body, codec::Unknown::kRefused));
  schedule.name = call.exchange.captured(0);
  TRY(schedule::check_schedule(schedule));
  TRY(operation::check_confirmed(call.served.instance, schedule.recipients));
  TRY(LocalOperations(call.served.instance, who_asks(call.exchange)).set_schedule(schedule));
  return say_nothing(call);
}
Result<void> delete_schedule(Call& call) {
  TRY(call.exchange.only_known_parameters());
  TRY(LocalOperations(call.served.instance, who_asks(call.exchange)).remove_schedule({call.exchange.captured(0)}));
  return say_nothing(call);
}
Result<void> read_schedule(Call& call) {
  TRY(call.exchange.only_known_parameters());
  TRY(LocalOperations(call.served.instance, who_asks(call.exchange)).read_schedule({call.exchange.captured(0)}));
  return say_nothing(call);
}
// Besides those runs that are due: they stay.
Result<void> run_schedule(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const std::string& name = call.exchange.captured(0);
  TRY(operation::find_schedule(call.served.instance, name));
  const auto job = TRY(call.served.jobs->add(operation::job_of_schedule(name, who_asks(call.exchange))));
  return call.exchange.send_json(202, Json::Object{{"id", job.id}});
}

Result<void> list_recipients(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const auto all = TRY(operation::list_recipients(call.served.instance));
  return call.exchange.send_json(200, codec::JsonValue<std::vector<operation::Recipient>>::to(all));
}

// A change of who can open backups: the owner is asked for a proof, and it is noted.
template <class Change>
Result<void> change_recipient(Call& call, std::string_view action, const std::string& recipient, const Change& change) {
  TRY(BrowserGate::require_proof(call.exchange));
  TRY(change());
  note_change(call, action, recipient);
  return say_nothing(call);
}
Result<void> add_recipient(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const auto body = TRY(call.exchange.body());
  const auto asked = TRY_IN("body", codec::parse_shape_text<operation::NewRecipient>(body, codec::Unknown::kRefused));
  return change_recipient(call, "recipient.add", asked.recipient,
                          [&] { return operation::add_recipient(call.served.instance, asked); });
}
Result<void> confirm_recipient(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const Json body = TRY_IN("body", call.exchange.json_body());
  const Json* confirmed = body.find("confirmed");
  if (confirmed == nullptr || confirmed->boolean() == nullptr || !*confirmed->boolean())
    return fail(ErrorCode::kUsage, "body: confirmed is not true");
  const std::string& recipient = call.exchange.captured(0);
  return change_recipient(call, "recipient.confirm", recipient,
                          [&] { return operation::confirm_recipient(call.served.instance, recipient); });
}
Result<void> remove_recipient(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const std::string& recipient = call.exchange.captured(0);
  return change_recipient(call, "recipient.remove", recipient,
                          [&] { return operation::remove_recipient(call.served.instance, recipient); });
}

Result<void> activity(Call& call) {
  const std::string* cursor = call.exchange.parameter("cursor");
  TRY(call.exchange.only_known_parameters());
  const auto page = TRY(LocalOperations(call.served.instance).activity(cursor == nullptr ? "" : *cursor));
  return call.exchange.send_json(200, codec::shape_json(page));
}

}  // namespace

void add_schedule_routes(std::vector<Route>& table) {
  const auto add = [&table](std::string_view method, std::string_view pattern, Result<void> (*handle)(Call&),
                            std::string_view summary, int status = 204) {
    Route& route = table.emplace_back(Route{method, pattern, Access::kAdmin, handle});
    route.about.summary = summary;
    route.about.status = status;
    return &route;
  };
  add("GET", "/v1/schedules", list_schedules, "When backups are made by themselves.", 200)->about.answer =
      codec::list_schema_of<operation::ScheduleState>;
  add("PUT", "/v1/schedules/{schedule}", put_schedule, "Sets one.")->about.request =
      codec::schema_of<schedule::Schedule>;
  add("DELETE", "/v1/schedules/{schedule}", delete_schedule, "Removes one; its backups stay.");
  add("POST", "/v1/schedules/{schedule}/run", run_schedule, "Makes its backup now.", 202);
  add("POST", "/v1/schedules/{schedule}/read", read_schedule, "Its failure was read.");
  add("GET", "/v1/recipients", list_recipients, "For whom backups can be encrypted.", 200)->about.answer =
      codec::list_schema_of<operation::Recipient>;
  add("POST", "/v1/recipients", add_recipient, "Takes one, which is not confirmed yet.")->about.request =
      codec::schema_of<operation::NewRecipient>;
  add("PUT", "/v1/recipients/{recipient}", confirm_recipient, "Its key was shown to be there.");
  add("DELETE", "/v1/recipients/{recipient}", remove_recipient, "Removes one that nothing is encrypted for any more.");
  add("GET", "/v1/activity", activity, "Who did what, the newest first.", 200)->about.answer =
      codec::schema_of<job::ActivityPage>;
}

}  // namespace spl::api
