#include "federation/peer_client.h"

#include <algorithm>
#include <array>

#include "base/cause.h"
#include "base/encoding.h"
#include "federation/seal.h"
#include "federation/whereabouts.h"
#include "http/target.h"
#include "substrate/body_members.h"

namespace spl::federation {
namespace {

// What a peer may say of itself that changes what is done here.
constexpr std::array kPeersCauses{Cause::kUnpairedPeer, Cause::kPairPaused, Cause::kPairRevoked,
                                  Cause::kPairRejected, Cause::kMoved,      Cause::kNonceUsed};

// Its error, told of it.
std::unexpected<Error> peers_error(const std::string& did, int status, const std::string& content) {
  const auto parsed = codec::Json::parse(content);
  const codec::Json json = parsed ? *parsed : codec::Json();
  const std::string message = base::escaped(substrate::text_in(json, "message"), 300);
  Cause cause = base::cause_of_word(substrate::text_in(json, "code"));
  if (std::ranges::find(kPeersCauses, cause) == kPeersCauses.end()) cause = Cause::kUnspecified;
  const ErrorCode code =
      cause == Cause::kUnspecified || cause == Cause::kMoved ? ErrorCode::kUnavailable : ErrorCode::kRefused;
  return fail(code, cause,
              "peer " + did + " answered " + std::to_string(status) + (message.empty() ? "" : ": " + message));
}

std::unexpected<Error> lost(const std::string& did, const std::string& base_url, const Error& why) {
  if (why.cause == Cause::kCancelled) return std::unexpected(why);
  return fail(
      ErrorCode::kUnavailable, Cause::kPeerLost,
      "peer " + did + " does not answer at " + (base_url.empty() ? "any known address" : base_url) + ": " + why.message,
      "spl federation refresh " + did + " looks for it anew");
}

}  // namespace

Result<Outgoing> Outgoing::make(instance::Instance& instance, Localhost insecure, base::Progress& progress) {
  Outgoing outgoing(instance, progress);
  const std::string& given = instance.given_ca_file();
  outgoing.tls_ = TRY(http::TlsContext::for_client(given.empty() ? TRY(instance.config()).ca_file : given));
  if (insecure == Localhost::kInsecure) outgoing.insecure_tls_ = http::TlsContext::for_insecure_client();
  return outgoing;
}

Result<std::unique_ptr<http::Client>> Outgoing::connect(const std::string& base_url) const {
  const http::Url url = TRY(http::Url::parse(base_url));
  if (!url.is_tls && !url.is_loopback())
    return fail(ErrorCode::kUsage, url.text() + " is plain HTTP, which is for loopback alone",
                "use https://: spl serve --tls-cert F --tls-key F");
  const bool is_insecure = insecure_tls_ != nullptr && url.is_loopback();
  return http::Client::connect(instance_->env(), url, is_insecure ? *insecure_tls_ : *tls_, *progress_);
}

Result<Manifest> Outgoing::manifest_at(const std::string& base_url) const {
  const auto client = TRY(connect(base_url));
  const http::Answer answer = TRY(client->ask("GET", std::string(kWellKnownPath), {}, "", kDocumentBytesMax));
  if (answer.status != 200)
    return fail(ErrorCode::kUnavailable,
                client->url().text() + " serves no manifest: it answered " + std::to_string(answer.status),
                "is it the address of an instance?");
  const auto json = codec::Json::parse(answer.content);
  if (json && json->object() != nullptr && json->find("signature") == nullptr)
    return fail(ErrorCode::kUnavailable, "the instance at " + client->url().text() + " has no identity yet",
                "spl identity generate, there, makes one");
  return TRY_IN(client->url().text(), verified_manifest(answer.content, instance_->env().clock.now()));
}

Result<std::optional<std::string>> Outgoing::directory_entry(const std::string& base_url, std::string_view did) const {
  const auto client = TRY(connect(base_url));
  const std::string target = std::string(kDirectoryPath) + http::percent_encode(did);
  http::Answer answer = TRY(client->ask("GET", target, {}, "", kDocumentBytesMax));
  if (answer.status == 404) return std::nullopt;
  if (answer.status != 200)
    return fail(ErrorCode::kUnavailable, client->url().text() + " answered " + std::to_string(answer.status));
  return std::move(answer.content);
}

Result<std::string> PeerClient::ask(std::string_view method, const std::string& target, const std::string& content,
                                    std::size_t content_bytes_max) {
  // A connection that was kept may have been closed meanwhile; each attempt is a request of its own.
  const bool was_kept = client_ != nullptr && client_->is_open();
  auto answer = asked(method, target, content, content_bytes_max);
  if (!answer && was_kept && answer.error().cause == Cause::kPeerLost)
    answer = asked(method, target, content, content_bytes_max);
  return answer;
}

Result<std::string> PeerClient::asked(std::string_view method, const std::string& target, const std::string& content,
                                      std::size_t content_bytes_max) {
  const auto identity = outgoing_.instance().identity();
  if (!identity) return std::unexpected(outgoing_.instance().no_identity());
  if (client_ == nullptr || !client_->is_open()) {
    client_.reset();
    if (base_url_.empty()) return lost(did_, base_url_, Error{ErrorCode::kUnavailable, "it has told none", ""});
    auto connected = outgoing_.connect(base_url_);
    if (!connected) return lost(did_, base_url_, connected.error());
    client_ = std::move(*connected);
  }
  SealedRequest sealed =
      seal_request({std::string(method), target, content}, *identity, did_, outgoing_.instance().env());
  if (!content.empty()) sealed.fields.emplace_back("content-type", "application/json");
  auto answer = client_->ask(method, target, sealed.fields, content, content_bytes_max);
  if (!answer) {
    client_.reset();
    return lost(did_, base_url_, answer.error());
  }
  const auto signed_by_peer = check_answer(*answer, did_, identity->did, sealed.nonce);
  if (!signed_by_peer) {
    client_.reset();
    Error why = signed_by_peer.error();
    if (answer->status >= 400) why.message += " (status " + std::to_string(answer->status) + ")";
    return lost(did_, base_url_, why);
  }
  if (answer->status >= 400) {
    refusal_ = std::move(answer->content);
    return peers_error(did_, answer->status, refusal_);
  }
  return std::move(answer->content);
}

}  // namespace spl::federation
