// TLS 1.2 and newer over a non-blocking socket. A TlsContext may be used by any thread, a TlsSession by one at a time.
// Source: OpenSSL 3's manual, ssl(7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace spl::http {

class TlsContext {
 public:
  // Certificate chain and key in PEM, as --tls-cert and --tls-key name them. Code kUsage where they cannot be read or
  // do not belong together. Symbolic links are followed: that is how certificates are renewed.
  static Result<std::unique_ptr<TlsContext>> for_server(const std::string& certificate_file,
                                                        const std::string& key_file);
  // Trusts the certificates of `ca_file`, or the machine's where it is empty.
  static Result<std::unique_ptr<TlsContext>> for_client(const std::string& ca_file);

  // Believes any certificate: for peers on this machine's loopback alone.
  static std::unique_ptr<TlsContext> for_insecure_client();

  [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

class TlsSession {
 public:
  enum class Step : std::uint8_t { kDone, kWantRead, kWantWrite, kEnded, kFailed };

  // `socket` stays the caller's.
  static Result<TlsSession> for_server(const TlsContext& context, int socket);
  static Result<TlsSession> for_client(const TlsContext& context, int socket, const std::string& host);

  Step handshake();
  Step read(std::span<char> out, std::size_t& count);
  Step write(std::string_view octets, std::size_t& count);
  // Sends the notice of the end, if it can be sent at once.
  void end_writing();
  // Decrypted octets wait to be read.
  [[nodiscard]] bool has_pending() const;
  // What went wrong in the last step that failed, for people.
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  struct Free {
    void operator()(ssl_st* session) const;
  };
  explicit TlsSession(ssl_st* session) : session_(session) {}
  static Result<TlsSession> make(const TlsContext& context, int socket);
  Step step_of(int outcome);

  std::unique_ptr<ssl_st, Free> session_;
  std::string why_;
};

}  // namespace spl::http
