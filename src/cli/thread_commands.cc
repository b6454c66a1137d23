// thread.
#include "base/encoding.h"
#include "cli/command.h"
#include "cli/record_text.h"
#include "cli/session.h"
#include "record/thread.h"
#include "store/record_store.h"

namespace spl::cli {
namespace {

using codec::Json;

Result<int> run_list(Session& session, const Arguments&) {
  const auto home = TRY(session.looking());
  Output& out = session.out();
  ListOutput list(out);
  TRY(home->threads([&](const store::ThreadSummary& summary) -> Result<void> {
    if (!out.text()) return list.item(codec::shape_json(summary).text());
    return list.item(padded(std::string(record::thread_state_name(summary.state)), 9) + "  " +
                     padded(counted(summary.records, "record"), 12) + "  " + shown_thread(summary.thread));
  }));
  TRY(list.end());
  return 0;
}

Result<int> run_show(Session& session, const Arguments& arguments) {
  const operation::ThreadDetails details = TRY(TRY(session.looking())->thread(arguments.at("THREAD")));
  const store::ThreadSummary& summary = details.summary;
  Json::Object counts;
  std::string line;
  for (const auto& [act, count] : details.acts) {
    const std::string name(record::act_name(act));
    counts.emplace_back(name, count);
    line += (line.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  }
  Output& out = session.out();
  if (!out.text()) {
    Json json = codec::shape_json(summary);
    json.add("acts", std::move(counts));
    TRY(out.document(json));
    return 0;
  }
  TRY(out.line("thread:        " + shown_thread(summary.thread)));
  TRY(out.line("state:         " + std::string(record::thread_state_name(summary.state))));
  TRY(out.line("records:       " + std::to_string(summary.records) + " (" + line + ")"));
  TRY(out.line("last sequence: " + std::to_string(summary.last_sequence)));
  return 0;
}

Result<std::string> record_line(const store::StoredRecord& row) {
  const Record record = TRY(store::parse_row(row));
  return padded(std::to_string(record.clock), 6) + "  " + padded(std::string(record::act_name(record.act)), 6) + "  " +
         row.id.hex() + "  " + shown(record.actor) + "  " + record_text(record);
}

Result<int> run_records(Session& session, const Arguments& arguments) {
  const std::string& thread = arguments.at("THREAD");
  const auto home = TRY(session.looking());
  Output& out = session.out();
  ListOutput list(out);
  bool any = false;
  TRY(home->thread_records(thread, [&](const store::StoredRecord& row) -> Result<void> {
    TRY(record::check_content(row.id, row.canonical));
    any = true;
    if (out.text()) return list.item(TRY(record_line(row)));
    std::string json;
    record::append_element(json, row.id, row.canonical, row.judged_by, row.sig);
    return list.item(json);
  }));
  TRY(list.end());
  // Not an error: a thread with no records has none to print.
  if (!any && out.text()) out.note(operation::no_thread(thread));
  return 0;
}

Json details_schema() {
  return codec::with_member(codec::schema_of<store::ThreadSummary>(), "acts",
                            Json::Object{{"type", "object"},
                                         {"additionalProperties", codec::JsonValue<std::uint64_t>::schema()},
                                         {"description", "how many records of which act"}});
}

// As record::append_element writes it; for the schema.
struct ListedRecord {
  RecordId id;
  Json record;
  std::string sig;

  static constexpr auto shape() {
    using L = ListedRecord;
    return codec::shape(codec::member("id", &L::id, "the record's id"),
                        codec::member("record", &L::record, "the record, as docs/formats/record.md has it"),
                        codec::member("sig", &L::sig, "its signature in base64", codec::Presence::kOmitted));
  }
};

}  // namespace

std::vector<Command> thread_commands() {
  Command thread{.name = "thread", .summary = "Threads: what they are and hold", .examples = {"spl thread list"}};
  const Positional name{
      .name = "THREAD", .help = "the thread's id; \"\" for records without a thread", .names = Names::kThread};
  thread.commands = {
      {.name = "list",
       .summary = "List all threads with state and number of records",
       .examples = {"spl thread list", "spl thread list -o json | jq -r '.[].thread'"},
       .run = run_list,
       .schema = codec::list_schema_of<store::ThreadSummary>},
      {.name = "show",
       .summary = "Say a thread's state and how many records of which act it has",
       .positionals = {name},
       .examples = {"spl thread show th_move"},
       .run = run_show,
       .schema = details_schema},
      {.name = "records",
       .summary = "Print a thread's records by clock, then id",
       .positionals = {name},
       .examples = {"spl thread records th_move", "spl thread records th_move -o json | sha256sum"},
       .run = run_records,
       .schema = codec::list_schema_of<ListedRecord>},
  };
  return {std::move(thread)};
}

}  // namespace spl::cli
