// Jobs, and what the panel shows of an instance: for who has the scope admin, a browser's session among them.
#include <algorithm>
#include <charconv>
#include <map>

#include "api/pages.h"
#include "api/routes.h"
#include "base/encoding.h"
#include "base/words.h"
#include "env/free_room.h"
#include "operation/door_doctor.h"
#include "operation/local_operations.h"
#include "operation/router_operations.h"
#include "operation/service_doctor.h"
#include "service/service_set.h"

namespace spl::api {
namespace {

using codec::Json;
using operation::LocalOperations;

constexpr std::chrono::seconds kComment{15};  // so that nobody on the way takes a quiet stream for a dead one
constexpr std::string_view kEventsType = "text/event-stream";

Json jobs_json(const std::vector<job::Job>& jobs) {
  Json::Array all;
  for (const job::Job& one : jobs) all.push_back(codec::shape_json(one));
  return all;
}

Result<void> add_job(Call& call) {
  TRY(call.exchange.only_known_parameters());
  auto asked = call.exchange.json_body();
  call.exchange.body_buffer().wipe();
  auto request = TRY_IN("body", operation::parse_job_request(TRY(std::move(asked))));
  request.who = who_asks(call.exchange);
  if (operation::wants_proof(request.kind)) TRY(BrowserGate::require_proof(call.exchange));
  if (request.kind == job::JobKind::kRestore) TRY(call.served.work.check_restore(request.said));
  request.subject = TRY(call.served.work.shown_subject(request));
  return call.exchange.send_json(202, codec::shape_json(TRY(call.served.jobs->add(std::move(request)))));
}

// A form of the page that needs no script.
Result<void> back_up_now(Call& call) {
  TRY(call.exchange.only_known_parameters());
  if (call.exchange.session() == nullptr) return send_to(call.exchange, "/-/sign-in");
  auto request = TRY(operation::parse_job_request(Json::Object{{"kind", "backup"}}));
  TRY(call.served.jobs->add(std::move(request)));
  return send_to(call.exchange, "/-/plain");
}

Result<void> list_jobs(Call& call) {
  TRY(call.exchange.only_known_parameters());
  return call.exchange.send_json(200, jobs_json(TRY(call.served.jobs->store().all())));
}
Result<void> show_job(Call& call) {
  TRY(call.exchange.only_known_parameters());
  return call.exchange.send_json(200,
                                 codec::shape_json(TRY(call.served.jobs->store().find(call.exchange.captured(0)))));
}
Result<void> cancel_job(Call& call) {
  TRY(call.exchange.only_known_parameters());
  TRY(call.served.jobs->store().cancel(call.exchange.captured(0)));
  return call.exchange.send(204, kJsonType, "");
}

// Server-sent events: from the first, or after the one that the client has seen last.
Result<void> job_events(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(exchange.only_known_parameters());
  const std::string& id = exchange.captured(0);
  std::uint64_t seen = 0;
  if (const std::string* last = http::find_field(exchange.head().fields, "last-event-id"))
    std::from_chars(last->data(), last->data() + last->size(), seen);
  TRY(call.served.jobs->store().find(id));
  const EventTurn turn = TRY(EventTurn::take(call.served.event_streams));
  exchange.stream(kEventsType);
  auto quiet_since = call.served.instance.env().clock.steady();
  for (;;) {
    const auto events = TRY(call.served.jobs->events(id, seen, std::chrono::seconds(1)));
    for (const job::JobEvent& event : events) {
      TRY(exchange.write("id: " + std::to_string(event.seq) + "\ndata: " + event.json + "\n\n"));
      seen = event.seq;
    }
    const auto now = call.served.instance.env().clock.steady();
    if (events.empty() && now - quiet_since >= kComment) {
      TRY(exchange.write(": still here\n\n"));
      quiet_since = now;
    }
    if (!events.empty()) quiet_since = now;
    TRY(exchange.flush());
    if (!events.empty() && events.back().is_last) return exchange.finish();
    // Who goes on asks the next daemon.
    if (call.served.jobs->is_ending()) return exchange.finish();
    if (exchange.progress().cancelled()) return base::fail_cancelled("nobody listens any more");
  }
}

Json secret_json(const operation::SecretState& secret) {
  return Json::Object{{"handle", secret.handle},
                      {"class", secret.secret_class},
                      {"required", secret.required},
                      {"present", secret.there}};
}
// Each with the bytes of its contexts, where they are known.
Json inventory_json(const std::vector<service::InventoryRow>& rows) {
  Json::Array all;
  for (const auto& row : rows) {
    Json one = codec::shape_json(row);
    one.add("parts", Json::Array{});
    all.push_back(std::move(one));
  }
  return all;
}
Result<void> inventory(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const auto rows = TRY(LocalOperations(call.served.instance).inventory(call.exchange.progress()));
  return call.exchange.send_json(200, inventory_json(rows));
}

// How each service is, where people open it, and what it lacks.
Result<Json> services_json(Call& call, LocalOperations& operations) {
  std::map<std::string, std::string> addresses;
  if (const auto router = operations.router_status()) {
    for (const auto& route : router->routes) addresses[route.service] = route.address;
  }
  std::map<std::string, std::uint64_t> bytes;
  base::NoProgress unseen;
  if (const auto rows = operations.inventory(unseen)) {
    for (const auto& row : *rows) bytes[row.service] += row.bytes.value_or(0);
  }
  std::map<std::string, std::string> last_backup;
  for (const auto& backup : TRY(operations.backups())) {
    for (const std::string& service : backup.services) last_backup.try_emplace(service, backup.created_at);
  }
  std::map<std::string, std::uint64_t> missing;
  for (const auto& secret : TRY(operations.secret_states())) {
    if (secret.required && !secret.there) ++missing[secret.handle.substr(0, secret.handle.find('/'))];
  }
  const auto set = TRY(service::ServiceSet::load(call.served.instance.env(), call.served.instance.paths()));
  Json::Array all;
  for (const auto& state : TRY(operations.service_states({"all"})).services) {
    const service::Declaration* declared = set.find(state.name);
    const auto address = addresses.find(state.name);
    const auto backup = last_backup.find(state.name);
    all.emplace_back(Json::Object{
        {"name", state.name},
        {"version", declared == nullptr ? "" : declared->version},
        {"summary", declared == nullptr ? "" : declared->summary},
        {"state", codec::enum_name(state.state)},
        {"healthy", state.health.empty() ? Json() : Json(state.health == "ok")},
        {"health", state.health},
        {"bytes", bytes[state.name]},
        {"last_backup_at", backup == last_backup.end() ? Json() : Json(backup->second)},
        {"address", address == addresses.end() ? Json() : Json(address->second)},
        {"secrets_missing", missing[state.name]},
        {"schema", declared == nullptr ? 0 : declared->schema},
        {"after",
         declared == nullptr ? Json(Json::Array{}) : codec::JsonValue<std::vector<std::string>>::to(declared->after)},
        {"access", declared == nullptr || !declared->run ? "owner" : codec::enum_name(declared->run->access)},
    });
  }
  return Json(std::move(all));
}

// "": none is to be made by itself.
std::string next_backup_at(const std::vector<operation::ScheduleState>& schedules) {
  std::string next;
  // RFC 3339 in UTC with seconds: the order of the texts is that of the times.
  for (const auto& one : schedules) {
    if (one.next_at && (next.empty() || *one.next_at < next)) next = *one.next_at;
  }
  return next;
}
Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Result<void> overview(Call& call) {
  TRY(call.exchange.only_known_parameters());
  instance::Instance& instance = call.served.instance;
  LocalOperations operations(instance);
  const auto status = TRY(operations.status());
  const auto backups = TRY(operations.backups());
  std::uint64_t backup_bytes = 0;
  for (const auto& backup : backups) backup_bytes += backup.bytes;
  const std::string panel = TRY(operations.owner_status()).panel;
  Json about = Json::Object{{"name", panel.substr(panel.find("://") + 3)},
                            {"did", status.did ? Json(*status.did) : Json()},
                            {"version", status.version},
                            {"record_count", status.record_count},
                            {"thread_count", status.thread_count}};
  about.add("disk_free_bytes", TRY(instance.env().fs.free_bytes(instance.paths().root)));
  const auto room = env::free_room(instance.paths().root);
  about.add("disk_total_bytes", room ? Json(room->total_bytes) : Json());
  std::vector<job::Job> jobs = TRY(call.served.jobs->store().all());
  std::erase_if(jobs, [](const job::Job& one) { return job::has_ended(one.state); });
  // Records are not read for it: a page asks often.
  std::vector<operation::Finding> findings;
  TRY(operation::examine_services(instance, call.exchange.progress(), findings));
  TRY(operation::examine_door(instance, findings));
  TRY(operation::examine_schedules(instance, findings));
  std::erase_if(findings, [](const operation::Finding& one) { return one.status == operation::FindingStatus::kOk; });
  const std::string next_at = next_backup_at(TRY(operations.schedules()));
  return call.exchange.send_json(
      200,
      Json::Object{{"instance", std::move(about)},
                   {"services", TRY(services_json(call, operations))},
                   {"backups", Json::Object{{"count", backups.size()},
                                            {"bytes", backup_bytes},
                                            {"last_at", backups.empty() ? Json() : Json(backups.front().created_at)},
                                            {"next_at", text_or_null(next_at)}}},
                   {"jobs", jobs_json(jobs)},
                   {"findings", codec::JsonValue<std::vector<operation::Finding>>::to(findings)}});
}

Result<void> services(Call& call) {
  TRY(call.exchange.only_known_parameters());
  LocalOperations operations(call.served.instance);
  return call.exchange.send_json(200, TRY(services_json(call, operations)));
}

Result<void> one_service(Call& call) {
  TRY(call.exchange.only_known_parameters());
  LocalOperations operations(call.served.instance);
  const std::string& name = call.exchange.captured(0);
  TRY(TRY(service::ServiceSet::load(call.served.instance.env(), call.served.instance.paths())).require(name));
  const Json all = TRY(services_json(call, operations));
  const auto at =
      std::ranges::find_if(*all.array(), [&name](const Json& one) { return *one.find("name")->string() == name; });
  if (at == all.array()->end()) return fail(Cause::kNotFound, "there is no service " + base::escaped(name, 80));
  Json service = *at;
  std::vector<service::InventoryRow> rows = TRY(operations.inventory(call.exchange.progress()));
  std::erase_if(rows, [&name](const auto& row) { return row.service != name; });
  service.add("surfaces", inventory_json(rows));
  Json::Array wanted;
  for (const auto& secret : TRY(operations.secret_states())) {
    if (secret.handle.starts_with(name + "/")) wanted.push_back(secret_json(secret));
  }
  service.add("secrets", std::move(wanted));
  Json::Array previous;
  for (const auto& state : TRY(operation::previous_states(call.served.instance))) {
    if (state.service == name)
      previous.emplace_back(Json::Object{{"context", state.context}, {"at", state.at}, {"bytes", Json()}});
  }
  service.add("previous", std::move(previous));
  return call.exchange.send_json(200, service);
}

Result<void> service_log(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const std::string text = TRY(LocalOperations(call.served.instance).service_log({call.exchange.captured(0)}));
  Json::Array lines;
  for (const std::string& line : base::split(text, '\n')) lines.emplace_back(base::escaped(line, 2000));
  return call.exchange.send_json(200, Json::Object{{"lines", std::move(lines)}});
}

template <auto Operation, class T>
Result<void> listed(Call& call) {
  TRY(call.exchange.only_known_parameters());
  LocalOperations operations(call.served.instance);
  const std::vector<T> all = TRY((operations.*Operation)());
  return call.exchange.send_json(200, codec::JsonValue<std::vector<T>>::to(all));
}
Result<void> catalog(Call& call) {
  return listed<&LocalOperations::catalog, operation::CatalogRow>(call);
}
Result<void> contexts(Call& call) {
  return listed<&LocalOperations::contexts, operation::ContextEntry>(call);
}

// As the panel shows it; what its note does not know is null or empty.
Json backup_json(const operation::BackupSummary& backup) {
  Json scope = Json::Object{{"kind", "instance"}};
  if (!backup.context.empty()) scope.add("context", backup.context);
  return Json::Object{{"id", backup.id},
                      {"name", backup.id + ".spl"},
                      {"created_at", backup.created_at},
                      {"bytes", backup.bytes},
                      {"scope", std::move(scope)},
                      {"encryption", text_or_null(backup.encryption)},
                      {"identity", text_or_null(backup.identity)},
                      {"consistency", text_or_null(backup.consistency)},
                      {"pause_ms", backup.pause_ms},
                      {"verified_at", text_or_null(backup.verified_at)},
                      {"schedule", text_or_null(backup.schedule)}};
}
Result<void> backups(Call& call) {
  TRY(call.exchange.only_known_parameters());
  Json::Array all;
  for (const auto& backup : TRY(LocalOperations(call.served.instance).backups())) all.push_back(backup_json(backup));
  return call.exchange.send_json(200, all);
}

Result<void> secrets(Call& call) {
  TRY(call.exchange.only_known_parameters());
  Json::Array all;
  for (const auto& secret : TRY(LocalOperations(call.served.instance).secret_states()))
    all.push_back(secret_json(secret));
  return call.exchange.send_json(200, all);
}

// "notes/smtp_password" of one segment, percent-encoded, or of as many as it has parts.
std::string handle_of(const Exchange& exchange) {
  std::string handle = exchange.captured(0);
  for (std::size_t i = 1; i < exchange.captures(); ++i) handle += "/" + exchange.captured(i);
  return handle;
}
// A value comes in, and none goes out.
Result<void> put_secret(Call& call) {
  TRY(call.exchange.only_known_parameters());
  auto asked = call.exchange.json_body();
  call.exchange.body_buffer().wipe();
  const Json body = TRY(std::move(asked));
  const Json* value = body.find("value");
  if (value == nullptr || value->string() == nullptr) return fail(ErrorCode::kUsage, "body: value is not a string");
  TRY(LocalOperations(call.served.instance, who_asks(call.exchange))
          .set_secret({handle_of(call.exchange), SecretBytes(*value->string())}));
  return call.exchange.send(204, kJsonType, "");
}
Result<void> delete_secret(Call& call) {
  TRY(call.exchange.only_known_parameters());
  TRY(LocalOperations(call.served.instance, who_asks(call.exchange)).delete_secret({handle_of(call.exchange)}));
  return call.exchange.send(204, kJsonType, "");
}

Result<void> add_context(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const auto body = TRY(call.exchange.body());
  const auto context = TRY_IN("body", codec::parse_shape_text<operation::NewContext>(body, codec::Unknown::kRefused));
  TRY(LocalOperations(call.served.instance, who_asks(call.exchange)).add_context(context));
  return call.exchange.send(204, kJsonType, "");
}
Result<void> router(Call& call) {
  TRY(call.exchange.only_known_parameters());
  return call.exchange.send_json(200, codec::shape_json(TRY(LocalOperations(call.served.instance).router_status())));
}
Result<void> peers(Call& call) {
  return listed<&LocalOperations::pairs, federation::PairSummary>(call);
}

Result<void> one_backup(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const auto backup = TRY(LocalOperations(call.served.instance).backup({call.exchange.captured(0)}));
  Json json = backup_json(backup);
  json.add("source_did", backup.source_did);
  json.add("bundle_sha256", backup.bundle_sha256);
  json.add("record_count", backup.record_count);
  json.add("thread_count", backup.thread_count);
  // Of a file from elsewhere nobody knows what is in it.
  const auto contents = backup.contents.value_or(operation::BackupContents{});
  json.add("services", codec::JsonValue<std::vector<operation::BackupService>>::to(contents.services));
  json.add("contexts", codec::JsonValue<std::vector<operation::BackupContext>>::to(contents.contexts));
  json.add("surfaces", codec::JsonValue<std::vector<operation::BackupSurface>>::to(contents.surfaces));
  return call.exchange.send_json(200, json);
}
Result<void> delete_backup(Call& call) {
  TRY(call.exchange.only_known_parameters());
  TRY(BrowserGate::require_proof(call.exchange));
  TRY(LocalOperations(call.served.instance, who_asks(call.exchange)).delete_backup({call.exchange.captured(0)}));
  return call.exchange.send(204, kJsonType, "");
}

}  // namespace

void add_job_routes(std::vector<Route>& table) {
  const auto add = [&table](std::string_view method, std::string_view pattern, Result<void> (*handle)(Call&),
                            std::string_view summary, int status = 200) {
    Route route{method, pattern, Access::kAdmin, handle};
    route.about.summary = summary;
    route.about.status = status;
    table.push_back(route);
  };
  add("GET", "/v1/overview", overview, "What the first page shows.");
  add("GET", "/v1/services", services, "How the services are.");
  add("GET", "/v1/services/{service}", one_service, "One of them, with what it keeps and what it lacks.");
  add("GET", "/v1/services/{service}/logs", service_log, "The end of its log.");
  add("GET", "/v1/catalog", catalog, "What can be installed.");
  add("GET", "/v1/inventory", inventory, "What services keep.");
  add("GET", "/v1/contexts", contexts, "The contexts.");
  add("GET", "/v1/secrets", secrets, "Handles of secrets, and which have a value.");
  for (const char* handle :
       {"/v1/secrets/{handle}", "/v1/secrets/{service}/{name}", "/v1/secrets/{service}/{context}/{name}"}) {
    add("PUT", handle, put_secret, "Takes the value of a secret.", 204);
    add("DELETE", handle, delete_secret, "Removes the value of a secret.", 204);
  }
  add("POST", "/v1/contexts", add_context, "Adds a context.", 204);
  add("GET", "/v1/router", router, "Addresses, certificate and routes.");
  add("GET", "/v1/peers", peers, "The pairs, with what is known of each peer.");
  add("GET", "/v1/backups", backups, "The backups that are kept.");
  add("GET", "/v1/backups/{backup}", one_backup, "One of them.");
  add("DELETE", "/v1/backups/{backup}", delete_backup, "Removes a backup.", 204);
  add("POST", "/v1/jobs", add_job, "Begins work that goes on by itself.", 202);
  table.push_back({"POST", "/-/plain", Access::kDoor, back_up_now, {.summary = "A backup now, by a form."}});
  add("GET", "/v1/jobs", list_jobs, "All jobs, the newest first.");
  add("GET", "/v1/jobs/{job}", show_job, "One of them.");
  add("DELETE", "/v1/jobs/{job}", cancel_job, "Asks it to end, and to take back what it did.", 204);
  Route events{"GET", "/v1/jobs/{job}/events", Access::kAdmin, job_events};
  events.about.summary = "What it does, as it does it.";
  events.about.answer_type = kEventsType;
  table.push_back(events);
}

}  // namespace spl::api
