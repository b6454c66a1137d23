#include "operation/job_work.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/words.h"
#include "bundle/reader.h"
#include "crypto/sha256.h"
#include "env/streams.h"
#include "operation/backups.h"
#include "operation/local_operations.h"
#include "operation/router_operations.h"
#include "operation/schedules.h"
#include "operation/service_operations.h"

namespace spl::operation {
namespace {

using codec::Json;
using job::JobKind;
using job::JobRequest;

constexpr std::size_t kNamesMax = 256;

std::unexpected<Error> bad(const std::string& why) {
  return fail(ErrorCode::kUsage, "the job " + why);
}

Result<std::string> text_of(const Json& asked, std::string_view name) {
  const Json* value = asked.find(name);
  if (value == nullptr || value->is_null()) return std::string();
  if (value->string() == nullptr) return bad(std::string(name) + " is not a string");
  return *value->string();
}
Result<bool> flag_of(const Json& asked, std::string_view name) {
  const Json* value = asked.find(name);
  if (value == nullptr || value->is_null()) return false;
  if (value->boolean() == nullptr) return bad(std::string(name) + " is not true or false");
  return *value->boolean();
}
Result<std::vector<std::string>> texts_of(const Json& asked, std::string_view name) {
  std::vector<std::string> texts;
  const Json* value = asked.find(name);
  if (value == nullptr || value->is_null()) return texts;
  if (value->array() == nullptr || value->array()->size() > kNamesMax) return bad(std::string(name) + " is not a list");
  for (const Json& item : *value->array()) {
    if (item.string() == nullptr) return bad(std::string(name) + " has what is no string");
    texts.push_back(*item.string());
  }
  return texts;
}

// Import's options by their names on the command line: of what else is in `said` each is checked where it is used.
Result<ImportOptions> import_options_of(const Json& said) {
  ImportOptions options;
  options.adopt_identity = TRY(flag_of(said, "adopt_identity"));
  options.allow_older = TRY(flag_of(said, "allow_older"));
  options.force_overwrite = TRY(flag_of(said, "force_overwrite"));
  options.replace = TRY(flag_of(said, "replace"));
  options.without = TRY(texts_of(said, "without"));
  const auto optional = [&said](std::string_view name) -> Result<std::optional<std::string>> {
    std::string text = TRY(text_of(said, name));
    return text.empty() ? std::optional<std::string>() : std::optional(std::move(text));
  };
  options.expect_did = TRY(optional("expect_did"));
  options.context = TRY(optional("context"));
  options.as = TRY(optional("as"));
  const std::string records = TRY(text_of(said, "records"));
  if (!records.empty() && records != "merge" && records != "replace")
    return bad("records is neither merge nor replace");
  options.merge = records != "replace";
  options.replace_records = records == "replace";
  return options;
}

Json scope_json(const bundle::Scope& scope) {
  Json json = Json::Object{{"kind", scope.service ? "service" : "instance"}};
  if (scope.service) json.add("service", *scope.service);
  if (scope.context) json.add("context", *scope.context);
  return json;
}

std::string_view word_of(const bundle::Encryption& encryption) {
  switch (encryption.kind) {
    case bundle::Encryption::Kind::kPassphrase:
      return "passphrase";
    case bundle::Encryption::Kind::kRecipients:
      return "recipients";
    case bundle::Encryption::Kind::kNone:
      break;
  }
  return "none";
}

// What would be done, in one digest: of the findings only what is not the time of day.
std::string plan_digest(const Json& options, const ImportReport& report, const std::vector<Finding>& findings) {
  std::string text = options.text() + "\n" + report.source_did + "\n";
  for (const std::uint64_t number : {report.records_inspected, report.records_inserted, report.threads})
    text += std::to_string(number) + "\n";
  for (const Finding& finding : findings)
    text += finding.check + "\n" + std::string(codec::enum_name(finding.status)) + "\n" + finding.subject + "\n";
  return base::to_hex(crypto::sha256(text).view());
}

// What it works on; what it cannot be without is there.
Result<std::string> subject_of(JobKind kind, const Json& asked) {
  const auto named = [&asked](std::string_view member, const char* missing) -> Result<std::string> {
    std::string text = TRY(text_of(asked, member));
    return text.empty() ? bad(missing) : Result<std::string>(std::move(text));
  };
  switch (kind) {
    case JobKind::kBackup:
      return text_of(asked, "context");
    case JobKind::kInstall:
    case JobKind::kStart:
    case JobKind::kStop:
    case JobKind::kRemove: {
      const std::vector<std::string> services = TRY(texts_of(asked, "services"));
      return services.empty() ? bad("names no services") : Result<std::string>(base::join(services, ", "));
    }
    case JobKind::kPreflight: {
      std::string backup = TRY(text_of(asked, "backup"));
      std::string upload = TRY(text_of(asked, "upload"));
      if (backup.empty() == upload.empty()) return bad("names neither a backup nor an upload, or both");
      TRY(import_options_of(asked));
      return backup.empty() ? std::move(upload) : std::move(backup);
    }
    case JobKind::kRestore:
      TRY(named("plan_sha256", "names no plan_sha256"));
      return named("preflight", "names no pre-flight");
    case JobKind::kSwapPrevious:
    case JobKind::kDiscardPrevious:
      return named("service", "names no service");
    case JobKind::kContextRename:
      TRY(named("new_name", "gives no new_name"));
      break;
    case JobKind::kContextRemove:
      break;
  }
  return named("context", "names no context");
}

}  // namespace

Result<JobRequest> parse_job_request(const Json& asked) {
  if (asked.object() == nullptr) return bad("is no JSON object");
  const auto kind = codec::parse_enum<JobKind>(TRY(text_of(asked, "kind")));
  if (!kind) return bad("has a kind that is none of " + codec::enum_choices<JobKind>());
  JobRequest request;
  request.kind = *kind;
  request.said = Json::Object{};
  for (const auto& [name, value] : *asked.object()) {
    if (name == "passphrase" || name == "identity") {
      if (value.string() == nullptr) return bad(name + " is not a string");
      (name == "passphrase" ? request.passphrase : request.identity) = SecretBytes(*value.string());
    } else if (name == "secrets") {
      if (value.object() == nullptr) return bad("secrets is no object");
      for (const auto& [handle, secret] : *value.object()) {
        if (secret.string() == nullptr) return bad("secrets has what is no string");
        request.secrets.emplace(handle, SecretBytes(*secret.string()));
      }
    } else {
      request.said.add(name, value);
    }
  }
  request.subject = TRY(subject_of(*kind, asked));
  return request;
}

bool wants_proof(JobKind kind) {
  return kind == JobKind::kRestore || kind == JobKind::kRemove || kind == JobKind::kContextRemove;
}

Result<Json> JobWork::run(const std::string& id, const JobRequest& request, base::Progress& progress) {
  switch (request.kind) {
    case JobKind::kInstall:
      return install(request, progress);
    case JobKind::kStart:
    case JobKind::kStop:
      return command(request, progress);
    case JobKind::kBackup:
      return back_up(id, request, progress);
    case JobKind::kPreflight:
      return look_before(id, request, progress);
    case JobKind::kRemove:
      return remove(request, progress);
    case JobKind::kSwapPrevious:
    case JobKind::kDiscardPrevious:
      return follow_previous(request, progress);
    case JobKind::kContextRename:
    case JobKind::kContextRemove:
      return change_context(request, progress);
    case JobKind::kRestore:
      break;
  }
  return restore(request, progress);
}

// One after the other: what one that stays has kept from going is told, and those before it are gone.
Result<Json> JobWork::remove(const JobRequest& request, base::Progress& progress) {
  LocalOperations operations(instance_);
  const bool delete_data = TRY(flag_of(request.said, "delete_data"));
  Json::Array removed;
  for (const std::string& name : TRY(texts_of(request.said, "services")))
    removed.push_back(codec::shape_json(TRY(operations.remove_service({name, delete_data}, progress))));
  return Json(Json::Object{{"services", std::move(removed)}});
}

Result<Json> JobWork::follow_previous(const JobRequest& request, base::Progress& progress) {
  LocalOperations operations(instance_);
  PreviousRequest previous{TRY(text_of(request.said, "service"))};
  if (std::string context = TRY(text_of(request.said, "context")); !context.empty())
    previous.context = std::move(context);
  return codec::shape_json(request.kind == JobKind::kSwapPrevious
                               ? TRY(operations.swap_previous_back(previous, progress))
                               : TRY(operations.discard_previous(previous)));
}

Result<Json> JobWork::change_context(const JobRequest& request, base::Progress& progress) {
  LocalOperations operations(instance_);
  const std::string context = TRY(text_of(request.said, "context"));
  if (request.kind == JobKind::kContextRename)
    return codec::shape_json(
        TRY(operations.rename_context({context, TRY(text_of(request.said, "new_name"))}, progress)));
  return codec::shape_json(TRY(operations.remove_context(
      {context, TRY(flag_of(request.said, "delete_data")), TRY(flag_of(request.said, "without_backup"))})));
}

// Each by itself, so that what one lacks does not keep the others back; the first error is told in the end.
Result<Json> JobWork::install(const JobRequest& request, base::Progress& progress) {
  LocalOperations operations(instance_);
  for (const auto& [handle, value] : request.secrets) TRY(operations.set_secret({handle, value.copy()}));
  const bool start = TRY(flag_of(request.said, "start"));
  InstallReport whole;
  for (const std::string& name : TRY(texts_of(request.said, "services"))) {
    InstallReport report = TRY(operations.install_services({.name = name, .download = true}, progress));
    for (InstalledService& service : report.services) {
      if (std::ranges::find(whole.services, service.name, &InstalledService::name) == whole.services.end())
        whole.services.push_back(std::move(service));
    }
    for (std::string& secret : report.missing_secrets) {
      if (std::ranges::find(whole.missing_secrets, secret) == whole.missing_secrets.end())
        whole.missing_secrets.push_back(std::move(secret));
    }
  }
  if (start && whole.missing_secrets.empty()) {
    for (const InstalledService& service : whole.services)
      TRY(operations.command_services({service.name, ServiceAction::kStart}, progress));
  }
  return codec::shape_json(whole);
}

Result<Json> JobWork::command(const JobRequest& request, base::Progress& progress) {
  LocalOperations operations(instance_);
  const ServiceAction action = request.kind == JobKind::kStart ? ServiceAction::kStart : ServiceAction::kStop;
  ServiceStates whole;
  for (const std::string& name : TRY(texts_of(request.said, "services"))) {
    ServiceStates states = TRY(operations.command_services({name, action}, progress));
    std::ranges::move(states.services, std::back_inserter(whole.services));
  }
  return codec::shape_json(whole);
}

Result<Json> JobWork::back_up(const std::string& id, const JobRequest& request, base::Progress& progress) {
  if (const std::string schedule = TRY(text_of(request.said, "schedule")); !schedule.empty()) {
    const ScheduleRun run = TRY(run_schedule(instance_, {schedule}, id, progress));
    Json result = codec::shape_json(run.backup);
    result.add("backup", run.backup.id);
    result.add("pruned", run.prune.pruned.size());
    return result;
  }
  ExportOptions options;
  options.plaintext = TRY(flag_of(request.said, "plaintext"));
  options.without = TRY(texts_of(request.said, "without"));
  if (std::string context = TRY(text_of(request.said, "context")); !context.empty())
    options.context = std::move(context);
  for (const std::string& recipient : TRY(texts_of(request.said, "recipients")))
    options.recipients.push_back(TRY(crypto::Recipient::parse(recipient)));
  const BackupSummary made = TRY(make_backup(instance_, std::move(options), "", progress));
  Json result = codec::shape_json(made);
  result.add("backup", made.id);
  return result;
}

Result<ImportReport> JobWork::import(const Kept& kept, bool dry_run, std::vector<Finding>& findings,
                                     base::Progress& progress) {
  ImportOptions options = TRY(import_options_of(kept.options));
  options.dry_run = dry_run;
  options.reader.identities = kept.identities;
  options.reader.passphrase = kept.passphrase ? &*kept.passphrase : nullptr;
  const auto file = TRY(env::InputFile::open(kept.path, nullptr));
  return LocalOperations(instance_).import_bundle(*file, options, progress, &findings);
}

Result<Json> JobWork::look_before(const std::string& id, const JobRequest& request, base::Progress& progress) {
  auto kept = std::make_shared<Kept>();
  kept->id = id;
  kept->upload = TRY(text_of(request.said, "upload"));
  kept->path = kept->upload.empty() ? TRY(find_backup(instance_, {TRY(text_of(request.said, "backup"))})).path
                                    : TRY(uploads_.whole_file(kept->upload));
  kept->options = request.said;
  kept->name = request.subject;
  if (request.passphrase) kept->passphrase = request.passphrase->copy();
  if (request.identity) kept->identities = TRY(crypto::parse_identity_file(request.identity->reveal()));
  std::vector<Finding> findings;
  const auto report = import(*kept, true, findings, progress);
  // What stands in its way is what was asked for.
  if (!report && (findings.empty() || report.error().code == ErrorCode::kVerification))
    return std::unexpected(report.error());
  if (report) findings = report->preflight;
  kept->plan_sha256 = plan_digest(kept->options, report ? *report : ImportReport{}, findings);
  Json result = Json::Object{{"preflight", codec::JsonValue<std::vector<Finding>>::to(findings)},
                             {"plan_sha256", kept->plan_sha256}};
  if (report) result.add("would", codec::shape_json(*report));
  if (!report) result.add("error", job::error_of_job(report.error()));
  Json::Array replaces;
  if (report && TRY(flag_of(kept->options, "replace"))) {
    for (const RestoredService& service : report->services) replaces.emplace_back(service.name);
  }
  if (TRY(text_of(kept->options, "records")) == "replace") replaces.emplace_back("records");
  result.add("replaces", std::move(replaces));
  TRY(add_bundle(*kept, findings, result));
  const std::scoped_lock lock(mutex_);
  kept_.push_back(std::move(kept));
  if (kept_.size() > kPreflightsKeptMax) kept_.pop_front();
  return result;
}

Result<std::shared_ptr<const JobWork::Kept>> JobWork::kept(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const auto at = std::ranges::find(kept_, id, [](const auto& one) { return one->id; });
  if (at == kept_.end())
    return fail(Cause::kNotFound, "there is no pre-flight " + base::escaped(id, 40) + " any more", "look again first");
  return *at;
}

Result<std::string> JobWork::shown_subject(const JobRequest& request) {
  if (request.kind == JobKind::kRestore) return TRY(kept(request.subject))->name;
  const std::string upload = TRY(text_of(request.said, "upload"));
  if (request.kind != JobKind::kPreflight || upload.empty()) return request.subject;
  // One that is not there the job itself tells.
  const auto found = uploads_.find(upload);
  return found && !found->filename.empty() ? found->filename : request.subject;
}

Result<void> JobWork::check_restore(const Json& asked) {
  const auto before = TRY(kept(TRY(text_of(asked, "preflight"))));
  if (TRY(text_of(asked, "plan_sha256")) == before->plan_sha256) return {};
  return fail(ErrorCode::kRefused, Cause::kPlanChanged, "the plan that was confirmed is not that of the pre-flight",
              "look at the pre-flight again, and confirm what it says");
}

Result<Json> JobWork::restore(const JobRequest& request, base::Progress& progress) {
  TRY(check_restore(request.said));
  const auto before = TRY(kept(TRY(text_of(request.said, "preflight"))));
  std::vector<Finding> findings;
  const auto again = import(*before, true, findings, progress);
  if (again) findings = again->preflight;
  if (plan_digest(before->options, again ? *again : ImportReport{}, findings) != before->plan_sha256)
    return fail(ErrorCode::kRefused, Cause::kPlanChanged, "what would be done now is not what was confirmed",
                "look at the pre-flight again");
  std::vector<Finding> last;
  const ImportReport report = TRY(import(*before, false, last, progress));
  // What has served its purpose makes room; where it cannot go it goes in a day.
  if (!before->upload.empty()) (void)uploads_.remove(before->upload);
  return restored_json(report);
}

// The import's report; of each service besides where it can be opened, and what is kept of what was there before.
Result<Json> JobWork::restored_json(const ImportReport& report) {
  std::map<std::string, std::string> addresses;
  if (const auto router = router_status(instance_)) {
    for (const RouterRoute& route : router->routes) addresses[route.service] = route.address;
  }
  const std::vector<PreviousState> previous = TRY(previous_states(instance_));
  Json::Array services;
  for (const RestoredService& service : report.services) {
    Json one = codec::shape_json(service);
    const auto address = addresses.find(service.name);
    one.add("address", address == addresses.end() ? Json() : Json(address->second));
    Json::Array kept;
    for (const PreviousState& state : previous) {
      if (state.service == service.name) kept.emplace_back(state.context);
    }
    one.add("previous", std::move(kept));
    services.push_back(std::move(one));
  }
  const Json whole = codec::shape_json(report);
  Json result = Json::Object{};
  for (const auto& [name, value] : *whole.object()) result.add(name, name == "services" ? Json(services) : value);
  return result;
}

Result<void> JobWork::add_bundle(const Kept& kept, const std::vector<Finding>& findings, Json& result) {
  bundle::ReaderOptions options;
  options.identities = kept.identities;
  options.passphrase = kept.passphrase ? &*kept.passphrase : nullptr;
  const auto file = TRY(env::InputFile::open(kept.path, nullptr));
  const auto reader = TRY(bundle::BundleReader::open(*file, options));
  const bundle::Manifest& manifest = reader->manifest();
  std::uint64_t bytes = 0;
  for (const bundle::Section& section : manifest.sections) bytes += section.bytes;
  Json::Array contexts;
  for (const bundle::Context& context : manifest.contexts)
    contexts.emplace_back(Json::Object{{"name", context.name}, {"id", context.id}});
  Json::Array services;
  for (const bundle::Service& service : manifest.services)
    services.emplace_back(
        Json::Object{{"name", service.name}, {"version", service.version}, {"schema", service.schema}});
  result.add("bundle", Json::Object{{"source_did", manifest.source_did},
                                    {"created_at", manifest.created_at},
                                    {"scope", scope_json(manifest.scope)},
                                    {"encryption", word_of(manifest.encryption)},
                                    {"record_count", manifest.record_count},
                                    {"thread_count", manifest.thread_count},
                                    {"identity", manifest.identity_included ? "included" : "omitted"},
                                    {"contexts", std::move(contexts)},
                                    {"services", std::move(services)},
                                    {"bytes", file->size_bytes().value_or(0)}});
  // A finding names the handle; the declarations that are here, and the bundle's, say what kind of secret it is.
  std::map<std::string, SecretState> known;
  for (SecretState& secret : TRY(check_secrets(instance_))) known.emplace(secret.handle, secret);
  for (const bundle::Secret& secret : manifest.secrets)
    known.try_emplace(secret.handle, SecretState{secret.handle, std::string(codec::enum_name(secret.secret_class)),
                                                 secret.required, false});
  Json::Array missing;
  for (const Finding& finding : findings) {
    const auto secret = known.find(finding.subject);
    if (finding.check != "secret" || finding.status == FindingStatus::kOk || secret == known.end()) continue;
    missing.emplace_back(Json::Object{{"handle", secret->second.handle},
                                      {"class", secret->second.secret_class},
                                      {"required", secret->second.required},
                                      {"present", false}});
  }
  result.add("secrets_missing", std::move(missing));
  result.add("bytes_needed", bytes);
  result.add("bytes_free", TRY(instance_.env().fs.free_bytes(instance_.paths().root)));
  return {};
}

}  // namespace spl::operation
