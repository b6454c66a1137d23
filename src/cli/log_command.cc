// log.
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "base/encoding.h"
#include "base/rfc3339.h"
#include "cli/command.h"
#include "cli/record_text.h"
#include "cli/session.h"
#include "codec/enum_names.h"
#include "codec/shape.h"
#include "env/pager.h"
#include "operation/log.h"

namespace spl::cli {
namespace {

using codec::Json;

constexpr std::size_t kIdDigitsShown = 12;
constexpr std::size_t kThreadShown = 24;

std::string time_text(std::int64_t seconds) {
  return env::rfc3339(std::chrono::system_clock::time_point(std::chrono::seconds(seconds)));
}

// "2h" before now, "2026-01-31", or a whole time.
Result<std::int64_t> since_of(env::Clock& clock, const std::string& text) {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.now().time_since_epoch()).count();
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc() && stop + 1 == end && count >= 0) {
    constexpr std::pair<char, std::int64_t> kUnits[] = {
        {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}, {'w', 604'800}};
    for (const auto& [letter, seconds] : kUnits) {
      if (*stop == letter && count <= now / seconds) return now - count * seconds;
    }
  }
  constexpr std::size_t kDateBytes = 10;
  const auto time = base::parse_rfc3339(text.size() == kDateBytes ? text + "T00:00:00Z" : text);
  if (time) return std::chrono::floor<std::chrono::seconds>(time->time_since_epoch()).count();
  return fail(ErrorCode::kUsage, "--since " + shown(text) + ": neither a time nor a while",
              "give 2h (s, m, h, d, w), 2026-01-31 or 2026-01-31T12:00:00Z");
}

Result<operation::LogQuery> query_from(Session& session, const Arguments& arguments) {
  operation::LogQuery query;
  query.thread = arguments.value("--thread");
  query.actor = arguments.value("--actor");
  query.name_space = arguments.value("--namespace");
  query.text = arguments.value("--grep");
  if (const auto act = arguments.value("--act")) query.act = codec::parse_enum<record::Act>(*act);
  if (const auto since = arguments.value("--since")) query.since = TRY(since_of(session.env().clock, *since));
  if (arguments.has("--reverse")) query.order = operation::LogOrder::kOldestFirst;
  if (const auto limit = arguments.value("--limit")) {
    const char* const end = limit->data() + limit->size();
    const auto [stop, error] = std::from_chars(limit->data(), end, query.limit);
    if (error != std::errc() || stop != end || query.limit == 0)
      return fail(ErrorCode::kUsage, "--limit " + shown(*limit) + ": not a number from 1", "leave it out to have all");
  }
  return query;
}

std::string line_of(const operation::LoggedRecord& logged) {
  const std::string time = logged.arrived_at ? time_text(*logged.arrived_at) : std::string("-");
  return padded(time, 20) + "  " + padded(std::string(record::act_name(logged.record.act)), 6) + "  " +
         logged.row.id.hex().substr(0, kIdDigitsShown) + "  " +
         padded(cut(shown_thread(logged.record.thread), kThreadShown), kThreadShown) + "  " +
         record_text(logged.record);
}

std::string json_of(const operation::LoggedRecord& logged) {
  std::string json;
  record::append_element(json, logged.row.id, logged.row.canonical, logged.row.judged_by, logged.row.sig);
  json.pop_back();
  return json + ",\"arrived_at\":" + (logged.arrived_at ? "\"" + time_text(*logged.arrived_at) + "\"}" : "null}");
}

// Where somebody reads at a terminal.
std::unique_ptr<env::Pager> pager_of(const Output& out) {
  if (!out.text() || !out.out_is_terminal() || variable("TERM") == "dumb") return nullptr;
  const char* const named = std::getenv("PAGER");
  const std::string command = named == nullptr ? "less" : named;
  if (command.empty() || command == "cat") return nullptr;
  // What cannot be found shows all of it without one.
  return env::Pager::start(
      "command -v " + command.substr(0, command.find(' ')) + " >/dev/null 2>&1 || exec cat; " + command, ::environ);
}

Result<int> run_log(Session& session, const Arguments& arguments) {
  const operation::LogQuery query = TRY(query_from(session, arguments));
  const auto home = TRY(session.looking());
  Output& out = session.out();
  const auto pager = pager_of(out);
  ListOutput list(out);
  const auto read = home->log(query, [&](const operation::LoggedRecord& logged) {
    return list.item(out.text() ? line_of(logged) : json_of(logged));
  });
  const auto ended = read ? list.end() : read;
  const auto written = ended ? out.flush() : ended;
  // Who has seen enough of it has what was asked for.
  if (!written && !(pager && out.reader_gone())) return std::unexpected(written.error());
  return 0;
}

struct LogItem {
  RecordId id;
  Json record;
  std::string sig;
  std::optional<std::string> arrived_at;

  static constexpr auto shape() {
    using L = LogItem;
    return codec::shape(codec::member("id", &L::id, "the record's id"),
                        codec::member("record", &L::record, "the record, as docs/formats/record.md has it"),
                        codec::member("sig", &L::sig, "its signature in base64", codec::Presence::kOmitted),
                        codec::member("arrived_at", &L::arrived_at, "when it came here; null where that is not known"));
  }
};

}  // namespace

Command log_command() {
  std::vector<std::string> acts;
  for (const auto& [act, name] : names_of(record::Act())) acts.emplace_back(name);
  return {
      .name = "log",
      .summary = "Show records as they came, the newest first",
      .details =
          "A line each: when it came here, its act, the beginning of its id, its thread and its text. At a terminal "
          "they go through $PAGER, or less. When a record came is known to this store alone; no bundle carries it.",
      .options = {{.name = "--thread", .value = "THREAD", .help = "only of this thread", .names = Names::kThread},
                  {.name = "--actor", .value = "DID", .help = "only of this actor"},
                  {.name = "--act", .value = "ACT", .help = "only of this act", .choices = std::move(acts)},
                  {.name = "--namespace", .value = "NAME", .help = "only of this namespace, or one below it"},
                  {.name = "--since", .value = "TIME", .help = "only what came since 2h ago, or since a date"},
                  {.name = "--grep", .value = "TEXT", .help = "only where this text is somewhere in the record"},
                  {.name = "--limit", .value = "N", .help = "at most so many"},
                  {.name = "--reverse", .value = "", .help = "the oldest first"}},
      .examples = {"spl log --limit 20", "spl log --since 2h --act DO", "spl log --thread th_move -o json"},
      .run = run_log,
      .schema = codec::list_schema_of<LogItem>};
}

}  // namespace spl::cli
