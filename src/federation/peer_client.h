// Asking another instance: its manifest, and signed requests whose answers must be signed by the DID that is expected.
// One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "base/result.h"
#include "federation/documents.h"
#include "http/client.h"
#include "http/tls.h"
#include "instance/instance.h"

namespace spl::federation {

inline constexpr std::size_t kControlAnswerBytesMax = 256u << 10;

// How this instance goes out to others.
class Outgoing {
 public:
  enum class Localhost : bool { kVerified, kInsecure };
  // With the certificates of config.toml. `insecure` has those of peers on loopback not verified.
  static Result<Outgoing> make(instance::Instance& instance, Localhost insecure, base::Progress& progress);

  // An open connection. Plain HTTP is for loopback alone. Code kUsage for what is no address, else kUnavailable.
  Result<std::unique_ptr<http::Client>> connect(const std::string& base_url) const;
  [[nodiscard]] instance::Instance& instance() const { return *instance_; }
  [[nodiscard]] base::Progress& progress() const { return *progress_; }

  // The manifest of whoever is there.
  Result<Manifest> manifest_at(const std::string& base_url) const;
  // The text of the newest announcement of `did` that the instance at `base_url` knows; nothing where it knows none.
  Result<std::optional<std::string>> directory_entry(const std::string& base_url, std::string_view did) const;

 private:
  Outgoing(instance::Instance& instance, base::Progress& progress) : instance_(&instance), progress_(&progress) {}
  instance::Instance* instance_;
  base::Progress* progress_;
  std::unique_ptr<http::TlsContext> tls_;
  std::unique_ptr<http::TlsContext> insecure_tls_;  // for loopback; null: none
};

class PeerClient {
 public:
  // `did` is who is expected at `base_url`.
  PeerClient(const Outgoing& outgoing, std::string base_url, std::string did)
      : outgoing_(outgoing), base_url_(std::move(base_url)), did_(std::move(did)) {}

  // A good answer's content. Where the peer itself says no: its error, with the cause that it names where that is one
  // of pairs and instances, and the code kUnavailable or kRefused. Where nobody answers, or somebody who has not the
  // peer's key: cause kPeerLost.
  Result<std::string> ask(std::string_view method, const std::string& target, const std::string& content,
                          std::size_t content_bytes_max = kControlAnswerBytesMax);
  // What the peer answered when it said no the last time.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  [[nodiscard]] const std::string& base_url() const { return base_url_; }
  [[nodiscard]] const std::string& did() const { return did_; }

 private:
  Result<std::string> asked(std::string_view method, const std::string& target, const std::string& content,
                            std::size_t content_bytes_max);
  const Outgoing& outgoing_;
  std::string base_url_;
  std::string did_;
  std::unique_ptr<http::Client> client_;
  std::string refusal_;
};

}  // namespace spl::federation
