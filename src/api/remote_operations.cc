#include "api/remote_operations.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/error_json.h"
#include "api/open_operations.h"
#include "api/owner_door.h"
#include "api/query_shape.h"
#include "api/routes.h"
#include "bundle/container.h"
#include "bundle/manifest.h"
#include "bundle/reader.h"
#include "crypto/age.h"
#include "http/channel.h"
#include "http/listener.h"
#include "http/target.h"
#include "http/wire.h"

namespace spl::api {
namespace {

using codec::Json;

constexpr std::size_t kAnswerBytesMax = 64u << 20;  // of a JSON answer
constexpr std::size_t kPieceBytes = 256u << 10;     // of a stream, at once
constexpr std::chrono::minutes kPieceTimeout{10};   // without a byte of a stream moved

// The beginning of a stream, and then the rest of it.
class RejoinedSource final : public Source {
 public:
  RejoinedSource(std::string_view beginning, Source& rest) : beginning_(beginning), rest_(rest) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = TRY(beginning_.read(out));
    return n > 0 ? n : TRY(rest_.read(out));
  }

 private:
  base::StringSource beginning_;
  Source& rest_;
};

// What is in an encrypted bundle; its errors are those of bundle::Container, which opens it where there is no daemon.
class OpenedSource final : public Source {
 public:
  explicit OpenedSource(std::unique_ptr<crypto::AgeDecryptSource> age) : age_(std::move(age)) {}
  Result<std::size_t> read(std::span<char> out) override {
    auto n = age_->read(out);
    if (!n) return bundle::as_malformed(std::move(n).error());
    return n;
  }

 private:
  std::unique_ptr<crypto::AgeDecryptSource> age_;
};

// The first `bytes_max` octets, or all where there are fewer. Takes no more memory than they need.
Result<std::string> read_up_to(Source& in, std::size_t bytes_max) {
  std::string octets;
  for (;;) {
    const std::size_t before = octets.size();
    octets.resize(std::min(bytes_max, std::max(2 * before, kPieceBytes)));
    const std::size_t n = TRY(base::read_full(in, std::span(octets).subspan(before)));
    const bool ended = before + n < octets.size();
    octets.resize(before + n);
    if (ended || octets.size() == bytes_max) return octets;
  }
}

template <class T>
Result<T> answer_of(std::string_view text) {
  return TRY_IN("the daemon's answer", codec::parse_shape<T>(TRY(Json::parse(text)), codec::Unknown::kIgnored));
}

}  // namespace

// One connection, and a request and its answer on it.
class RemoteOperations::Call {
 public:
  Call(env::Descriptor socket, env::Env env)
      : channel_(std::move(socket), env.clock, nullptr), wire_(channel_, env.clock, times()) {}

  // Makes every wait end when the progress says so.
  void watch(base::Progress& progress) {
    channel_.set_watch([&progress] { return progress.cancelled(); });
  }
  void unwatch() { channel_.set_watch({}); }

  Result<void> send(std::string_view method, std::string_view target, http::Fields fields, std::string_view body) {
    fields.emplace_back("content-length", std::to_string(body.size()));
    const std::string head = text(method, target, std::move(fields));
    // Where the daemon does not want all of it, it has said why.
    if (!TRY(channel_.write_unless_answered({head, body}))) return {};
    return {};
  }

  // A body of unknown length. Ends early where the daemon answers before.
  Result<void> send_stream(std::string_view target, http::Fields fields, Source& in, std::string_view phase,
                           base::Progress& progress) {
    fields.emplace_back("transfer-encoding", "chunked");
    TRY(channel_.write_all({text("POST", target, std::move(fields))}));
    const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
    std::uint64_t sent_bytes = 0;
    for (;;) {
      const std::size_t n = TRY(base::read_full(in, {piece.get(), kPieceBytes}));
      if (progress.cancelled()) return base::fail_cancelled("nothing was changed");
      char size[20];
      const int length = std::snprintf(size, sizeof size, "%zx\r\n", n);
      if (!TRY(channel_.write_unless_answered({{size, static_cast<std::size_t>(length)}, {piece.get(), n}, "\r\n"})))
        return {};
      if (n == 0) return {};
      sent_bytes += n;
      progress.update(phase, sent_bytes, 0, "bytes");
    }
  }

  // The head of a good answer; a bad one's error. `failure` (may be null) gets the answer that the error came with.
  Result<http::AnswerHead> answer(std::string* failure = nullptr) {
    http::AnswerHead head = TRY(wire_.read_answer(kAnswerPatience));
    if (head.status < 400) return head;
    std::string text = TRY(content());
    Error error = error_of(head, text);
    if (failure != nullptr) *failure = std::move(text);
    return std::unexpected(std::move(error));
  }
  Result<std::string> content() {
    http::BodySource body(wire_);
    return base::read_all(body, kAnswerBytesMax);
  }
  [[nodiscard]] http::Wire& wire() { return wire_; }

 private:
  static http::WireTimes times() {
    http::WireTimes times;
    times.head = kAnswerPatience;
    times.body = kPieceTimeout;
    return times;
  }
  static std::string text(std::string_view method, std::string_view target, http::Fields fields) {
    fields.emplace(fields.begin(), "host", "spl");
    fields.emplace_back("user-agent", kCommandLineAgent);
    return http::request_text(method, target, fields);
  }

  http::Channel channel_;
  http::Wire wire_;
};

RemoteOperations::RemoteOperations(env::Env env, home::HomePaths paths, base::Progress* progress)
    : env_(env), paths_(std::move(paths)), progress_(progress) {}
RemoteOperations::~RemoteOperations() = default;

Result<std::unique_ptr<RemoteOperations>> RemoteOperations::connect(env::Env env, const home::HomePaths& paths,
                                                                    base::Progress* progress) {
  if (!TRY(http::connect_unix(paths.socket()))) return std::unique_ptr<RemoteOperations>();
  return std::unique_ptr<RemoteOperations>(new RemoteOperations(env, paths, progress));
}

Result<std::unique_ptr<RemoteOperations::Call>> RemoteOperations::call() {
  auto socket = TRY(http::connect_unix(paths_.socket()));
  if (!socket)
    return fail(ErrorCode::kUnavailable, Cause::kDaemonGone, "the daemon of " + paths_.root + " has ended",
                "try again; spl status says whether another runs");
  auto made = std::make_unique<Call>(std::move(*socket), env_);
  if (progress_ != nullptr) made->watch(*progress_);
  return made;
}

Result<std::string> RemoteOperations::ask(std::string_view target, std::string_view body) {
  const auto made = TRY(call());
  TRY(made->send("POST", target, {{"content-type", std::string(kJsonType)}}, body));
  TRY(made->answer());
  return made->content();
}

template <auto Operation, class... Request>
auto RemoteOperations::through_door(const Request&... request) {
  using Answer = typename DoorShapes<decltype(Operation)>::Answer;
  const auto asked = [&]() -> Result<Answer> {
    const WipedText body((codec::shape_text(request) + ... + std::string()));
    const WipedText answer(TRY(ask(kDoorPlace<Operation>.path, body.text)));
    return TRY_IN("the daemon's answer", codec::parse_shape_text<Answer>(answer.text, codec::Unknown::kIgnored));
  };
  return asked();
}

Result<instance::IdentitySummary> RemoteOperations::generate_identity() {
  return through_door<&Operations::generate_identity>();
}
Result<instance::Emitted> RemoteOperations::emit(const instance::Emission& emission) {
  return through_door<&Operations::emit>(emission);
}
Result<operation::Endorsed> RemoteOperations::endorse(const operation::Ids& records) {
  return through_door<&Operations::endorse>(records);
}
Result<operation::CancelledMove> RemoteOperations::cancel_move() {
  return through_door<&Operations::cancel_move>();
}
Result<substrate::ServiceAccount> RemoteOperations::create_account(const substrate::ServiceAccount& account) {
  return through_door<&Operations::create_account>(account);
}
Result<operation::RevokedAccount> RemoteOperations::revoke_account(const operation::AccountName& account) {
  return through_door<&Operations::revoke_account>(account);
}
Result<operation::MadeToken> RemoteOperations::create_token(const instance::TokenRequest& request) {
  return through_door<&Operations::create_token>(request);
}
Result<operation::RevokedToken> RemoteOperations::revoke_token(const operation::TokenName& token) {
  return through_door<&Operations::revoke_token>(token);
}
Result<substrate::ConsentGrant> RemoteOperations::grant_consent(const substrate::ConsentRequest& request) {
  return through_door<&Operations::grant_consent>(request);
}
Result<operation::RevokedConsent> RemoteOperations::revoke_consent(const operation::ConsentName& grant) {
  return through_door<&Operations::revoke_consent>(grant);
}
Result<substrate::Adapter> RemoteOperations::add_adapter(const substrate::Adapter& adapter) {
  return through_door<&Operations::add_adapter>(adapter);
}
Result<operation::RemovedAdapter> RemoteOperations::remove_adapter(const operation::AdapterName& adapter) {
  return through_door<&Operations::remove_adapter>(adapter);
}
Result<substrate::Rule> RemoteOperations::add_rule(const substrate::Rule& rule) {
  return through_door<&Operations::add_rule>(rule);
}
Result<substrate::Rule> RemoteOperations::remove_rule(const operation::RuleName& rule) {
  return through_door<&Operations::remove_rule>(rule);
}
Result<operation::Permissions> RemoteOperations::set_permissions(const operation::Permissions& permissions) {
  return through_door<&Operations::set_permissions>(permissions);
}
Result<federation::PairSummary> RemoteOperations::pair(const federation::PairQuestion& question,
                                                       base::Progress& /*progress*/) {
  return through_door<&Operations::pair>(question);
}
Result<federation::PairSummary> RemoteOperations::pause_pair(const operation::PairName& pair) {
  return through_door<&Operations::pause_pair>(pair);
}
Result<federation::PairSummary> RemoteOperations::resume_pair(const operation::PairName& pair) {
  return through_door<&Operations::resume_pair>(pair);
}
Result<federation::PairSummary> RemoteOperations::revoke_pair(const operation::PairName& pair,
                                                              base::Progress& /*progress*/) {
  return through_door<&Operations::revoke_pair>(pair);
}
Result<federation::PairSummary> RemoteOperations::refresh_pair(const operation::RefreshQuestion& question,
                                                               base::Progress& /*progress*/) {
  return through_door<&Operations::refresh_pair>(question);
}
Result<federation::SyncReport> RemoteOperations::sync(const federation::SyncQuestion& question,
                                                      base::Progress& /*progress*/) {
  return through_door<&Operations::sync>(question);
}
Result<federation::Retirement> RemoteOperations::retire_identity(const operation::RetireQuestion& question,
                                                                 base::Progress& /*progress*/) {
  return through_door<&Operations::retire_identity>(question);
}
Result<federation::PairSummary> RemoteOperations::approve_request(const operation::RequestName& request) {
  return through_door<&Operations::approve_request>(request);
}
Result<federation::PairRequest> RemoteOperations::reject_request(const operation::RequestName& request) {
  return through_door<&Operations::reject_request>(request);
}
Result<operation::ServiceStates> RemoteOperations::command_services(const operation::ServiceCommand& command,
                                                                    base::Progress& /*progress*/) {
  return through_door<&Operations::command_services>(command);
}
Result<operation::InstallReport> RemoteOperations::install_services(const operation::InstallRequest& request,
                                                                    base::Progress& /*progress*/) {
  return through_door<&Operations::install_services>(request);
}
Result<operation::ContextEntry> RemoteOperations::add_context(const operation::NewContext& context) {
  return through_door<&Operations::add_context>(context);
}
Result<operation::ContextEntry> RemoteOperations::remove_context(const operation::RemovedContext& context) {
  return through_door<&Operations::remove_context>(context);
}
Result<operation::ContextEntry> RemoteOperations::rename_context(const operation::RenamedContext& context,
                                                                 base::Progress& /*progress*/) {
  return through_door<&Operations::rename_context>(context);
}
Result<operation::SecretHandle> RemoteOperations::set_secret(const operation::NewSecret& secret) {
  return through_door<&Operations::set_secret>(secret);
}
Result<operation::DeletedSecret> RemoteOperations::delete_secret(const operation::SecretHandle& secret) {
  return through_door<&Operations::delete_secret>(secret);
}
Result<operation::PreviousReport> RemoteOperations::swap_previous_back(const operation::PreviousRequest& request,
                                                                       base::Progress& /*progress*/) {
  return through_door<&Operations::swap_previous_back>(request);
}
Result<operation::PreviousReport> RemoteOperations::discard_previous(const operation::PreviousRequest& request) {
  return through_door<&Operations::discard_previous>(request);
}
Result<operation::RemovedService> RemoteOperations::remove_service(const operation::RemoveRequest& request,
                                                                   base::Progress& /*progress*/) {
  return through_door<&Operations::remove_service>(request);
}

Result<Operations*> RemoteOperations::reading() {
  base::NoProgress none;
  if (!reading_) reading_ = TRY(open_for_reading(env_, paths_, progress_ != nullptr ? *progress_ : none));
  return reading_.get();
}

Result<operation::Status> RemoteOperations::status() {
  return TRY(reading())->status();
}
Result<instance::IdentitySummary> RemoteOperations::identity() {
  return TRY(reading())->identity();
}
Result<operation::VerifiedIdentity> RemoteOperations::verify_identity() {
  return TRY(reading())->verify_identity();
}
Result<std::vector<operation::Finding>> RemoteOperations::examine(base::Progress& progress) {
  return TRY(reading())->examine(progress);
}
Result<substrate::Ineffective> RemoteOperations::ineffective_records(std::size_t limit) {
  return TRY(reading())->ineffective_records(limit);
}
Result<Record> RemoteOperations::record(const RecordId& id) {
  return TRY(reading())->record(id);
}
Result<RecordId> RemoteOperations::resolve_id(std::string_view digits) {
  return TRY(reading())->resolve_id(digits);
}
Result<std::vector<RecordId>> RemoteOperations::recent_ids(std::string_view digits, std::size_t limit) {
  return TRY(reading())->recent_ids(digits, limit);
}
Result<void> RemoteOperations::threads(const store::ThreadVisitor& visit) {
  return TRY(reading())->threads(visit);
}
Result<operation::ThreadDetails> RemoteOperations::thread(std::string_view thread) {
  return TRY(reading())->thread(thread);
}
Result<void> RemoteOperations::thread_records(std::string_view thread, const store::RecordVisitor& visit) {
  return TRY(reading())->thread_records(thread, visit);
}
Result<void> RemoteOperations::log(const operation::LogQuery& query, const operation::LogVisitor& visit) {
  return TRY(reading())->log(query, visit);
}
Result<std::vector<substrate::ServiceAccount>> RemoteOperations::accounts() {
  return TRY(reading())->accounts();
}
Result<std::vector<substrate::ConsentGrant>> RemoteOperations::consents() {
  return TRY(reading())->consents();
}
Result<std::vector<substrate::Adapter>> RemoteOperations::adapters() {
  return TRY(reading())->adapters();
}
Result<substrate::EngineConfig> RemoteOperations::engine_config() {
  return TRY(reading())->engine_config();
}
Result<std::vector<federation::PairSummary>> RemoteOperations::pairs() {
  return TRY(reading())->pairs();
}
Result<std::vector<federation::PairRequest>> RemoteOperations::pair_requests() {
  return TRY(reading())->pair_requests();
}
Result<std::vector<substrate::Trust>> RemoteOperations::trust(const operation::TrustQuestion& question,
                                                              base::Progress& progress) {
  return TRY(reading())->trust(question, progress);
}
Result<std::vector<operation::TokenSummary>> RemoteOperations::tokens() {
  return TRY(reading())->tokens();
}

Result<std::vector<service::InventoryRow>> RemoteOperations::inventory(base::Progress& progress) {
  return TRY(reading())->inventory(progress);
}
Result<operation::ServiceStates> RemoteOperations::service_states(const operation::ServiceName& service) {
  return TRY(reading())->service_states(service);
}
Result<std::string> RemoteOperations::service_log(const operation::ServiceName& service) {
  return TRY(reading())->service_log(service);
}
Result<std::vector<operation::CatalogRow>> RemoteOperations::catalog() {
  return TRY(reading())->catalog();
}
Result<std::vector<job::Job>> RemoteOperations::jobs() {
  return TRY(reading())->jobs();
}
Result<job::Job> RemoteOperations::job(const operation::JobName& job) {
  return TRY(reading())->job(job);
}
Result<std::vector<operation::BackupSummary>> RemoteOperations::backups() {
  return TRY(reading())->backups();
}
Result<operation::BackupSummary> RemoteOperations::backup(const operation::BackupName& backup) {
  return TRY(reading())->backup(backup);
}
Result<job::Job> RemoteOperations::cancel_job(const operation::JobName& job) {
  return through_door<&Operations::cancel_job>(job);
}
Result<operation::BackupSummary> RemoteOperations::delete_backup(const operation::BackupName& backup) {
  return through_door<&Operations::delete_backup>(backup);
}
Result<std::vector<operation::ScheduleState>> RemoteOperations::schedules() {
  return TRY(reading())->schedules();
}
Result<job::ActivityPage> RemoteOperations::activity(const std::string& cursor) {
  return TRY(reading())->activity(cursor);
}
Result<operation::PruneReport> RemoteOperations::prune_backups(const operation::PruneRequest& request) {
  return through_door<&Operations::prune_backups>(request);
}
Result<operation::ScheduleState> RemoteOperations::set_schedule(const schedule::Schedule& schedule) {
  return through_door<&Operations::set_schedule>(schedule);
}
Result<operation::ScheduleState> RemoteOperations::remove_schedule(const operation::ScheduleName& schedule) {
  return through_door<&Operations::remove_schedule>(schedule);
}
Result<operation::ScheduleRun> RemoteOperations::run_schedule(const operation::ScheduleName& schedule,
                                                              base::Progress& /*progress*/) {
  return through_door<&Operations::run_schedule>(schedule);
}
Result<operation::ScheduleState> RemoteOperations::read_schedule(const operation::ScheduleName& schedule) {
  return through_door<&Operations::read_schedule>(schedule);
}
Result<operation::RouterStatus> RemoteOperations::router_status() {
  return TRY(reading())->router_status();
}
Result<operation::RouterTrust> RemoteOperations::router_trust() {
  return TRY(reading())->router_trust();
}
Result<operation::OwnerStatus> RemoteOperations::owner_status() {
  return TRY(reading())->owner_status();
}
Result<std::vector<operation::OwnerSession>> RemoteOperations::owner_sessions() {
  return TRY(reading())->owner_sessions();
}
Result<operation::RouterStatus> RemoteOperations::command_router(const operation::RouterCommand& command,
                                                                 base::Progress& /*progress*/) {
  return through_door<&Operations::command_router>(command);
}
Result<operation::OwnerLink> RemoteOperations::make_owner_link() {
  return through_door<&Operations::make_owner_link>();
}
Result<operation::OwnerStatus> RemoteOperations::set_owner_password(const operation::NewPassword& password) {
  return through_door<&Operations::set_owner_password>(password);
}
Result<operation::EndedSessions> RemoteOperations::end_sessions(const operation::SessionName& session) {
  return through_door<&Operations::end_sessions>(session);
}
Result<operation::OwnerStatus> RemoteOperations::reset_owner() {
  return through_door<&Operations::reset_owner>();
}
Result<std::vector<operation::Tenant>> RemoteOperations::tenants(base::Progress& progress) {
  return TRY(reading())->tenants(progress);
}
Result<operation::MadeTenant> RemoteOperations::create_tenant(const operation::NewTenant& tenant,
                                                              base::Progress& /*progress*/) {
  return through_door<&Operations::create_tenant>(tenant);
}
Result<operation::Tenant> RemoteOperations::start_tenant(const operation::TenantName& tenant,
                                                         base::Progress& /*progress*/) {
  return through_door<&Operations::start_tenant>(tenant);
}
Result<operation::Tenant> RemoteOperations::stop_tenant(const operation::TenantName& tenant,
                                                        base::Progress& /*progress*/) {
  return through_door<&Operations::stop_tenant>(tenant);
}
Result<operation::OwnerLink> RemoteOperations::link_tenant(const operation::TenantName& tenant,
                                                           base::Progress& /*progress*/) {
  return through_door<&Operations::link_tenant>(tenant);
}
Result<operation::TenantName> RemoteOperations::remove_tenant(const operation::RemovedTenant& tenant,
                                                              base::Progress& /*progress*/) {
  return through_door<&Operations::remove_tenant>(tenant);
}
Result<std::vector<operation::ContextEntry>> RemoteOperations::contexts() {
  return TRY(reading())->contexts();
}
Result<std::vector<std::string>> RemoteOperations::secrets() {
  return TRY(reading())->secrets();
}
Result<std::vector<operation::SecretState>> RemoteOperations::secret_states() {
  return TRY(reading())->secret_states();
}

Result<instance::PutReport> RemoteOperations::put_ndjson(Source& in, base::Progress& progress) {
  const auto made = TRY(call());
  made->watch(progress);
  const http::Fields fields{{"content-type", "application/x-ndjson"}};
  // What the daemon takes in one piece is sent in one piece.
  std::string beginning = TRY(read_up_to(in, kBatchBytesMax + 1));
  if (beginning.size() <= kBatchBytesMax) {
    TRY(made->send("POST", "/v1/records", fields, beginning));
  } else {
    RejoinedSource whole(beginning, in);
    TRY(made->send_stream("/v1/records", fields, whole, "sending records", progress));
  }
  const http::AnswerHead head = TRY(made->answer());
  auto report = TRY(answer_of<instance::PutReport>(TRY(made->content())));
  const std::string* details = http::find_field(head.fields, http::kReportField);
  if (details != nullptr) report.details = TRY(answer_of<instance::PutReport::Details>(*details));
  return report;
}

Result<operation::ExportReport> RemoteOperations::export_bundle(operation::ExportOptions options,
                                                                operation::Destination& to, base::Progress& progress) {
  const auto made = TRY(call());
  made->watch(progress);
  {
    const WipedText request(codec::shape_text(options));
    TRY(made->send("POST", "/v1/portability/export",
                   {{"content-type", std::string(kJsonType)}, {std::string(http::kCommitField), "client"}},
                   request.text));
  }
  const http::AnswerHead head = TRY(made->answer());
  const std::string* text = http::find_field(head.fields, http::kReportField);
  if (text == nullptr) return fail("the daemon's answer has no report");
  auto report = TRY(answer_of<operation::ExportReport>(*text));
  const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  std::uint64_t received_bytes = 0;
  while (const std::size_t n = TRY(made->wire().read_body({piece.get(), kPieceBytes}))) {
    TRY(to.sink().write({piece.get(), n}));
    received_bytes += n;
    progress.update("receiving the bundle", received_bytes, 0, "bytes");
    if (progress.cancelled()) return base::fail_cancelled("the bundle is not whole");
  }
  made->unwatch();
  TRY(to.commit());
  // On the same connection, within ten minutes: else it counts as an export that failed.
  TRY(made->send("POST", "/v1/portability/export/commit", {}, ""));
  TRY(made->answer());
  const auto committed = answer_of<operation::ExportReport>(TRY(made->content()));
  if (committed) report.warnings = committed->warnings;
  return report;
}

Result<operation::ImportReport> RemoteOperations::import_bundle(Source& in, const operation::ImportOptions& options,
                                                                base::Progress& progress,
                                                                std::vector<operation::Finding>* findings) {
  std::array<char, crypto::kAgeMagicBytes> first{};
  const std::size_t count = TRY(base::read_full(in, first));
  RejoinedSource whole({first.data(), count}, in);
  Source* body = &whole;
  std::optional<OpenedSource> opened;
  std::optional<bundle::PeekSource> inner;
  auto opening = options.opened_by_caller;
  if (!opening && crypto::looks_like_age({first.data(), count})) {
    auto age = crypto::AgeDecryptSource::open(whole, options.reader.identities, options.reader.passphrase);
    if (!age) return bundle::as_malformed(std::move(age).error());
    opening = bundle::Opening::of(**age);
    opened.emplace(std::move(*age));
    body = &inner.emplace(*opened);
    const std::string_view begin = TRY(inner->peek(crypto::kAgeArmorMagicBytes));
    if (crypto::looks_like_age(begin) || crypto::looks_like_armored_age(begin))
      return fail(ErrorCode::kVerification, Cause::kMalformed, "bundle malformed: age: a second layer of encryption",
                  "take one off with age --decrypt");
  }
  operation::ImportOptions asked = options;
  asked.opened_by_caller = opening;
  const std::string target = "/v1/portability/import?" + query_text(codec::shape_json(asked));
  const auto made = TRY(call());
  made->watch(progress);
  TRY(made->send_stream(target, {{"content-type", std::string(kBundleType)}}, *body, "sending the bundle", progress));
  std::string failure;
  const auto answered = made->answer(&failure);
  if (!answered) {
    const auto json = Json::parse(failure);
    const Json* preflight = json ? json->find("preflight") : nullptr;
    if (preflight != nullptr && findings != nullptr)
      *findings = TRY(codec::JsonValue<std::vector<operation::Finding>>::from(*preflight));
    return std::unexpected(answered.error());
  }
  auto report = TRY(answer_of<operation::ImportReport>(TRY(made->content())));
  if (findings != nullptr) *findings = report.preflight;
  return report;
}

}  // namespace spl::api
