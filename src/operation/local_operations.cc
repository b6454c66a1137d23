#include "operation/local_operations.h"

#include <algorithm>
#include <mutex>

#include "base/encoding.h"
#include "base/version.h"
#include "instance/move.h"
#include "instance/policy.h"
#include "operation/context_remove.h"
#include "operation/context_rename.h"
#include "operation/doctor.h"
#include "operation/import.h"

namespace spl::operation {
namespace {

TokenSummary summary_of(const store::Token& token) {
  return {token.sha256, token.account, token.scopes, token.created_at, token.expires_at};
}

}  // namespace

Error no_thread(std::string_view thread) {
  return {ErrorCode::kFailed,
          thread.empty() ? "there is no record without a thread"
                         : "there is no thread \"" + base::escaped(thread, 512) + "\"",
          "spl thread list shows the threads", Cause::kNotFound};
}

Error LocalOperations::unmade_after(Error error) {
  return own_ ? instance::Instance::unmade_after(std::move(own_), std::move(error)) : error;
}

Result<Status> LocalOperations::status() {
  const instance::Status now = TRY(instance_.status());
  Status status;
  status.running = daemon_.has_value();
  if (daemon_ && daemon_->port != 0) status.port = daemon_->port;
  status.did = now.did;
  status.version = base::kVersion;
  status.record_count = now.counts.records;
  status.thread_count = now.counts.threads;
  status.federation_pairs = now.authority.federation_pairs;
  status.consent_grants = now.authority.consent_grants;
  const auto unless_none = [](std::uint64_t count) { return count > 0 ? std::optional(count) : std::nullopt; };
  status.service_accounts = unless_none(now.authority.service_accounts);
  status.adapters = unless_none(TRY(instance::list_adapters(instance_)).size());
  status.rules = unless_none(TRY(instance::list_rules(instance_)).rules.size());
  status.pair_requests = unless_none(TRY(federation::list_requests(instance_)).size());
  status.redacted_records = unless_none(now.redacted_records);
  status.store = now.store;
  status.home = now.home;
  status.moved_at = now.moved_at;
  status.rebuilds = TRY(Rebuilds(instance_.env(), instance_.paths()).all());
  if (daemon_) {
    status.pid = daemon_->pid;
    status.address = daemon_->address;
  }
  if (!status.did) {
    const Error error = instance_.no_identity();
    // That there is none is said by the rest of the status; what files without a store mean is news.
    status.no_identity = instance_.check_files_are_known() ? error.hint : error.message + " — " + error.hint;
  }
  return status;
}

Result<instance::IdentitySummary> LocalOperations::identity() {
  auto identity = TRY(instance_.identity_summary());
  if (!identity) return std::unexpected(instance_.no_identity());
  return std::move(*identity);
}

Result<VerifiedIdentity> LocalOperations::verify_identity() {
  TRY(instance_.verify_identity());
  return VerifiedIdentity{instance_.did().value_or("")};
}

Result<std::vector<Finding>> LocalOperations::examine(base::Progress& progress) {
  return operation::examine(instance_, progress);
}

Result<substrate::Ineffective> LocalOperations::ineffective_records(std::size_t limit) {
  return substrate::ineffective_records(*TRY(instance_.store().reader()), instance_.did(), limit);
}

Result<Record> LocalOperations::record(const RecordId& id) {
  auto record = TRY(TRY(instance_.store().reader())->find(id));
  if (!record)
    return fail(Cause::kNotFound, "there is no record " + id.hex(),
                "spl thread records THREAD lists those of a thread");
  return std::move(*record);
}

Result<void> check_id_digits(std::string_view digits) {
  constexpr std::size_t kDigitsMin = 8;
  constexpr std::size_t kDigitsMax = 64;
  if (digits.size() >= kDigitsMin && digits.size() <= kDigitsMax &&
      digits.find_first_not_of("0123456789abcdef") == std::string_view::npos)
    return {};
  return fail(ErrorCode::kUsage, "\"" + base::escaped(digits, 80) + "\" is no record id",
              "an id is 64 lowercase digits, or 8 or more that it begins with");
}

Result<RecordId> LocalOperations::resolve_id(std::string_view digits) {
  constexpr std::size_t kShown = 5;
  TRY(check_id_digits(digits));
  if (auto whole = RecordId::parse(digits)) return whole;
  const auto found = TRY(TRY(instance_.store().reader())->ids_beginning(digits, kShown + 1));
  if (found.size() == 1) return found.front();
  if (found.empty())
    return fail(Cause::kNotFound, "there is no record whose id begins with " + std::string(digits),
                "spl thread records THREAD lists those of a thread");
  std::string some;
  for (std::size_t i = 0; i < std::min(found.size(), kShown); ++i) some += (i == 0 ? "" : ", ") + found[i].hex();
  return fail(ErrorCode::kUsage, "more than one record has an id that begins with " + std::string(digits),
              "give more digits: " + some + (found.size() > kShown ? ", ..." : ""));
}

Result<std::vector<RecordId>> LocalOperations::recent_ids(std::string_view digits, std::size_t limit) {
  constexpr std::uint64_t kRecent = 500;
  std::vector<RecordId> ids;
  if (digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) return ids;
  const auto reader = TRY(instance_.store().reader());
  const std::uint64_t all = TRY(reader->counts()).records;
  TRY(reader->changes(all - std::min(all, kRecent), kRecent, std::nullopt,
                      [&](const store::StoredRecord& row) -> Result<void> {
                        if (row.id.hex().starts_with(digits)) ids.push_back(row.id);
                        return {};
                      }));
  std::ranges::reverse(ids);
  if (ids.size() > limit) ids.resize(limit);
  return ids.empty() ? reader->ids_beginning(digits, limit) : Result<std::vector<RecordId>>(std::move(ids));
}

Result<void> LocalOperations::threads(const store::ThreadVisitor& visit) {
  return TRY(instance_.store().reader())->threads(visit);
}

Result<ThreadDetails> LocalOperations::thread(std::string_view thread) {
  const auto reader = TRY(instance_.store().reader());
  auto summary = TRY(reader->thread(thread));
  if (!summary) return std::unexpected(no_thread(thread));
  ThreadDetails details{std::move(*summary), {}};
  TRY(reader->thread_records(thread, store::RecordOrder::kAny,
                             [&details](const store::StoredRecord& row) -> Result<void> {
                               ++details.acts[TRY(store::parse_row(row)).act];
                               return {};
                             }));
  return details;
}

Result<void> LocalOperations::thread_records(std::string_view thread, const store::RecordVisitor& visit) {
  return TRY(instance_.store().reader())->thread_records(thread, store::RecordOrder::kClock, visit);
}

Result<void> LocalOperations::log(const LogQuery& query, const LogVisitor& visit) {
  return read_log(*TRY(instance_.store().reader()), query, visit);
}

Result<std::vector<substrate::ServiceAccount>> LocalOperations::accounts() {
  return instance::list_accounts(instance_);
}

Result<std::vector<TokenSummary>> LocalOperations::tokens() {
  std::vector<TokenSummary> summaries;
  for (const store::Token& token : TRY(instance::list_tokens(instance_))) summaries.push_back(summary_of(token));
  return summaries;
}

Result<std::vector<substrate::ConsentGrant>> LocalOperations::consents() {
  return instance::list_consents(instance_);
}

Result<std::vector<substrate::Adapter>> LocalOperations::adapters() {
  return instance::list_adapters(instance_);
}

Result<substrate::EngineConfig> LocalOperations::engine_config() {
  return instance::list_rules(instance_);
}

Result<std::vector<substrate::Trust>> LocalOperations::trust(const TrustQuestion& question, base::Progress& progress) {
  return substrate::trust_of_records(*TRY(instance_.store().reader()), instance_.env().clock.now(), question.actor,
                                     progress);
}

Result<substrate::ConsentGrant> LocalOperations::grant_consent(const substrate::ConsentRequest& request) {
  return instance::grant_consent(instance_, request);
}

Result<RevokedConsent> LocalOperations::revoke_consent(const ConsentName& grant) {
  return RevokedConsent{TRY(instance::revoke_consent(instance_, grant.id))};
}

Result<substrate::Adapter> LocalOperations::add_adapter(const substrate::Adapter& adapter) {
  return instance::add_adapter(instance_, adapter);
}

Result<RemovedAdapter> LocalOperations::remove_adapter(const AdapterName& adapter) {
  TRY(instance::remove_adapter(instance_, adapter.did));
  return RemovedAdapter{adapter.did};
}

Result<substrate::Rule> LocalOperations::add_rule(const substrate::Rule& rule) {
  return instance::add_rule(instance_, rule);
}

Result<substrate::Rule> LocalOperations::remove_rule(const RuleName& rule) {
  return instance::remove_rule(instance_, rule.name, rule.kind);
}

Result<Permissions> LocalOperations::set_permissions(const Permissions& permissions) {
  TRY(instance::enable_permissions(instance_, permissions.enabled));
  return permissions;
}

Result<instance::IdentitySummary> LocalOperations::generate_identity() {
  auto made = instance_.generate_identity();
  // A home that was made for it is not left behind.
  if (!made) return std::unexpected(unmade_after(std::move(made).error()));
  return made;
}

Result<instance::Emitted> LocalOperations::emit(const instance::Emission& emission) {
  return instance::emit(instance_, emission);
}

Result<instance::PutReport> LocalOperations::put_ndjson(Source& in, base::Progress& progress) {
  return instance::put_ndjson(instance_, in, progress, {}, {.own = instance::OwnRecords::kSigned});
}

Result<Endorsed> LocalOperations::endorse(const Ids& records) {
  return Endorsed{records.ids, TRY(instance::endorse(instance_, records.ids))};
}

Result<CancelledMove> LocalOperations::cancel_move() {
  return CancelledMove{TRY(instance::cancel_move(instance_))};
}

Result<substrate::ServiceAccount> LocalOperations::create_account(const substrate::ServiceAccount& account) {
  return noted("service-account.create", account.name, [&] { return instance::create_account(instance_, account); });
}

Result<RevokedAccount> LocalOperations::revoke_account(const AccountName& account) {
  TRY(noted("service-account.revoke", account.name, [&] { return instance::revoke_account(instance_, account.name); }));
  return RevokedAccount{account.name};
}

Result<MadeToken> LocalOperations::create_token(const instance::TokenRequest& request) {
  substrate::NewToken made =
      TRY(noted("token.create", request.account, [&] { return instance::create_token(instance_, request); }));
  return MadeToken{std::move(made.text), summary_of(made.token)};
}

Result<RevokedToken> LocalOperations::revoke_token(const TokenName& token) {
  return RevokedToken{TRY(noted("token.revoke", "", [&] { return instance::revoke_token(instance_, token.id); }))};
}

Result<std::vector<service::InventoryRow>> LocalOperations::inventory(base::Progress& progress) {
  return inventory_of(instance_, progress);
}

Result<ServiceStates> LocalOperations::service_states(const ServiceName& service) {
  return states_of(instance_, service);
}

Result<std::string> LocalOperations::service_log(const ServiceName& service) {
  return log_of_service(instance_, service);
}

Result<std::vector<CatalogRow>> LocalOperations::catalog() {
  return catalog_of(instance_);
}

Result<std::vector<ContextEntry>> LocalOperations::contexts() {
  return contexts_of(instance_);
}

Result<std::vector<std::string>> LocalOperations::secrets() {
  return list_secrets(instance_);
}

Result<std::vector<SecretState>> LocalOperations::secret_states() {
  return check_secrets(instance_);
}

Result<ServiceStates> LocalOperations::command_services(const ServiceCommand& command, base::Progress& progress) {
  const std::scoped_lock lock(instance_.service_work());
  return operation::command_services(instance_, command, progress);
}

Result<InstallReport> LocalOperations::install_services(const InstallRequest& request, base::Progress& progress) {
  const std::scoped_lock lock(instance_.service_work());
  auto report = operation::install_services(instance_, request, progress);
  // A home that was made for what did not come is not left behind.
  if (!report) return std::unexpected(unmade_after(std::move(report).error()));
  follow_by_router(progress);
  return report;
}

// The services may be others now. What keeps the router from following them is told, and is no failure of theirs.
void LocalOperations::follow_by_router(base::Progress& progress) {
  const auto kept = keep_router(instance_, progress);
  if (!kept) instance_.env().log.write(env::LogLevel::kWarn, "router not reloaded", {{"error", kept.error().message}});
}

Result<ContextEntry> LocalOperations::add_context(const NewContext& context) {
  const std::scoped_lock lock(instance_.service_work());
  return noted("context.add", context.name, [&] { return operation::add_context(instance_, context); });
}

Result<ContextEntry> LocalOperations::remove_context(const RemovedContext& context) {
  const std::scoped_lock lock(instance_.service_work());
  return noted("context.remove", context.name, [&] { return operation::remove_context(instance_, context); });
}

Result<ContextEntry> LocalOperations::rename_context(const RenamedContext& context, base::Progress& progress) {
  const std::scoped_lock lock(instance_.service_work());
  return noted("context.rename", context.name, [&] { return operation::rename_context(instance_, context, progress); });
}

Result<SecretHandle> LocalOperations::set_secret(const NewSecret& secret) {
  const std::scoped_lock lock(instance_.service_work());
  return noted("secret.set", secret.handle, [&] { return operation::set_secret(instance_, secret); });
}

Result<DeletedSecret> LocalOperations::delete_secret(const SecretHandle& secret) {
  const std::scoped_lock lock(instance_.service_work());
  return noted("secret.delete", secret.handle, [&] { return operation::delete_secret(instance_, secret); });
}

Result<PreviousReport> LocalOperations::swap_previous_back(const PreviousRequest& request, base::Progress& progress) {
  const std::scoped_lock lock(instance_.service_work());
  return operation::swap_previous_back(instance_, request, progress);
}

Result<PreviousReport> LocalOperations::discard_previous(const PreviousRequest& request) {
  const std::scoped_lock lock(instance_.service_work());
  return discard_previous_of(instance_, request);
}

Result<RemovedService> LocalOperations::remove_service(const RemoveRequest& request, base::Progress& progress) {
  const std::scoped_lock lock(instance_.service_work());
  auto removed = TRY(operation::remove_service(instance_, request, progress));
  follow_by_router(progress);
  return removed;
}

Result<ExportReport> LocalOperations::export_bundle(ExportOptions options, Destination& to, base::Progress& progress) {
  options.why_home_is_read = why_reading_;
  const auto prepared = TRY(prepare_export(instance_, std::move(options), progress));
  TRY(prepared->write(to.sink()));
  TRY(to.commit());
  TRY(prepared->note_durable());
  return prepared->report();
}

Result<ImportReport> LocalOperations::import_bundle(Source& in, const ImportOptions& options, base::Progress& progress,
                                                    std::vector<Finding>* findings) {
  auto report = operation::import_bundle(instance_, in, options, progress, findings);
  // A home that was made for an import that did not come is not left behind.
  if (!report) return std::unexpected(unmade_after(std::move(report).error()));
  if (own_ && options.dry_run) TRY(instance::Instance::close_and_unmake(std::move(own_)));
  if (!options.dry_run && !report->services.empty()) follow_by_router(progress);
  return report;
}

}  // namespace spl::operation
