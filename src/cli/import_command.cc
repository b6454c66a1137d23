// import.
#include <chrono>

#include "cli/backup.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/keys.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/slow_input.h"
#include "operation/import_options.h"

namespace spl::cli {
namespace {

using operation::Finding;

Result<operation::ImportOptions> options_from(const Arguments& arguments) {
  operation::ImportOptions options;
  options.dry_run = arguments.has("--dry-run");
  options.force_overwrite = arguments.has("--force-overwrite");
  options.adopt_identity = arguments.has("--adopt-identity");
  options.allow_older = arguments.has("--allow-older");
  options.expect_did = arguments.value("--expect-did");
  options.without = arguments.all("--without");
  options.context = arguments.value("--context");
  options.as = arguments.value("--as");
  options.replace = arguments.has("--replace");
  options.replace_records = arguments.value("--records") == "replace";
  options.reader.workers = Session::workers();
  return options;
}

std::string identity_text(const operation::ImportReport& report) {
  const std::string tense = report.dry_run ? "would be " : "";
  using enum operation::IdentityOutcome;
  switch (report.identity) {
    case kAdopted:
      return tense + "adopted: " + report.source_did;
    case kKept:
      return "the local one " + (report.dry_run ? std::string("would stay") : "stays");
    case kSame:
      return "the same: " + report.source_did;
    case kOmitted:
      break;
  }
  return "none in the bundle";
}

Result<void> print_findings_to_heed(Output& out, const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    if (finding.status != operation::FindingStatus::kOk) TRY(out.line(finding_line(out, finding)));
  }
  return {};
}

Result<void> print_services(Output& out, const operation::ImportReport& report) {
  for (const operation::RestoredService& service : report.services) {
    for (const operation::RestoredSurface& surface : service.surfaces) {
      std::vector<std::string> counts;
      for (const operation::RestoredCount& count : surface.counts)
        counts.push_back(std::to_string(count.here) + " " + count.what);
      TRY(out.line(std::string(report.dry_run ? "would restore " : "restored ") + service.name + "/" + surface.name +
                   (surface.context.empty() ? "" : " of " + surface.context) +
                   (counts.empty() ? "" : ": " + base::join(counts, ", "))));
    }
  }
  return {};
}

Result<void> print_report(Output& out, const operation::ImportReport& report) {
  if (!out.text()) return out.document(codec::shape_json(report));
  TRY(out.line("verified: signature, " + counted(report.records_inspected, "record") + ", signed by " +
               report.source_did + " (" + std::string(codec::enum_name(report.signer)) + ")"));
  TRY(print_findings_to_heed(out, report.preflight));
  TRY(out.line(std::string(report.dry_run ? "would insert " : "inserted ") +
               counted(report.records_inserted, "record") + ", " + std::to_string(report.records_deduplicated) +
               " already there" +
               (report.records_differing > 0 ? ", " + std::to_string(report.records_differing) + " differing" : "")));
  TRY(out.line("threads:  " + std::to_string(report.threads)));
  TRY(out.line("pairs:    " + std::to_string(report.federation_pairs)));
  TRY(out.line("grants:   " + std::to_string(report.consent_grants)));
  TRY(out.line("identity: " + identity_text(report)));
  return print_services(out, report);
}

}  // namespace

Result<int> run_restore(Session& session, const Arguments& arguments, const std::string& from, Records records,
                        const std::optional<std::string>& service) {
  auto options = TRY(options_from(arguments));
  options.service = service;
  options.merge = records == Records::kMerged;
  const auto start = session.env().clock.steady();
  const Keys keys = TRY(read_keys(session, arguments));
  options.reader.identities = keys.identities;
  options.reader.passphrase = keys.passphrase ? &*keys.passphrase : nullptr;
  ShownProgress& progress = session.progress();
  const auto file = TRY(env::InputFile::open(from, progress.interrupt()));
  progress.follow(*file);
  auto spooled = TRY(receive_if_slow(session, *file, "receiving the bundle"));
  Source& bundle = spooled ? static_cast<Source&>(*spooled) : *file;
  const auto home = TRY(session.creating());
  std::vector<Finding> findings;
  auto report = home->import_bundle(bundle, options, progress, &findings);
  Output& out = session.out();
  if (!report) {
    if (out.text()) {
      TRY(print_findings_to_heed(out, findings));
    } else if (!findings.empty()) {
      out.add_to_error("preflight", codec::JsonValue<std::vector<Finding>>::to(findings));
    }
    return std::unexpected(report.error());
  }
  report->seconds = std::chrono::duration<double>(session.env().clock.steady() - start).count();
  TRY(print_report(out, *report));
  return 0;
}

namespace {

Result<int> run_import(Session& session, const Arguments& arguments) {
  return run_restore(session, arguments, arguments.at("FILE"), Records::kGated, std::nullopt);
}

}  // namespace

std::vector<Option> restore_options() {
  std::vector<Option> options{
      {.name = "--dry-run", .value = "", .help = "check everything, change nothing; the exit code is the real one"},
      {.name = "--force-overwrite", .value = "", .help = "merge into a store that has records"},
      {.name = "--adopt-identity", .value = "", .help = "take the bundle's identity instead of the local one"},
      {.name = "--expect-did", .value = "DID", .help = "refuse a bundle that another instance signed"},
      {.name = "--allow-older", .value = "", .help = "take a bundle older than one restored here before"},
      {.name = "--context",
       .value = "NAME",
       .help = "only one context (tenant) of the bundle",
       .names = Names::kContext},
      {.name = "--records",
       .value = "HOW",
       .help = "merge with the records that are there, or replace them all and keep them as previous",
       .choices = {"merge", "replace"}},
      {.name = "--without",
       .value = "SERVICE",
       .help = "leave out this service of the bundle",
       .times = Times::kAny,
       .names = Names::kService}};
  options.push_back({.name = "--as",
                     .value = "NAME",
                     .help = "restore the context under this name, and a new id if its own is taken"});
  options.push_back({.name = "--replace",
                     .value = "",
                     .help = "take the place of data that is here; what was there is kept as previous"});
  for (Option& option : key_options()) options.push_back(std::move(option));
  return options;
}

Command import_command() {
  Command command{
      .name = "import",
      .summary = "Bring a bundle into this instance, checked to its last byte before anything is changed",
      .details =
          "Into an empty store the bundle's identity is installed. A store with records is left alone unless "
          "all of the bundle's records are there already or --force-overwrite merges them. --records replace puts the "
          "bundle's in the place of all that are there, which are kept: spl service all restore --previous brings "
          "them back, --discard-previous deletes them. One transaction: all or nothing.",
      .positionals = {{.name = "FILE", .help = "the bundle; - is standard input", .names = Names::kFile}},
      .examples = {"spl import my.spl --dry-run", "spl import my.spl", "spl import my.spl --age-identity key.txt"},
      .run = run_import,
      .schema = codec::schema_of<operation::ImportReport>};
  command.options = restore_options();
  return command;
}

}  // namespace spl::cli
