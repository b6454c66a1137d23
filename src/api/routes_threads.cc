// Threads: their list, their records, their state.
#include <map>

#include "api/list.h"
#include "api/record_lines.h"
#include "api/routes.h"
#include "base/encoding.h"

namespace spl::api {
namespace {

using codec::Json;

void append_summary(std::string& out, const store::ThreadSummary& summary) {
  out += "{\"thread\":";
  base::append_json_string(out, summary.thread);
  out.append(",\"state\":\"").append(record::thread_state_name(summary.state));
  out.append("\",\"records\":").append(std::to_string(summary.records));
  out.append(",\"last_sequence\":").append(std::to_string(summary.last_sequence)).append("}");
}

Result<void> list_threads(Call& call) {
  TRY(call.exchange.only_known_parameters());
  List list(call.served.lists, call.served.instance, call.exchange);
  std::string text = "{\"object\":\"list\",\"data\":[";
  const char* separator = "";
  TRY(list.take([&](store::StoreReader& reader) {
    return reader.threads([&](const store::ThreadSummary& summary) -> Result<void> {
      text += separator;
      append_summary(text, summary);
      separator = ",";
      TRY(list.add(text));
      text.clear();
      return {};
    });
  }));
  TRY(list.add(text + "]}"));
  return list.send();
}

Result<store::ThreadSummary> summary_of(Exchange& exchange, store::StoreReader& reader) {
  const std::string& thread = exchange.captured(0);
  auto summary = TRY(reader.thread(thread));
  if (!summary)
    return fail(ErrorCode::kFailed, Cause::kNotFound, "no thread \"" + base::escaped(thread) + "\" is here");
  return std::move(*summary);
}

Result<void> thread_records(Call& call) {
  TRY(call.exchange.only_known_parameters());
  List list(call.served.lists, call.served.instance, call.exchange);
  std::string text = "{\"object\":\"list\",\"data\":[";
  const char* separator = "";
  TRY(list.take([&](store::StoreReader& reader) -> Result<void> {
    const auto summary = TRY(summary_of(call.exchange, reader));
    return reader.thread_records(summary.thread, store::RecordOrder::kClock,
                                 [&](const store::StoredRecord& row) -> Result<void> {
                                   TRY(record::check_content(row.id, row.canonical));
                                   text += separator;
                                   record::append_element(text, row.id, row.canonical, row.judged_by, row.sig);
                                   separator = ",";
                                   TRY(list.add(text));
                                   text.clear();
                                   return {};
                                 });
  }));
  TRY(list.add(text + "]}"));
  return list.send();
}

// The highest clock of each actor on the thread; null where their names are long.
Result<Json> actor_clocks(store::StoreReader& reader, const std::string& thread) {
  std::map<std::string, std::uint64_t> clocks;
  std::size_t bytes = 0;
  TRY(reader.thread_records(thread, store::RecordOrder::kAny, [&](const store::StoredRecord& row) -> Result<void> {
    const Record record = TRY(store::parse_row(row));
    auto at = clocks.find(record.actor);
    if (at == clocks.end()) {
      bytes += record.actor.size();
      if (bytes > kActorClocksBytesMax) return {};
      at = clocks.emplace(record.actor, record.clock).first;
    }
    at->second = std::max(at->second, record.clock);
    return {};
  }));
  if (bytes > kActorClocksBytesMax) return Json();
  Json::Object object;
  for (const auto& [actor, clock] : clocks) object.emplace_back(actor, clock);
  return Json(std::move(object));
}

Result<void> thread_state(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(exchange.only_known_parameters());
  Json json;
  // As lists are: it may read a whole thread.
  List list(call.served.lists, call.served.instance, exchange);
  TRY(list.take([&](store::StoreReader& reader) -> Result<void> {
    const auto summary = TRY(summary_of(exchange, reader));
    json = Json::Object{{"thread", summary.thread},
                        {"state", record::thread_state_name(summary.state)},
                        {"records", summary.records},
                        {"last_sequence", summary.last_sequence}};
    if (summary.records > kActorClocksRecordsMax) return {};
    if (Json clocks = TRY(actor_clocks(reader, summary.thread)); !clocks.is_null())
      json.add("actor_clocks", std::move(clocks));
    return {};
  }));
  return exchange.send_json(200, json);
}

}  // namespace

void add_thread_routes(std::vector<Route>& table) {
  table.push_back({"GET", "/v1/threads", Access::kRead, list_threads, {.summary = "All threads, at one moment."}});
  table.push_back({"GET",
                   "/v1/threads/{id}/records",
                   Access::kRead,
                   thread_records,
                   {.summary = "The records of a thread, by clock, then id."}});
  table.push_back({"GET",
                   "/v1/threads/{id}/state",
                   Access::kRead,
                   thread_state,
                   {.summary = "The state of a thread; the highest clock of each actor where it is not too large.",
                    .answer = codec::schema_of<store::ThreadSummary>}});
}

}  // namespace spl::api
