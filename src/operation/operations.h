// What a person or a program can have an instance do: every command is one member of this interface. There is one
// implementation that works on an open instance (local_operations.h) and one that asks the daemon of a home over its
// socket (api/remote_operations.h); a command never asks which it has (api/open_operations.h).
//
// Errors are the same from both. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "codec/shape.h"
#include "federation/pairing.h"
#include "federation/retirement.h"
#include "federation/sync.h"
#include "instance/access.h"
#include "instance/ingest.h"
#include "instance/instance.h"
#include "job/activity.h"
#include "job/job.h"
#include "operation/backups.h"
#include "operation/export.h"
#include "operation/findings.h"
#include "operation/import_options.h"
#include "operation/install.h"
#include "operation/log.h"
#include "operation/owner_operations.h"
#include "operation/prune.h"
#include "operation/router_operations.h"
#include "operation/schedules.h"
#include "operation/service_operations.h"
#include "operation/service_remove.h"
#include "operation/tenants.h"
#include "record/record_shape.h"
#include "store/record_store.h"
#include "substrate/adapters.h"
#include "substrate/authority.h"
#include "substrate/consent.h"
#include "substrate/engine_config.h"
#include "substrate/trust.h"

namespace spl::operation {

struct Status {
  bool running = false;               // a daemon serves the home
  std::optional<std::uint16_t> port;  // of its TCP door
  std::optional<std::string> did;
  std::string version;
  std::uint64_t record_count = 0;
  std::uint64_t thread_count = 0;
  std::uint64_t federation_pairs = 0;
  std::uint64_t consent_grants = 0;
  std::string store;
  std::string home;
  std::optional<std::string> moved_at;  // it has left with spl export --move
  // None: there are none.
  std::optional<std::uint64_t> service_accounts;  // active
  std::optional<std::uint64_t> adapters;
  std::optional<std::uint64_t> rules;             // of the engine's configuration
  std::optional<std::uint64_t> pair_requests;     // that wait for the owner
  std::optional<std::uint64_t> redacted_records;  // of which a peer gave no body
  std::vector<Rebuild> rebuilds;                  // that restores have left
  // For people alone.
  int pid = 0;              // of the daemon
  std::string address;      // where it serves
  std::string no_identity;  // why there is no did, and what to do

  static constexpr auto shape() {
    using S = Status;
    return codec::shape(
        codec::member("running", &S::running, "whether a daemon serves the home"),
        codec::member("port", &S::port, "of its TCP door"), codec::member("did", &S::did, "the instance's name"),
        codec::member("version", &S::version, "of this program"),
        codec::member("record_count", &S::record_count, "records in the store"),
        codec::member("thread_count", &S::thread_count, "threads in the store"),
        codec::member("federation_pairs", &S::federation_pairs, "in effect"),
        codec::member("consent_grants", &S::consent_grants, "in effect"),
        codec::member("service_accounts", &S::service_accounts, "that are active", codec::Presence::kOmitted),
        codec::member("adapters", &S::adapters, "that are listed", codec::Presence::kOmitted),
        codec::member("rules", &S::rules, "that are laid down", codec::Presence::kOmitted),
        codec::member("pair_requests", &S::pair_requests, "that wait for the owner", codec::Presence::kOmitted),
        codec::member("redacted_records", &S::redacted_records, "known of by a peer that gave no body",
                      codec::Presence::kOmitted),
        codec::path_member("store", &S::store, "where the records are"),
        codec::path_member("home", &S::home, "the home's directory"),
        codec::member("moved_at", &S::moved_at, "when it left with spl export --move", codec::Presence::kOmitted),
        codec::member("rebuilds", &S::rebuilds, "what restores have left to be rebuilt; missing: nothing",
                      codec::Presence::kOmitted));
  }
};

struct VerifiedIdentity {
  std::string did;
  bool valid = true;

  static constexpr auto shape() {
    return codec::shape(codec::member("did", &VerifiedIdentity::did, "the instance's name"),
                        codec::member("valid", &VerifiedIdentity::valid, "key, document and modes fit"));
  }
};

struct ThreadDetails {
  store::ThreadSummary summary;
  std::map<record::Act, std::uint64_t> acts;  // those that occur
};

struct Ids {
  std::vector<RecordId> ids;

  static constexpr auto shape() { return codec::shape(codec::member("ids", &Ids::ids, "records' ids")); }
};
struct Endorsed {
  std::vector<RecordId> endorsed;
  std::vector<RecordId> records;

  static constexpr auto shape() {
    return codec::shape(codec::member("endorsed", &Endorsed::endorsed, "the records that were named"),
                        codec::member("records", &Endorsed::records, "what was written; none for those in force"));
  }
};

struct CancelledMove {
  bool cancelled = false;

  static constexpr auto shape() {
    return codec::shape(codec::member("cancelled", &CancelledMove::cancelled, "false: the instance had not moved"));
  }
};

struct AccountName {
  std::string name;

  static constexpr auto shape() { return codec::shape(codec::member("name", &AccountName::name, "the account")); }
};
struct RevokedAccount {
  std::string name;
  bool active = false;

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &RevokedAccount::name, "the account"),
                        codec::member("active", &RevokedAccount::active, "false"));
  }
};

// A token without its secret.
struct TokenSummary {
  Digest id;  // the token's SHA-256
  std::string account;
  std::vector<std::string> scopes;
  std::string created_at;
  std::optional<std::string> expires_at;

  static constexpr auto shape() {
    using T = TokenSummary;
    return codec::shape(codec::member("id", &T::id, "the token's SHA-256"),
                        codec::member("account", &T::account, "whose it is"),
                        codec::member("scopes", &T::scopes, "what it may do"),
                        codec::member("created_at", &T::created_at, "when it was made"),
                        codec::member("expires_at", &T::expires_at, "when it ends"));
  }
};
struct MadeToken {
  SecretBytes token;  // shown once and not kept
  TokenSummary summary;

  static constexpr auto shape() {
    return codec::shape(codec::member("token_base64", &MadeToken::token, "the token itself"),
                        codec::member("summary", &MadeToken::summary, "what is kept of it"));
  }
};
struct TokenName {
  std::string id;  // as the list shows it, or a beginning of it that no other token shares (8 digits or more)

  static constexpr auto shape() {
    return codec::shape(codec::member("id", &TokenName::id, "the token's SHA-256, or a beginning of it"));
  }
};
struct RevokedToken {
  Digest id;
  bool revoked = true;

  static constexpr auto shape() {
    return codec::shape(codec::member("id", &RevokedToken::id, "the token's SHA-256"),
                        codec::member("revoked", &RevokedToken::revoked, "true"));
  }
};

struct ConsentName {
  std::string id;  // as the list shows it, or a beginning of it that no other grant shares (8 digits or more)

  static constexpr auto shape() {
    return codec::shape(codec::member("id", &ConsentName::id, "the grant's id, or a beginning of it"));
  }
};
struct RevokedConsent {
  RecordId id;
  bool revoked = true;

  static constexpr auto shape() {
    return codec::shape(codec::member("id", &RevokedConsent::id, "the grant's id"),
                        codec::member("revoked", &RevokedConsent::revoked, "true"));
  }
};
struct AdapterName {
  std::string did;

  static constexpr auto shape() { return codec::shape(codec::member("did", &AdapterName::did, "whom it acts as")); }
};
struct RemovedAdapter {
  std::string did;
  bool removed = true;

  static constexpr auto shape() {
    return codec::shape(codec::member("did", &RemovedAdapter::did, "whom it acted as"),
                        codec::member("removed", &RemovedAdapter::removed, "true"));
  }
};
struct RuleName {
  std::string name;
  std::optional<substrate::RuleKind> kind;  // none: that of the only rule of the name

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &RuleName::name, "the rule"),
                        codec::member("kind", &RuleName::kind, "where two kinds have one", codec::Presence::kOmitted));
  }
};
struct Permissions {
  bool enabled = false;

  static constexpr auto shape() {
    return codec::shape(
        codec::member("enabled", &Permissions::enabled, "whether what no permission rule allows is denied"));
  }
};
struct PairName {
  std::string peer;  // its DID, or the pair's id, or a beginning of that of 8 digits or more after "fed_"
  bool insecure_localhost = false;

  static constexpr auto shape() {
    return codec::shape(
        codec::member("peer", &PairName::peer, "the peer's DID, or the pair's id"),
        codec::member("insecure_localhost", &PairName::insecure_localhost, "believe loopback's certificates"));
  }
};
struct RefreshQuestion {
  std::string peer;
  std::optional<std::string> url;  // where it is said to be; none: it is looked for
  bool insecure_localhost = false;

  static constexpr auto shape() {
    using Q = RefreshQuestion;
    return codec::shape(codec::member("peer", &Q::peer, "the peer's DID, or the pair's id"),
                        codec::member("url", &Q::url, "where it is said to be", codec::Presence::kOmitted),
                        codec::member("insecure_localhost", &Q::insecure_localhost, "believe loopback's certificates"));
  }
};
struct RetireQuestion {
  std::optional<std::string> successor;  // a did:key

  static constexpr auto shape() {
    return codec::shape(codec::member("successor", &RetireQuestion::successor, "the DID that is to take its place",
                                      codec::Presence::kOmitted));
  }
};
struct JobName {
  std::string id;  // or a beginning of it, of 6 digits or more

  static constexpr auto shape() {
    return codec::shape(codec::member("id", &JobName::id, "the job's id, or a beginning of it"));
  }
};
struct RequestName {
  std::string id;

  static constexpr auto shape() {
    return codec::shape(codec::member("id", &RequestName::id, "the request's id, or a beginning of it"));
  }
};
struct TrustQuestion {
  std::optional<std::string> actor;  // none: all

  static constexpr auto shape() {
    return codec::shape(codec::member("actor", &TrustQuestion::actor, "whose work", codec::Presence::kOmitted));
  }
};

// The error of a thread that has no records.
Error no_thread(std::string_view thread);
// What names a record: its id, or a beginning of it. Code kUsage where it cannot be one.
Result<void> check_id_digits(std::string_view digits);

class Operations {
 public:
  virtual ~Operations() = default;

  // Those that only look. They see what is there whether a daemon runs or not.
  virtual Result<Status> status() = 0;
  // Cause kNoIdentity where there is none.
  virtual Result<instance::IdentitySummary> identity() = 0;
  virtual Result<VerifiedIdentity> verify_identity() = 0;
  virtual Result<std::vector<Finding>> examine(base::Progress& progress) = 0;
  // Records of reserved threads that take no effect, at most `limit` of them.
  virtual Result<substrate::Ineffective> ineffective_records(std::size_t limit) = 0;
  virtual Result<Record> record(const RecordId& id) = 0;
  // The id of a record by a beginning of it that no other one shares, 8 digits or more; a whole id is given back
  // unseen. Code kUsage where it is none, or where several begin so: the hint names some.
  virtual Result<RecordId> resolve_id(std::string_view digits) = 0;
  // Ids that begin with these digits, at most `limit`: of the records that came last, those first; where none of them
  // does, of all.
  virtual Result<std::vector<RecordId>> recent_ids(std::string_view digits, std::size_t limit) = 0;
  virtual Result<void> threads(const store::ThreadVisitor& visit) = 0;
  virtual Result<ThreadDetails> thread(std::string_view thread) = 0;
  // By clock, then id. A thread that is not there has none.
  virtual Result<void> thread_records(std::string_view thread, const store::RecordVisitor& visit) = 0;
  virtual Result<void> log(const LogQuery& query, const LogVisitor& visit) = 0;
  virtual Result<std::vector<substrate::ServiceAccount>> accounts() = 0;
  virtual Result<std::vector<TokenSummary>> tokens() = 0;
  virtual Result<std::vector<substrate::ConsentGrant>> consents() = 0;
  virtual Result<std::vector<substrate::Adapter>> adapters() = 0;
  virtual Result<substrate::EngineConfig> engine_config() = 0;
  // Every pair that there was, with what is known of its peer.
  virtual Result<std::vector<federation::PairSummary>> pairs() = 0;
  // What other instances ask of this one's owner.
  virtual Result<std::vector<federation::PairRequest>> pair_requests() = 0;
  virtual Result<std::vector<substrate::Trust>> trust(const TrustQuestion& question, base::Progress& progress) = 0;
  // What services keep, and what they should not (service/inventory.h).
  virtual Result<std::vector<service::InventoryRow>> inventory(base::Progress& progress) = 0;
  virtual Result<ServiceStates> service_states(const ServiceName& service) = 0;
  virtual Result<std::string> service_log(const ServiceName& service) = 0;
  // What catalogs declare (operation/install.h).
  virtual Result<std::vector<CatalogRow>> catalog() = 0;
  virtual Result<std::vector<ContextEntry>> contexts() = 0;
  virtual Result<std::vector<std::string>> secrets() = 0;
  virtual Result<std::vector<SecretState>> secret_states() = 0;
  virtual Result<std::vector<job::Job>> jobs() = 0;
  virtual Result<job::Job> job(const JobName& job) = 0;
  virtual Result<std::vector<BackupSummary>> backups() = 0;
  virtual Result<BackupSummary> backup(const BackupName& backup) = 0;
  virtual Result<std::vector<ScheduleState>> schedules() = 0;
  // Who did what, the newest first: "" is the first page, and each has the cursor of the next.
  virtual Result<job::ActivityPage> activity(const std::string& cursor) = 0;
  virtual Result<RouterStatus> router_status() = 0;
  virtual Result<RouterTrust> router_trust() = 0;
  virtual Result<OwnerStatus> owner_status() = 0;
  virtual Result<std::vector<OwnerSession>> owner_sessions() = 0;
  // The machine's (operation/tenants.h). What was cut off before is taken away.
  virtual Result<std::vector<Tenant>> tenants(base::Progress& progress) = 0;

  // Those that change something.
  virtual Result<instance::IdentitySummary> generate_identity() = 0;
  virtual Result<instance::Emitted> emit(const instance::Emission& emission) = 0;
  virtual Result<instance::PutReport> put_ndjson(Source& in, base::Progress& progress) = 0;
  virtual Result<Endorsed> endorse(const Ids& records) = 0;
  virtual Result<CancelledMove> cancel_move() = 0;
  virtual Result<substrate::ServiceAccount> create_account(const substrate::ServiceAccount& account) = 0;
  virtual Result<RevokedAccount> revoke_account(const AccountName& account) = 0;
  virtual Result<MadeToken> create_token(const instance::TokenRequest& request) = 0;
  virtual Result<RevokedToken> revoke_token(const TokenName& token) = 0;
  virtual Result<substrate::ConsentGrant> grant_consent(const substrate::ConsentRequest& request) = 0;
  virtual Result<RevokedConsent> revoke_consent(const ConsentName& grant) = 0;
  virtual Result<substrate::Adapter> add_adapter(const substrate::Adapter& adapter) = 0;
  virtual Result<RemovedAdapter> remove_adapter(const AdapterName& adapter) = 0;
  virtual Result<substrate::Rule> add_rule(const substrate::Rule& rule) = 0;
  virtual Result<substrate::Rule> remove_rule(const RuleName& rule) = 0;
  virtual Result<Permissions> set_permissions(const Permissions& permissions) = 0;
  // Waits for the other side as long as the question says; ends early with what there is then.
  virtual Result<federation::PairSummary> pair(const federation::PairQuestion& question, base::Progress& progress) = 0;
  virtual Result<federation::PairSummary> pause_pair(const PairName& pair) = 0;
  virtual Result<federation::PairSummary> resume_pair(const PairName& pair) = 0;
  // The peer is told, if it can be.
  virtual Result<federation::PairSummary> revoke_pair(const PairName& pair, base::Progress& progress) = 0;
  virtual Result<federation::PairSummary> refresh_pair(const RefreshQuestion& question, base::Progress& progress) = 0;
  virtual Result<federation::SyncReport> sync(const federation::SyncQuestion& question, base::Progress& progress) = 0;
  // The peers are told, as far as they can be.
  virtual Result<federation::Retirement> retire_identity(const RetireQuestion& question, base::Progress& progress) = 0;
  virtual Result<federation::PairSummary> approve_request(const RequestName& request) = 0;
  virtual Result<federation::PairRequest> reject_request(const RequestName& request) = 0;
  virtual Result<ServiceStates> command_services(const ServiceCommand& command, base::Progress& progress) = 0;
  virtual Result<InstallReport> install_services(const InstallRequest& request, base::Progress& progress) = 0;
  virtual Result<ContextEntry> add_context(const NewContext& context) = 0;
  virtual Result<ContextEntry> remove_context(const RemovedContext& context) = 0;
  virtual Result<ContextEntry> rename_context(const RenamedContext& context, base::Progress& progress) = 0;
  virtual Result<SecretHandle> set_secret(const NewSecret& secret) = 0;
  virtual Result<DeletedSecret> delete_secret(const SecretHandle& secret) = 0;
  virtual Result<PreviousReport> swap_previous_back(const PreviousRequest& request, base::Progress& progress) = 0;
  virtual Result<PreviousReport> discard_previous(const PreviousRequest& request) = 0;
  virtual Result<RemovedService> remove_service(const RemoveRequest& request, base::Progress& progress) = 0;
  // A job that runs ends as soon as it can.
  virtual Result<job::Job> cancel_job(const JobName& job) = 0;
  virtual Result<BackupSummary> delete_backup(const BackupName& backup) = 0;
  virtual Result<PruneReport> prune_backups(const PruneRequest& request) = 0;
  virtual Result<ScheduleState> set_schedule(const schedule::Schedule& schedule) = 0;
  virtual Result<ScheduleState> remove_schedule(const ScheduleName& schedule) = 0;
  virtual Result<ScheduleRun> run_schedule(const ScheduleName& schedule, base::Progress& progress) = 0;
  // Its failure was read.
  virtual Result<ScheduleState> read_schedule(const ScheduleName& schedule) = 0;
  virtual Result<RouterStatus> command_router(const RouterCommand& command, base::Progress& progress) = 0;
  virtual Result<OwnerLink> make_owner_link() = 0;
  virtual Result<OwnerStatus> set_owner_password(const NewPassword& password) = 0;
  virtual Result<EndedSessions> end_sessions(const SessionName& session) = 0;
  virtual Result<OwnerStatus> reset_owner() = 0;
  virtual Result<MadeTenant> create_tenant(const NewTenant& tenant, base::Progress& progress) = 0;
  virtual Result<Tenant> start_tenant(const TenantName& tenant, base::Progress& progress) = 0;
  virtual Result<Tenant> stop_tenant(const TenantName& tenant, base::Progress& progress) = 0;
  virtual Result<OwnerLink> link_tenant(const TenantName& tenant, base::Progress& progress) = 0;
  virtual Result<TenantName> remove_tenant(const RemovedTenant& tenant, base::Progress& progress) = 0;

  // After an error `to` may hold a part, which is no bundle. `options` may hold a passphrase: it is used up.
  virtual Result<ExportReport> export_bundle(ExportOptions options, Destination& to, base::Progress& progress) = 0;
  // Where the bundle itself verified, `findings` (may be null) gets the pre-flight's report even when the import is
  // refused.
  virtual Result<ImportReport> import_bundle(Source& in, const ImportOptions& options, base::Progress& progress,
                                             std::vector<Finding>* findings) = 0;
};

}  // namespace spl::operation
