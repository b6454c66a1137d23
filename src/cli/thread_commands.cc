// thread.
#include <array>

#include "base/encoding.h"
#include "cli/command.h"
#include "cli/session.h"
#include "record/thread.h"
#include "store/record_store.h"

namespace spl::cli {
namespace {

using codec::Json;

constexpr std::size_t kActs = 8;
constexpr std::size_t kTextShown = 120;

Json summary_json(const store::ThreadSummary& summary) {
  return Json::Object{{"thread", summary.thread},
                      {"state", record::thread_state_name(summary.state)},
                      {"records", summary.records},
                      {"last_sequence", summary.last_sequence}};
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::unexpected<Error> no_thread(const std::string& thread) {
  return fail(thread.empty() ? "there is no record without a thread" : "there is no thread \"" + shown(thread) + "\"",
              "spl thread list shows the threads");
}

Result<int> run_list(Session& session, const Arguments&) {
  const auto opened = TRY(session.open_for_reading());
  const auto reader = TRY(opened->store().reader());
  Output& out = session.out();
  ListOutput list(out);
  TRY(reader->threads([&](const store::ThreadSummary& summary) -> Result<void> {
    if (!out.text()) return list.item(summary_json(summary).text());
    return list.item(padded(std::string(record::thread_state_name(summary.state)), 9) + "  " +
                     padded(counted(summary.records, "record"), 12) + "  " + shown_thread(summary.thread));
  }));
  TRY(list.end());
  return 0;
}

Result<int> run_show(Session& session, const Arguments& arguments) {
  const std::string& thread = arguments.at("THREAD");
  const auto opened = TRY(session.open_for_reading());
  const auto reader = TRY(opened->store().reader());
  const auto summary = TRY(reader->thread(thread));
  if (!summary) return no_thread(thread);
  std::array<std::uint64_t, kActs> acts{};
  TRY(reader->thread_records(thread, store::RecordOrder::kAny, [&](const store::StoredRecord& row) -> Result<void> {
    const Record record = TRY(store::whole(row));
    ++acts.at(static_cast<std::size_t>(record.act));
    return {};
  }));
  Json::Object counts;
  std::string line;
  for (std::size_t i = 0; i < acts.size(); ++i) {
    if (acts.at(i) == 0) continue;
    const std::string name(record::act_name(static_cast<record::Act>(i)));
    counts.emplace_back(name, acts.at(i));
    line += (line.empty() ? "" : ", ") + std::to_string(acts.at(i)) + " " + name;
  }
  Output& out = session.out();
  if (!out.text()) {
    Json json = summary_json(*summary);
    json.add("acts", std::move(counts));
    TRY(out.document(json));
    return 0;
  }
  TRY(out.line("thread:        " + shown_thread(summary->thread)));
  TRY(out.line("state:         " + std::string(record::thread_state_name(summary->state))));
  TRY(out.line("records:       " + std::to_string(summary->records) + " (" + line + ")"));
  TRY(out.line("last sequence: " + std::to_string(summary->last_sequence)));
  return 0;
}

// At most `bytes` of it, not within a character.
std::string cut(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  text.resize(bytes);
  return text + "...";
}

// {"id":..,"record":..,"sig":..}; the record as it is hashed, with its judged_by.
std::string record_json(const store::StoredRecord& row) {
  std::string json = "{\"id\":\"" + row.id.hex() + "\",\"record\":";
  json += record::file_text(row.canonical, row.judged_by, std::nullopt);
  if (row.sig) json += ",\"sig\":\"" + base::to_base64(*row.sig) + "\"";
  return json + "}";
}

Result<std::string> record_line(const store::StoredRecord& row) {
  const Record record = TRY(store::whole(row));
  const auto text = record::body_string(record.body(), "text");
  return padded(std::to_string(record.clock), 6) + "  " + padded(std::string(record::act_name(record.act)), 6) + "  " +
         row.id.hex() + "  " + shown(record.actor) + "  " +
         one_line(cut(text ? *text : std::string(record.body()), kTextShown));
}

Result<int> run_records(Session& session, const Arguments& arguments) {
  const std::string& thread = arguments.at("THREAD");
  const auto opened = TRY(session.open_for_reading());
  const auto reader = TRY(opened->store().reader());
  Output& out = session.out();
  ListOutput list(out);
  bool any = false;
  TRY(reader->thread_records(thread, store::RecordOrder::kClock, [&](const store::StoredRecord& row) -> Result<void> {
    TRY(record::check_content(row.id, row.canonical));
    any = true;
    return list.item(out.text() ? TRY(record_line(row)) : record_json(row));
  }));
  TRY(list.end());
  // Not an error: a thread with no records has none to print.
  if (!any && out.text()) out.note(no_thread(thread).error());
  return 0;
}

}  // namespace

std::vector<Command> thread_commands() {
  Command thread{.name = "thread", .summary = "Threads: what they are and hold", .examples = {"spl thread list"}};
  const Positional name{.name = "THREAD", .help = "the thread's id; \"\" for records without a thread"};
  thread.commands = {
      {.name = "list",
       .summary = "List all threads with state and number of records",
       .examples = {"spl thread list", "spl thread list -o json | jq -r '.[].thread'"},
       .run = run_list},
      {.name = "show",
       .summary = "Say a thread's state and how many records of which act it has",
       .positionals = {name},
       .examples = {"spl thread show th_move"},
       .run = run_show},
      {.name = "records",
       .summary = "Print a thread's records by clock, then id",
       .positionals = {name},
       .examples = {"spl thread records th_move", "spl thread records th_move -o json | sha256sum"},
       .run = run_records},
  };
  return {std::move(thread)};
}

}  // namespace spl::cli
