// intend, do, know, learn, record.
#include <algorithm>

#include "base/limits.h"
#include "base/utf8.h"
#include "base/words.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/slow_input.h"
#include "codec/json_cursor.h"
#include "record/record_lines.h"

namespace spl::cli {
namespace {

constexpr const char* kIdHelp = "the record's id, or the first 8 digits of it or more";

// Segments of lowercase letters, digits, _ and -, from the general to the particular.
bool is_namespace(std::string_view name) {
  constexpr std::size_t kBytesMax = 256;
  constexpr std::size_t kSegmentsMax = 4;
  constexpr std::size_t kSegmentBytesMax = 63;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto is_segment = [&](const std::string& text) {
    return !text.empty() && text.size() <= kSegmentBytesMax && is_letter(text.front()) &&
           std::ranges::all_of(text, [&](char c) { return is_letter(c) || c == '_' || c == '-'; });
  };
  if (name.empty() || name.size() > kBytesMax) return false;
  const std::vector<std::string> segments = base::split(name, '/');
  return segments.size() <= kSegmentsMax && std::ranges::all_of(segments, is_segment);
}

// What the line says of the record: told by the names of the options, not by those of the record's members.
Result<void> check_emission(const instance::Emission& emission) {
  if (!base::is_utf8(*emission.text)) return fail(ErrorCode::kUsage, "TEXT is not UTF-8", "give it in UTF-8");
  if (emission.thread) TRY_IN("--thread", record::check_thread(*emission.thread));
  if (emission.actor) TRY_IN("--actor \"" + shown(*emission.actor) + "\"", record::check_actor(*emission.actor));
  if (emission.name_space && !is_namespace(*emission.name_space))
    return fail(ErrorCode::kUsage, "--namespace \"" + shown(*emission.name_space) + "\" is no namespace",
                "give one to four segments of a-z, 0-9, _ and -, at most 63 each, such as acme/billing");
  if (!emission.body) return {};
  const auto with_hint = [](Result<void> result) {
    if (!result) result.error().hint = "give a JSON object, such as --body '{\"cost\":3}'";
    return result;
  };
  // As it will stand in the record.
  codec::JsonCursor cursor(*emission.body, 1);
  std::string canonical;
  TRY_IN("--body", with_hint(cursor.canonical(canonical)));
  TRY_IN("--body", with_hint(cursor.end()));
  return canonical.front() == '{' ? Result<void>() : with_hint(fail(ErrorCode::kUsage, "--body is not a JSON object"));
}

Result<int> emit(Session& session, const Arguments& arguments, record::Act act) {
  instance::Emission emission;
  emission.act = act;
  emission.text = arguments.at("TEXT");
  emission.thread = arguments.value("--thread");
  emission.actor = arguments.value("--actor");
  emission.body = arguments.value("--body");
  emission.name_space = arguments.value("--namespace");
  for (const std::string& digits : arguments.all("--fulfills"))
    TRY_IN("--fulfills", operation::check_id_digits(digits));
  TRY(check_emission(emission));
  const auto home = TRY(session.changing());
  for (const std::string& digits : arguments.all("--fulfills"))
    emission.fulfills.push_back(TRY_IN("--fulfills", home->resolve_id(digits)));
  const instance::Emitted emitted = TRY(home->emit(emission));
  Output& out = session.out();
  if (out.text()) {
    TRY(out.line(emitted.id.hex() + " " + shown_thread(emitted.thread)));
  } else {
    TRY(out.document(codec::shape_json(emitted)));
  }
  return 0;
}

Result<int> run_intend(Session& session, const Arguments& arguments) {
  return emit(session, arguments, record::Act::kIntend);
}
Result<int> run_do(Session& session, const Arguments& arguments) {
  return emit(session, arguments, record::Act::kDo);
}
Result<int> run_know(Session& session, const Arguments& arguments) {
  return emit(session, arguments, record::Act::kKnow);
}
Result<int> run_learn(Session& session, const Arguments& arguments) {
  return emit(session, arguments, record::Act::kLearn);
}

// One JSON document as a line, so that it is put like any other.
Result<std::string> as_line(Source& in) {
  constexpr std::size_t kDocumentBytesMax = 2 * base::kRecordBytesMax;  // with a wrapper and white space
  std::string text(kDocumentBytesMax + 1, '\0');
  text.resize(TRY(base::read_full(in, text)));
  if (text.size() > kDocumentBytesMax)
    return fail(ErrorCode::kUsage, "standard input: longer than a record may be",
                "many records, one a line, are put with --ndjson");
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    return fail(ErrorCode::kUsage, "standard input: no record", "give one JSON object, or one a line with --ndjson");
  const Record record = TRY_IN("standard input", record::parse_record_to_put(text));
  if (!record.lacks_clock) return record::file_text(record) + "\n";
  // As it was given, on one line.
  std::string line;
  TRY_IN("standard input", codec::JsonCursor(text).canonical(line));
  return line + "\n";
}

Error nothing_was_put(Error error) {
  if (error.code == ErrorCode::kUsage && error.hint.empty()) error.hint = "mend it, and put all of it again";
  if (error.code == ErrorCode::kUsage) error.hint = "nothing was put: " + error.hint;
  return error;
}

Result<int> run_put(Session& session, const Arguments& arguments) {
  ShownProgress& progress = session.progress();
  const auto input = TRY(env::InputFile::open("-", progress.interrupt()));
  progress.follow(*input);
  std::optional<base::StringSource> line;
  std::string text;
  if (!arguments.has("--ndjson")) {
    auto given = as_line(*input);
    if (!given) return std::unexpected(nothing_was_put(given.error()));
    text = std::move(*given);
    line.emplace(text);
  }
  std::optional<spool::Received> spooled;
  if (!line) spooled = TRY(receive_if_slow(session, *input, "receiving records"));
  Source& source = line ? static_cast<Source&>(*line) : spooled ? static_cast<Source&>(*spooled) : *input;
  const auto home = TRY(session.changing());
  auto put = home->put_ndjson(source, progress);
  if (!put) put.error() = nothing_was_put(put.error());
  const instance::PutReport report = TRY(std::move(put));
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(report)));
    return 0;
  }
  TRY(out.line(std::to_string(report.inserted) + " inserted, " + std::to_string(report.deduplicated) +
               " already there"));
  if (report.details.sigs_filled > 0) out.note(counted(report.details.sigs_filled, "missing signature") + " filled in");
  if (report.details.differing > 0)
    out.note(counted(report.details.differing, "record") + " with another judged_by: kept as first seen");
  return 0;
}

Result<int> run_get(Session& session, const Arguments& arguments) {
  TRY(operation::check_id_digits(arguments.at("ID")));
  const auto home = TRY(session.looking());
  const Record record = TRY(home->record(TRY(home->resolve_id(arguments.at("ID")))));
  Output& out = session.out();
  const std::string content = record::file_text(record);
  if (out.format() == Format::kStreamJson) {
    TRY(out.document_text(content));
  } else {
    // What a terminal would act on is not sent to it; a pipe gets every octet as it is.
    const std::string seen = out.text() ? one_line(content) : content;
    TRY(out.content(out.out_is_terminal() ? seen + "\n" : content));
  }
  return 0;
}

// docs/formats/record.md has the whole of it.
codec::Json record_schema() {
  using codec::Json;
  const auto of_type = [](const char* type) { return Json(Json::Object{{"type", type}}); };
  return Json::Object{{"type", "object"},
                      {"properties", Json::Object{{"act", of_type("string")},
                                                  {"actor", of_type("string")},
                                                  {"body", of_type("object")},
                                                  {"clock", of_type("integer")},
                                                  {"data_type", of_type("string")},
                                                  {"parents", of_type("array")},
                                                  {"thread", of_type("string")},
                                                  {"judged_by", of_type("string")},
                                                  {"sig", of_type("string")}}},
                      {"required", Json::Array{"act", "actor", "body", "clock", "data_type", "parents", "thread"}}};
}

Command emission_command(std::string name, std::string summary, std::string example, Handler run) {
  return {
      .name = std::move(name),
      .summary = std::move(summary),
      .details =
          "Prints the record's id and its thread. Without --actor the actor is the instance, and the record "
          "is signed.",
      .options = {{.name = "--thread",
                   .value = "THREAD",
                   .help = "the thread it belongs to; without it an INTEND opens one, and others belong to no thread",
                   .names = Names::kThread},
                  {.name = "--actor", .value = "DID", .help = "who acts, where it is not the instance"},
                  {.name = "--body", .value = "JSON", .help = "more members of the body: a JSON object"},
                  {.name = "--fulfills",
                   .value = "ID",
                   .help = "the record that this one answers",
                   .times = Times::kAny,
                   .names = Names::kRecord},
                  {.name = "--namespace", .value = "NAME", .help = "the body's namespace"}},
      .positionals = {{.name = "TEXT", .help = "the body's text"}},
      .examples = {std::move(example)},
      .run = run,
      .schema = codec::schema_of<instance::Emitted>};
}

}  // namespace

std::vector<Command> record_commands() {
  std::vector<Command> commands;
  commands.push_back(emission_command("intend", "Record an intention; without --thread it opens a new thread",
                                      "spl intend \"move to the new machine\"", run_intend));
  commands.push_back(emission_command("do", "Record what was done on a thread",
                                      "spl do \"copied the files\" --thread th_move", run_do));
  commands.push_back(emission_command("know", "Record what is known, such as that an intention is fulfilled",
                                      "spl know \"it runs there\" --thread th_move --fulfills 5f0c...e1", run_know));
  commands.push_back(emission_command("learn", "Record what was learned on a thread",
                                      "spl learn \"the disk is slow\" --thread th_move", run_learn));
  Command record{.name = "record",
                 .summary = "Records as they are: put given ones, get one",
                 .examples = {"spl record put --ndjson < records.ndjson"}};
  record.commands = {
      {.name = "put",
       .summary = "Put the records of standard input into the store, all or none",
       .details = "A record is a JSON object of its members, to which sig may be added, or {\"id\":..,\"record\":.., "
                  "\"sig\":..} whose id is checked.",
       .options = {{.name = "--ndjson", .value = "", .help = "one record a line, as many as there are"}},
       .examples = {"spl record put < record.json", "spl record put --ndjson < records.ndjson"},
       .run = run_put,
       .schema = codec::schema_of<instance::PutReport>},
      {.name = "get",
       .summary = "Print a record as a bundle would hold it, to the octet",
       .positionals = {{.name = "ID", .help = kIdHelp, .names = Names::kRecord}},
       .examples = {"spl record get 5f0c...e1 > record.json"},
       .run = run_get,
       .schema = record_schema},
  };
  commands.push_back(std::move(record));
  commands.push_back(log_command());
  return commands;
}

}  // namespace spl::cli
