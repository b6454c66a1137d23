// The operations asked of the daemon of a home, over the home's Unix socket: no token is needed, and keys may be sent.
// What only looks is read from the store beside the daemon, which need not be asked for it.
//
// One thread at a time. Every operation connects anew.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stream.h"
#include "home/daemon_mark.h"
#include "operation/operations.h"

namespace spl::api {

// How long a daemon may work before it begins to answer. Where it ends meanwhile that is noticed at once.
inline constexpr std::chrono::hours kAnswerPatience{24};

class RemoteOperations final : public operation::Operations {
 public:
  // Null where no daemon listens on the home's socket. The Env's owner outlives it, and so does `progress` (may be
  // null), which is asked while the daemon works whether to wait on.
  static Result<std::unique_ptr<RemoteOperations>> connect(env::Env env, const home::HomePaths& paths,
                                                           base::Progress* progress = nullptr);
  ~RemoteOperations() override;

  Result<operation::Status> status() override;
  Result<instance::IdentitySummary> identity() override;
  Result<operation::VerifiedIdentity> verify_identity() override;
  Result<std::vector<operation::Finding>> examine(base::Progress& progress) override;
  Result<substrate::Ineffective> ineffective_records(std::size_t limit) override;
  Result<Record> record(const RecordId& id) override;
  Result<RecordId> resolve_id(std::string_view digits) override;
  Result<std::vector<RecordId>> recent_ids(std::string_view digits, std::size_t limit) override;
  Result<void> threads(const store::ThreadVisitor& visit) override;
  Result<operation::ThreadDetails> thread(std::string_view thread) override;
  Result<void> thread_records(std::string_view thread, const store::RecordVisitor& visit) override;
  Result<void> log(const operation::LogQuery& query, const operation::LogVisitor& visit) override;
  Result<std::vector<substrate::ServiceAccount>> accounts() override;
  Result<std::vector<operation::TokenSummary>> tokens() override;
  Result<std::vector<substrate::ConsentGrant>> consents() override;
  Result<std::vector<substrate::Adapter>> adapters() override;
  Result<substrate::EngineConfig> engine_config() override;
  Result<std::vector<federation::PairSummary>> pairs() override;
  Result<std::vector<federation::PairRequest>> pair_requests() override;
  Result<std::vector<substrate::Trust>> trust(const operation::TrustQuestion& question,
                                              base::Progress& progress) override;
  Result<std::vector<service::InventoryRow>> inventory(base::Progress& progress) override;
  Result<operation::ServiceStates> service_states(const operation::ServiceName& service) override;
  Result<std::string> service_log(const operation::ServiceName& service) override;
  Result<std::vector<operation::CatalogRow>> catalog() override;
  Result<std::vector<operation::ContextEntry>> contexts() override;
  Result<std::vector<std::string>> secrets() override;
  Result<std::vector<operation::SecretState>> secret_states() override;

  Result<instance::IdentitySummary> generate_identity() override;
  Result<instance::Emitted> emit(const instance::Emission& emission) override;
  Result<instance::PutReport> put_ndjson(Source& in, base::Progress& progress) override;
  Result<operation::Endorsed> endorse(const operation::Ids& records) override;
  Result<operation::CancelledMove> cancel_move() override;
  Result<substrate::ServiceAccount> create_account(const substrate::ServiceAccount& account) override;
  Result<operation::RevokedAccount> revoke_account(const operation::AccountName& account) override;
  Result<operation::MadeToken> create_token(const instance::TokenRequest& request) override;
  Result<operation::RevokedToken> revoke_token(const operation::TokenName& token) override;
  Result<substrate::ConsentGrant> grant_consent(const substrate::ConsentRequest& request) override;
  Result<operation::RevokedConsent> revoke_consent(const operation::ConsentName& grant) override;
  Result<substrate::Adapter> add_adapter(const substrate::Adapter& adapter) override;
  Result<operation::RemovedAdapter> remove_adapter(const operation::AdapterName& adapter) override;
  Result<substrate::Rule> add_rule(const substrate::Rule& rule) override;
  Result<substrate::Rule> remove_rule(const operation::RuleName& rule) override;
  Result<operation::Permissions> set_permissions(const operation::Permissions& permissions) override;
  Result<federation::PairSummary> pair(const federation::PairQuestion& question, base::Progress& progress) override;
  Result<federation::PairSummary> pause_pair(const operation::PairName& pair) override;
  Result<federation::PairSummary> resume_pair(const operation::PairName& pair) override;
  Result<federation::PairSummary> revoke_pair(const operation::PairName& pair, base::Progress& progress) override;
  Result<federation::PairSummary> refresh_pair(const operation::RefreshQuestion& question,
                                               base::Progress& progress) override;
  Result<federation::SyncReport> sync(const federation::SyncQuestion& question, base::Progress& progress) override;
  Result<federation::Retirement> retire_identity(const operation::RetireQuestion& question,
                                                 base::Progress& progress) override;
  Result<federation::PairSummary> approve_request(const operation::RequestName& request) override;
  Result<federation::PairRequest> reject_request(const operation::RequestName& request) override;
  Result<operation::ServiceStates> command_services(const operation::ServiceCommand& command,
                                                    base::Progress& progress) override;
  Result<operation::InstallReport> install_services(const operation::InstallRequest& request,
                                                    base::Progress& progress) override;
  Result<operation::ContextEntry> add_context(const operation::NewContext& context) override;
  Result<operation::ContextEntry> remove_context(const operation::RemovedContext& context) override;
  Result<operation::ContextEntry> rename_context(const operation::RenamedContext& context,
                                                 base::Progress& progress) override;
  Result<operation::SecretHandle> set_secret(const operation::NewSecret& secret) override;
  Result<operation::DeletedSecret> delete_secret(const operation::SecretHandle& secret) override;
  Result<operation::PreviousReport> swap_previous_back(const operation::PreviousRequest& request,
                                                       base::Progress& progress) override;
  Result<operation::PreviousReport> discard_previous(const operation::PreviousRequest& request) override;
  Result<operation::RemovedService> remove_service(const operation::RemoveRequest& request,
                                                   base::Progress& progress) override;
  Result<std::vector<job::Job>> jobs() override;
  Result<job::Job> job(const operation::JobName& job) override;
  Result<std::vector<operation::BackupSummary>> backups() override;
  Result<std::vector<operation::ScheduleState>> schedules() override;
  Result<job::ActivityPage> activity(const std::string& cursor) override;
  Result<operation::BackupSummary> backup(const operation::BackupName& backup) override;
  Result<job::Job> cancel_job(const operation::JobName& job) override;
  Result<operation::BackupSummary> delete_backup(const operation::BackupName& backup) override;
  Result<operation::PruneReport> prune_backups(const operation::PruneRequest& request) override;
  Result<operation::ScheduleState> set_schedule(const schedule::Schedule& schedule) override;
  Result<operation::ScheduleState> remove_schedule(const operation::ScheduleName& schedule) override;
  Result<operation::ScheduleRun> run_schedule(const operation::ScheduleName& schedule,
                                              base::Progress& progress) override;
  Result<operation::ScheduleState> read_schedule(const operation::ScheduleName& schedule) override;
  Result<operation::RouterStatus> router_status() override;
  Result<operation::RouterTrust> router_trust() override;
  Result<operation::OwnerStatus> owner_status() override;
  Result<std::vector<operation::OwnerSession>> owner_sessions() override;
  Result<operation::RouterStatus> command_router(const operation::RouterCommand& command,
                                                 base::Progress& progress) override;
  Result<operation::OwnerLink> make_owner_link() override;
  Result<operation::OwnerStatus> set_owner_password(const operation::NewPassword& password) override;
  Result<operation::EndedSessions> end_sessions(const operation::SessionName& session) override;
  Result<operation::OwnerStatus> reset_owner() override;
  Result<std::vector<operation::Tenant>> tenants(base::Progress& progress) override;
  Result<operation::MadeTenant> create_tenant(const operation::NewTenant& tenant, base::Progress& progress) override;
  Result<operation::Tenant> start_tenant(const operation::TenantName& tenant, base::Progress& progress) override;
  Result<operation::Tenant> stop_tenant(const operation::TenantName& tenant, base::Progress& progress) override;
  Result<operation::OwnerLink> link_tenant(const operation::TenantName& tenant, base::Progress& progress) override;
  Result<operation::TenantName> remove_tenant(const operation::RemovedTenant& tenant,
                                              base::Progress& progress) override;
  // `options.workers` is the daemon's to choose.
  Result<operation::ExportReport> export_bundle(operation::ExportOptions options, operation::Destination& to,
                                                base::Progress& progress) override;
  // An encrypted bundle is opened here, with the options' keys: they are not sent.
  Result<operation::ImportReport> import_bundle(Source& in, const operation::ImportOptions& options,
                                                base::Progress& progress,
                                                std::vector<operation::Finding>* findings) override;

 private:
  class Call;
  RemoteOperations(env::Env env, home::HomePaths paths, base::Progress* progress);
  Result<std::unique_ptr<Call>> call();
  Result<std::string> ask(std::string_view target, std::string_view body);
  template <auto Operation, class... Request>
  auto through_door(const Request&... request);
  // The store of the home, open for reading.
  Result<operation::Operations*> reading();

  env::Env env_;
  home::HomePaths paths_;
  base::Progress* progress_;
  std::unique_ptr<operation::Operations> reading_;
};

}  // namespace spl::api
