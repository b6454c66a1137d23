// The operations on an instance that is open in this process. One thread at a time.
#pragma once

#include <memory>
#include <optional>

#include "home/daemon_mark.h"
#include "operation/operations.h"

namespace spl::operation {

class LocalOperations final : public Operations {
 public:
  // Of an instance that somebody else keeps open: the daemon's. What `who` (job/activity.h) changes is noted; nothing
  // is where nobody is named.
  explicit LocalOperations(instance::Instance& instance, std::string who = {})
      : instance_(instance), who_(std::move(who)) {}
  // Of one that goes with it. `daemon` is who serves the home meanwhile, if anybody. Where it was opened to be made,
  // and the operation that was to fill it fails, what was made of it is taken away again: then it is of no more use.
  // `why_reading` is why an instance that was to be changed was opened for reading alone, if it was.
  LocalOperations(std::unique_ptr<instance::Instance> instance, std::optional<home::DaemonMark> daemon,
                  std::string why_reading = {})
      : own_(std::move(instance)),
        instance_(*own_),
        daemon_(std::move(daemon)),
        why_reading_(std::move(why_reading)),
        who_(job::kByConsole) {}

  Result<Status> status() override;
  Result<instance::IdentitySummary> identity() override;
  Result<VerifiedIdentity> verify_identity() override;
  Result<std::vector<Finding>> examine(base::Progress& progress) override;
  Result<substrate::Ineffective> ineffective_records(std::size_t limit) override;
  Result<Record> record(const RecordId& id) override;
  Result<RecordId> resolve_id(std::string_view digits) override;
  Result<std::vector<RecordId>> recent_ids(std::string_view digits, std::size_t limit) override;
  Result<void> threads(const store::ThreadVisitor& visit) override;
  Result<ThreadDetails> thread(std::string_view thread) override;
  Result<void> thread_records(std::string_view thread, const store::RecordVisitor& visit) override;
  Result<void> log(const LogQuery& query, const LogVisitor& visit) override;
  Result<std::vector<substrate::ServiceAccount>> accounts() override;
  Result<std::vector<TokenSummary>> tokens() override;
  Result<std::vector<substrate::ConsentGrant>> consents() override;
  Result<std::vector<substrate::Adapter>> adapters() override;
  Result<substrate::EngineConfig> engine_config() override;
  Result<std::vector<federation::PairSummary>> pairs() override;
  Result<std::vector<federation::PairRequest>> pair_requests() override;
  Result<std::vector<substrate::Trust>> trust(const TrustQuestion& question, base::Progress& progress) override;
  Result<std::vector<service::InventoryRow>> inventory(base::Progress& progress) override;
  Result<ServiceStates> service_states(const ServiceName& service) override;
  Result<std::string> service_log(const ServiceName& service) override;
  Result<std::vector<CatalogRow>> catalog() override;
  Result<std::vector<ContextEntry>> contexts() override;
  Result<std::vector<std::string>> secrets() override;
  Result<std::vector<SecretState>> secret_states() override;
  Result<std::vector<job::Job>> jobs() override;
  Result<job::Job> job(const JobName& job) override;
  Result<std::vector<BackupSummary>> backups() override;
  Result<BackupSummary> backup(const BackupName& backup) override;
  Result<std::vector<ScheduleState>> schedules() override;
  Result<job::ActivityPage> activity(const std::string& cursor) override;
  Result<job::Job> cancel_job(const JobName& job) override;
  Result<BackupSummary> delete_backup(const BackupName& backup) override;
  Result<PruneReport> prune_backups(const PruneRequest& request) override;
  Result<ScheduleState> set_schedule(const schedule::Schedule& schedule) override;
  Result<ScheduleState> remove_schedule(const ScheduleName& schedule) override;
  Result<ScheduleRun> run_schedule(const ScheduleName& schedule, base::Progress& progress) override;
  Result<ScheduleState> read_schedule(const ScheduleName& schedule) override;
  Result<RouterStatus> router_status() override;
  Result<RouterTrust> router_trust() override;
  Result<OwnerStatus> owner_status() override;
  Result<std::vector<OwnerSession>> owner_sessions() override;
  Result<std::vector<Tenant>> tenants(base::Progress& progress) override;

  Result<instance::IdentitySummary> generate_identity() override;
  Result<instance::Emitted> emit(const instance::Emission& emission) override;
  Result<instance::PutReport> put_ndjson(Source& in, base::Progress& progress) override;
  Result<Endorsed> endorse(const Ids& records) override;
  Result<CancelledMove> cancel_move() override;
  Result<substrate::ServiceAccount> create_account(const substrate::ServiceAccount& account) override;
  Result<RevokedAccount> revoke_account(const AccountName& account) override;
  Result<MadeToken> create_token(const instance::TokenRequest& request) override;
  Result<RevokedToken> revoke_token(const TokenName& token) override;
  Result<substrate::ConsentGrant> grant_consent(const substrate::ConsentRequest& request) override;
  Result<RevokedConsent> revoke_consent(const ConsentName& grant) override;
  Result<substrate::Adapter> add_adapter(const substrate::Adapter& adapter) override;
  Result<RemovedAdapter> remove_adapter(const AdapterName& adapter) override;
  Result<substrate::Rule> add_rule(const substrate::Rule& rule) override;
  Result<substrate::Rule> remove_rule(const RuleName& rule) override;
  Result<Permissions> set_permissions(const Permissions& permissions) override;
  Result<federation::PairSummary> pair(const federation::PairQuestion& question, base::Progress& progress) override;
  Result<federation::PairSummary> pause_pair(const PairName& pair) override;
  Result<federation::PairSummary> resume_pair(const PairName& pair) override;
  Result<federation::PairSummary> revoke_pair(const PairName& pair, base::Progress& progress) override;
  Result<federation::PairSummary> refresh_pair(const RefreshQuestion& question, base::Progress& progress) override;
  Result<federation::SyncReport> sync(const federation::SyncQuestion& question, base::Progress& progress) override;
  Result<federation::Retirement> retire_identity(const RetireQuestion& question, base::Progress& progress) override;
  Result<federation::PairSummary> approve_request(const RequestName& request) override;
  Result<federation::PairRequest> reject_request(const RequestName& request) override;
  Result<ServiceStates> command_services(const ServiceCommand& command, base::Progress& progress) override;
  Result<InstallReport> install_services(const InstallRequest& request, base::Progress& progress) override;
  Result<ContextEntry> add_context(const NewContext& context) override;
  Result<ContextEntry> remove_context(const RemovedContext& context) override;
  Result<ContextEntry> rename_context(const RenamedContext& context, base::Progress& progress) override;
  Result<SecretHandle> set_secret(const NewSecret& secret) override;
  Result<DeletedSecret> delete_secret(const SecretHandle& secret) override;
  Result<PreviousReport> swap_previous_back(const PreviousRequest& request, base::Progress& progress) override;
  Result<PreviousReport> discard_previous(const PreviousRequest& request) override;
  Result<RemovedService> remove_service(const RemoveRequest& request, base::Progress& progress) override;
  Result<RouterStatus> command_router(const RouterCommand& command, base::Progress& progress) override;
  Result<OwnerLink> make_owner_link() override;
  Result<OwnerStatus> set_owner_password(const NewPassword& password) override;
  Result<EndedSessions> end_sessions(const SessionName& session) override;
  Result<OwnerStatus> reset_owner() override;
  Result<MadeTenant> create_tenant(const NewTenant& tenant, base::Progress& progress) override;
  Result<Tenant> start_tenant(const TenantName& tenant, base::Progress& progress) override;
  Result<Tenant> stop_tenant(const TenantName& tenant, base::Progress& progress) override;
  Result<OwnerLink> link_tenant(const TenantName& tenant, base::Progress& progress) override;
  Result<TenantName> remove_tenant(const RemovedTenant& tenant, base::Progress& progress) override;
  Result<ExportReport> export_bundle(ExportOptions options, Destination& to, base::Progress& progress) override;
  Result<ImportReport> import_bundle(Source& in, const ImportOptions& options, base::Progress& progress,
                                     std::vector<Finding>* findings) override;

 private:
  void follow_by_router(base::Progress& progress);
  // Does the work, and notes that it was done, or why not.
  template <class Work>
  auto noted(std::string_view action, const std::string& subject, const Work& work) {
    auto outcome = work();
    note(action, subject, outcome ? nullptr : &outcome.error());
    return outcome;
  }
  void note(std::string_view action, const std::string& subject, const Error* error);
  // The error of an operation that was to fill a new home.
  Error unmade_after(Error error);

  std::unique_ptr<instance::Instance> own_;
  instance::Instance& instance_;
  std::optional<home::DaemonMark> daemon_;
  std::string why_reading_;
  std::string who_;
};

}  // namespace spl::operation
