// export, move.
#include <cmath>
#include <filesystem>

#include "base/encoding.h"
#include "cli/backup.h"
#include "cli/bundle_file.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "env/output_file.h"
#include "operation/export.h"
#include "operation/own_files.h"

namespace spl::cli {
namespace {

Result<operation::ExportOptions> options_from(Session& session, const Arguments& arguments) {
  operation::ExportOptions options;
  options.uncompressed = arguments.has("--uncompressed");
  options.no_identity = arguments.has("--no-identity");
  options.carry_tokens = arguments.has("--carry-tokens");
  options.plaintext = arguments.has("--plaintext");
  options.move = arguments.has("--move");
  options.records_only = arguments.has("--records-only");
  options.context = arguments.value("--context");
  options.without = arguments.all("--without");
  options.without_derived = arguments.has("--without-derived");
  if (const auto quiesce = arguments.value("--quiesce"))
    options.quiesce = codec::parse_enum<service::Quiesce>(*quiesce);
  options.allow_inconsistent = arguments.has("--allow-inconsistent");
  options.allow_stray = arguments.has("--allow-stray");
  for (const std::string& text : arguments.all("--recipient"))
    options.recipients.push_back(TRY_IN("--recipient", crypto::Recipient::parse(text)));
  if (options.plaintext && (asks_for_passphrase(arguments) || !options.recipients.empty()))
    return fail(ErrorCode::kUsage, "--plaintext cannot be given together with --recipient or a passphrase",
                "leave out --plaintext to encrypt, or the other to leave it plain");
  options.passphrase = TRY(read_passphrase(session, arguments, PassphraseFor::kClosing));
  if (const auto directory = arguments.value("--spool")) {
    // The daemon has a working directory of its own.
    std::error_code error;
    options.spool_directory = std::filesystem::absolute(*directory, error).string();
    if (error) return fail("--spool " + shown(*directory) + ": " + error.message(), "give the whole path");
  }
  options.temporary_directory = temporary_directory();
  options.workers = Session::workers();
  return options;
}

// The file that a directory gets: "<last 8 of the DID>-20260131T120000Z.spl". Of two exports in one second the second
// one waits for the next.
Result<std::string> file_in(Session& session, const std::string& directory) {
  auto identity = TRY(session.looking())->identity();
  if (!identity && identity.error().cause == Cause::kNoIdentity) identity.error().code = ErrorCode::kRefused;
  const std::string did = TRY(std::move(identity)).did;
  constexpr std::size_t kDigits = 8;
  const env::Env env = session.env();
  const env::AsOneself as_oneself;
  for (int tries = 0;; ++tries) {
    std::string time = env::rfc3339(env.clock.now());
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    std::string path =
        env::join(directory, did.substr(did.size() - std::min(did.size(), kDigits)) + "-" + time + ".spl");
    if (tries == 2 || !TRY(env.fs.info(path))) return path;
    env.clock.sleep_for(std::chrono::seconds(1));
  }
}

// The path of the file: that of --out, or one in it where it is a directory.
Result<std::string> file_of(Session& session, const std::string& out) {
  if (out == "-" || out.empty()) return out;
  if (out.ends_with('/')) return file_in(session, out);
  std::error_code error;
  return std::filesystem::is_directory(out, error) ? file_in(session, out) : out;
}

// A file, or standard output.
class CommandDestination final : public operation::Destination {
 public:
  static Result<std::unique_ptr<CommandDestination>> open(Session& session, const std::string& path,
                                                          env::Existing existing) {
    ShownProgress& progress = session.progress();
    auto made = std::make_unique<CommandDestination>();
    if (path == "-") {
      if (session.out().out_is_terminal())
        return fail(ErrorCode::kUsage, "a bundle is not written to a terminal", "send it to a file or a pipe");
      session.out().yield_standard_output();
      made->pipe_ = std::make_unique<env::DescriptorSink>(STDOUT_FILENO, "standard output", progress.interrupt());
    } else {
      made->file_ = TRY(env::OutputFile::create(session.env(), path, progress, existing, crypto::looks_like_age));
    }
    return made;
  }
  Sink& sink() override { return file_ ? static_cast<Sink&>(*file_) : *pipe_; }
  Result<void> commit() override { return file_ ? file_->commit() : Result<void>(); }
  [[nodiscard]] bool others_can_read() const { return file_ && file_->others_can_read(); }
  [[nodiscard]] bool is_pipe() const { return pipe_ != nullptr; }
  [[nodiscard]] std::uint64_t bytes() const { return file_ ? file_->bytes_written() : pipe_->bytes_written(); }

 private:
  std::unique_ptr<env::OutputFile> file_;
  std::unique_ptr<env::DescriptorSink> pipe_;
};

std::string milliseconds_text(double ms) {
  const auto tenths = static_cast<std::uint64_t>(std::llround(ms * 10));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

Result<void> print_report(Output& out, const operation::ExportReport& report, bool to_pipe) {
  if (report.identity == operation::InBundle::kIncluded)
    out.note(std::string("the bundle holds the private key of ") + report.source_did +
             (report.encrypted ? ", encrypted" : ", not encrypted: whoever has the file can act as this instance"));
  if (!report.tokens_left.empty())
    out.note("the tokens of " + shown(base::join(report.tokens_left, ", ")) +
             " stay behind: --carry-tokens takes them along, spl token create makes new ones where the bundle goes");
  for (const std::string& warning : report.warnings) out.note(warning);
  if (!out.text()) return out.document(codec::shape_json(report));
  if (to_pipe) return {};
  if (!report.services.empty()) {
    TRY(out.line("services: " + base::join(report.services, ", ") + "; " + report.consistency +
                 ", writers paused for " + std::to_string(report.pause_ms) + " ms"));
    if (out.loudness() == Loudness::kVerbose) {
      for (const operation::PauseStepReport& step : report.pause_steps)
        TRY(out.line("  " + step.step + ": " + milliseconds_text(step.ms)));
    }
  }
  return out.line("wrote " + shown(report.path) + ": " + counted(report.record_count, "record") + " in " +
                  counted(report.thread_count, "thread") + ", " + human_bytes(report.bytes) + ", sha256 of its files " +
                  base::to_hex(report.bundle_sha256.view()));
}

// Where the room for the body did not do, there may be another.
Result<operation::ExportReport> with_spool_hint(Result<operation::ExportReport> report) {
  if (report || (report.error().cause != Cause::kNoSpoolSpace && report.error().cause != Cause::kSpool)) return report;
  std::string& hint = report.error().hint;
  hint += (hint.empty() ? "" : ", or ") + std::string("name another directory for it with --spool DIR");
  return report;
}

}  // namespace

Result<int> run_backup(Session& session, const Arguments& arguments, const std::string& out,
                       const std::optional<std::string>& service) {
  auto options = TRY(options_from(session, arguments));
  options.service = service;
  if (options.move && out == "-")
    return fail(ErrorCode::kUsage, "--move wants a file: whether what a pipe took is durable is not known here",
                "give --out a path");
  TRY(api::require_instance(session.env(), session.paths()));
  const auto start = session.env().clock.steady();
  const std::string path = TRY(file_of(session, out));
  if (path != "-") {
    const env::AsOneself as_oneself;
    TRY(operation::check_not_own(session.env(), session.paths(), path, "export"));
  }
  const env::Existing existing = arguments.has("--force") ? env::Existing::kReplaced : env::Existing::kKept;
  const auto destination = TRY(CommandDestination::open(session, path, existing));
  const auto home = TRY(session.exporting());
  operation::ExportReport report =
      TRY(with_spool_hint(home->export_bundle(std::move(options), *destination, session.progress())));
  report.path = path;
  if (destination->others_can_read())
    report.warnings.push_back("others can read " + shown(path) +
                              ", because its file system has no modes: what they see is encrypted");
  report.bytes = destination->bytes();
  report.seconds = std::chrono::duration<double>(session.env().clock.steady() - start).count();
  TRY(print_report(session.out(), report, destination->is_pipe()));
  return 0;
}

namespace {

Result<int> run_export(Session& session, const Arguments& arguments) {
  const auto out = arguments.value("--out");
  if (!out)
    return fail(ErrorCode::kUsage, "export: --out is missing", "name the file to be written, a directory for it, or -");
  return run_backup(session, arguments, *out, std::nullopt);
}

Result<int> run_move_cancel(Session& session, const Arguments&) {
  const operation::CancelledMove move = TRY(TRY(session.changing())->cancel_move());
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(move)));
  } else {
    TRY(out.line(move.cancelled ? "the instance is here again, and takes writes" : "the instance had not moved"));
  }
  return 0;
}

}  // namespace

std::vector<Option> backup_options() {
  std::vector<Option> options{
      {.name = "--force", .value = "", .help = "replace a file that is there already"},
      {.name = "--uncompressed", .value = "", .help = "write a plain tar"},
      {.name = "--no-identity", .value = "", .help = "leave out the private key: the bundle can be read, not imported"},
      {.name = "--carry-tokens",
       .value = "",
       .help = "carry the hashes of the accounts' tokens, so that they stay valid"},
      {.name = "--records-only", .value = "", .help = "leave out all services"},
      {.name = "--context",
       .value = "NAME",
       .help = "only one context (tenant) of the instance",
       .names = Names::kContext},
      {.name = "--without",
       .value = "SERVICE",
       .help = "leave out this service",
       .times = Times::kAny,
       .names = Names::kService},
      {.name = "--without-derived", .value = "", .help = "leave out what services can rebuild at a price"},
      {.name = "--recipient",
       .value = "AGE1",
       .help = "encrypt for this age recipient, besides those of config.toml",
       .times = Times::kAny},
      {.name = "--plaintext", .value = "", .help = "do not encrypt, whatever config.toml says"},
      {.name = "--quiesce",
       .value = "HOW",
       .help = "how services are paused, for this run",
       .choices = {"freeze", "hook", "none"}},
      {.name = "--allow-inconsistent",
       .value = "",
       .help = "go on where a service could not be paused in time, and say so in the bundle"},
      {.name = "--move",
       .value = "",
       .help = "the instance leaves: once the file is durable this home takes no more writes"},
      {.name = "--spool",
       .value = "DIR",
       .help = "where the compressed body waits; else the home's run/, or TMPDIR",
       .names = Names::kDirectory}};
  options.push_back({.name = "--allow-stray",
                     .value = "",
                     .help = "go on where data that looks like a context's and is none's stays behind"});
  for (Option& option : passphrase_options("closes the bundle")) options.push_back(std::move(option));
  return options;
}

Command export_command() {
  Command command{
      .name = "export",
      .summary = "Write everything of the instance into one signed file",
      .details =
          "The file appears under its name only when it is whole and durable. It is a tar, compressed by zstd, "
          "that tar -tf lists. It holds the private key unless --no-identity is given; with recipients or a "
          "passphrase it is encrypted as a whole, and the age program opens it.",
      .options = {{.name = "--out",
                   .value = "PATH",
                   .help =
                       "the file to write, or a directory that gets one named after DID and time; - is standard output",
                   .names = Names::kFile}},
      .examples = {"spl export --out my.spl", "spl export --out backups/",
                   "spl export --out my.spl --recipient age1...", "spl export --out - | ssh there spl import -"},
      .run = run_export,
      .schema = codec::schema_of<operation::ExportReport>};
  for (Option& option : backup_options()) command.options.push_back(std::move(option));
  return command;
}

Command move_command() {
  Command move{.name = "move",
               .summary = "The instance that has left with spl export --move",
               .examples = {"spl export --move --out my.spl", "spl move cancel"}};
  move.commands = {{.name = "cancel",
                    .summary = "Take it back: the instance is here, and takes writes again",
                    .details = "Do this only where the bundle was not imported elsewhere: else there would be two.",
                    .examples = {"spl move cancel"},
                    .run = run_move_cancel,
                    .schema = codec::schema_of<operation::CancelledMove>}};
  return move;
}

}  // namespace spl::cli
