#include "http/daemon_client.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/words.h"
#include "bundle/container.h"
#include "bundle/manifest.h"
#include "bundle/reader.h"
#include "crypto/age.h"
#include "http/channel.h"
#include "http/error_text.h"
#include "http/listener.h"
#include "http/routes.h"
#include "http/target.h"
#include "http/wire.h"

namespace spl::http {
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

}  // namespace

// One connection, and a request and its answer on it.
class DaemonClient::Call {
 public:
  Call(Descriptor socket, env::Env env)
      : channel_(std::move(socket), env.clock, nullptr), wire_(channel_, env.clock, times()) {}

  // Makes every wait end when the progress says so.
  void watch(instance::Progress& progress) {
    channel_.set_watch([&progress] { return progress.cancelled(); });
  }
  void unwatch() { channel_.set_watch({}); }

  Result<void> send(std::string_view method, std::string_view target, Fields fields, std::string_view body) {
    fields.emplace_back("content-length", std::to_string(body.size()));
    const std::string head = text(method, target, std::move(fields));
    // Where the daemon does not want all of it, it has said why.
    if (!TRY(channel_.write_unless_answered({head, body}))) return {};
    return {};
  }

  // A body of unknown length. Ends early where the daemon answers before.
  Result<void> send_stream(std::string_view target, Fields fields, Source& in, std::string_view phase,
                           instance::Progress& progress) {
    fields.emplace_back("transfer-encoding", "chunked");
    TRY(channel_.write_all({text("POST", target, std::move(fields))}));
    const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
    std::uint64_t sent_bytes = 0;
    for (;;) {
      const std::size_t n = TRY(base::read_full(in, {piece.get(), kPieceBytes}));
      if (progress.cancelled()) return fail("cancelled");
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
  Result<AnswerHead> answer(std::string* failure = nullptr) {
    AnswerHead head = TRY(wire_.read_answer(kAnswerPatience));
    if (head.status < 400) return head;
    std::string text = TRY(content());
    Error error = error_of(head, text);
    if (failure != nullptr) *failure = std::move(text);
    return std::unexpected(std::move(error));
  }
  Result<std::string> content() {
    BodySource body(wire_);
    return base::read_all(body, kAnswerBytesMax);
  }
  [[nodiscard]] Wire& wire() { return wire_; }

 private:
  static WireTimes times() {
    WireTimes times;
    times.head = kAnswerPatience;
    times.body = kPieceTimeout;
    return times;
  }
  static std::string text(std::string_view method, std::string_view target, Fields fields) {
    fields.emplace(fields.begin(), "host", "spl");
    return request_text(method, target, fields);
  }

  Channel channel_;
  Wire wire_;
};

DaemonClient::DaemonClient(env::Env env, instance::HomePaths paths) : env_(env), paths_(std::move(paths)) {}
DaemonClient::DaemonClient(DaemonClient&&) noexcept = default;
DaemonClient::~DaemonClient() = default;

Result<std::optional<DaemonClient>> DaemonClient::connect(env::Env env, const instance::HomePaths& paths) {
  if (!TRY(connect_unix(paths.socket()))) return std::nullopt;
  return std::optional(DaemonClient(env, paths));
}

Result<std::unique_ptr<DaemonClient::Call>> DaemonClient::call() {
  auto socket = TRY(connect_unix(paths_.socket()));
  if (!socket) return fail(ErrorCode::kUnavailable, "the daemon of " + paths_.root + " has ended");
  return std::make_unique<Call>(std::move(*socket), env_);
}

Result<std::string> DaemonClient::ask(std::string_view method, std::string_view target, std::string_view body) {
  const auto made = TRY(call());
  TRY(made->send(method, target, {{"content-type", std::string(kJsonType)}}, body));
  TRY(made->answer());
  return made->content();
}

Result<Json> DaemonClient::ask_json(std::string_view method, std::string_view target, std::string_view body) {
  return TRY_IN("the daemon's answer", Json::parse(TRY(ask(method, target, body))));
}

Result<instance::PutReport> DaemonClient::put_ndjson(Source& in, instance::Progress& progress) {
  const auto made = TRY(call());
  made->watch(progress);
  const Fields fields{{"content-type", "application/x-ndjson"}};
  // What the daemon takes in one piece is sent in one piece.
  std::string beginning = TRY(read_up_to(in, kBatchBytesMax + 1));
  if (beginning.size() <= kBatchBytesMax) {
    TRY(made->send("POST", "/v1/records", fields, beginning));
  } else {
    RejoinedSource whole(beginning, in);
    TRY(made->send_stream("/v1/records", fields, whole, "sending records", progress));
  }
  const AnswerHead head = TRY(made->answer());
  const Json json = TRY(Json::parse(TRY(made->content())));
  const std::string* report_text = find_field(head.fields, kReportField);
  const Json rest = TRY(Json::parse(report_text != nullptr ? *report_text : "{}"));
  const auto number = [](const Json& object, std::string_view name) -> Result<std::uint64_t> {
    const Json* member = object.find(name);
    if (member == nullptr) return fail("the daemon's answer has no " + std::string(name));
    return member->whole_number();
  };
  return instance::PutReport{TRY(number(json, "inserted")), TRY(number(json, "deduplicated")),
                             TRY(number(rest, "sigs_filled")), TRY(number(rest, "differing"))};
}

Result<RecordId> DaemonClient::put_one(std::string_view json) {
  const Json answer = TRY(ask_json("POST", "/v1/records", json));
  const Json* id = answer.find("id");
  if (id == nullptr || id->string() == nullptr) return fail("the daemon's answer has no id");
  return RecordId::parse(*id->string());
}

Result<instance::Emitted> DaemonClient::emit(const instance::Emission& emission) {
  return parse_emitted(TRY(ask_json("POST", "/v1/local/emit", emission_json(emission).text())));
}

Result<std::vector<RecordId>> DaemonClient::endorse(const std::vector<RecordId>& ids) {
  return parse_ids(TRY(ask_json("POST", "/v1/local/endorse", ids_json(ids).text())));
}

Result<bool> DaemonClient::cancel_move() {
  const Json json = TRY(ask_json("POST", "/v1/local/move/cancel", ""));
  const Json* cancelled = json.find("cancelled");
  return cancelled != nullptr && cancelled->boolean() != nullptr && *cancelled->boolean();
}

Result<instance::IdentitySummary> DaemonClient::generate_identity() {
  return parse_identity(TRY(ask_json("POST", "/v1/local/identity/generate", "")));
}

Result<substrate::ServiceAccount> DaemonClient::create_account(const substrate::ServiceAccount& account) {
  return parse_account(TRY(ask_json("POST", "/v1/local/accounts", account_json(account).text())));
}

Result<void> DaemonClient::revoke_account(const std::string& name) {
  TRY(ask("POST", "/v1/local/accounts/revoke", Json(Json::Object{{"name", name}}).text()));
  return {};
}

Result<substrate::NewToken> DaemonClient::create_token(const instance::TokenRequest& request) {
  std::string text = TRY(ask("POST", "/v1/local/tokens", token_request_json(request).text()));
  auto made = parse_new_token(text);
  explicit_bzero(text.data(), text.size());
  return made;
}

Result<void> DaemonClient::revoke_token(std::string_view id) {
  TRY(ask("POST", "/v1/local/tokens/revoke", Json(Json::Object{{"id", id}}).text()));
  return {};
}

Result<DaemonStatus> DaemonClient::status() {
  return parse_status(TRY(ask_json("GET", "/v1/local/status", "")));
}

Result<instance::ExportReport> DaemonClient::export_bundle(
    const instance::ExportOptions& options, Sink& out,
    const std::function<void(const instance::ExportReport&)>& on_report, instance::Progress& progress) {
  exported_.reset();
  auto made = TRY(call());
  made->watch(progress);
  std::string request = export_request_text(options);
  const auto sent =
      made->send("POST", "/v1/portability/export",
                 {{"content-type", std::string(kJsonType)}, {std::string(kCommitField), "client"}}, request);
  explicit_bzero(request.data(), request.size());
  if (!sent) return std::unexpected(sent.error());
  const AnswerHead head = TRY(made->answer());
  const std::string* text = find_field(head.fields, kReportField);
  if (text == nullptr) return fail("the daemon's answer has no report");
  auto report = TRY(instance::ExportReport::parse(TRY(Json::parse(*text))));
  if (on_report) on_report(report);
  const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  std::uint64_t received_bytes = 0;
  for (;;) {
    const std::size_t n = TRY(made->wire().read_body({piece.get(), kPieceBytes}));
    if (n == 0) break;
    TRY(out.write({piece.get(), n}));
    received_bytes += n;
    progress.update("receiving the bundle", received_bytes, 0, "bytes");
    if (progress.cancelled()) return fail("cancelled: the bundle is not whole");
  }
  made->unwatch();
  exported_ = std::move(made);
  return report;
}

Result<void> DaemonClient::commit_export() {
  const auto made = std::move(exported_);
  if (!made) return fail("no export waits for its commit");
  TRY(made->send("POST", "/v1/portability/export/commit", {}, ""));
  TRY(made->answer());
  TRY(made->content());
  return {};
}

Result<instance::ImportReport> DaemonClient::import_bundle(Source& in, const instance::ImportOptions& options,
                                                           instance::Progress& progress,
                                                           std::vector<instance::Finding>* findings) {
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
      return fail(ErrorCode::kVerification, "bundle malformed: age: a second layer of encryption");
  }
  std::string target = "/v1/portability/import?dry_run=";
  target += options.dry_run ? "1" : "0";
  if (options.force_overwrite) target += "&force_overwrite=1";
  if (options.adopt_identity) target += "&adopt_identity=1";
  if (options.allow_older) target += "&allow_older=1";
  if (options.expect_did) target += "&expect_did=" + percent_encode(*options.expect_did);
  if (!options.without.empty()) target += "&without=" + percent_encode(base::join(options.without, ","));
  if (opening) target.append("&opened=").append(opening_text(*opening));
  const auto made = TRY(call());
  made->watch(progress);
  TRY(made->send_stream(target, {{"content-type", std::string(kBundleType)}}, *body, "sending the bundle", progress));
  std::string failure;
  const auto answered = made->answer(&failure);
  if (!answered) {
    const auto json = Json::parse(failure);
    const Json* preflight = json ? json->find("preflight") : nullptr;
    if (preflight != nullptr && findings != nullptr) *findings = TRY(instance::parse_findings(*preflight));
    return std::unexpected(answered.error());
  }
  auto report = TRY(instance::ImportReport::parse(TRY(Json::parse(TRY(made->content())))));
  if (findings != nullptr) *findings = report.preflight;
  return report;
}

}  // namespace spl::http
