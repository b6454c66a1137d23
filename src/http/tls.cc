#include "http/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/check.h"

namespace spl::http {
namespace {

std::string last_error() {
  char text[256];
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "connection reset";
  const char* reason = ERR_reason_error_string(code);
  if (reason != nullptr) return reason;
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

// OpenSSL's own socket BIO raises SIGPIPE; this one does not. The descriptor is kept in the BIO's data pointer.
int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int bio_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const auto n = ::send(socket_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int bio_read(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const auto n = ::recv(socket_of(bio), data, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(n);
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* bio_method() {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "spl socket");
    SPL_CHECK(method != nullptr);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
  }();
  return kMethod;
}

// Instead of OpenSSL's own, which asks on the terminal and waits. `asked` is a bool.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

ssl_ctx_st* new_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  SPL_CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Of TLS 1.2: what is known to no later thief of the key, and has no padding to ask about.
  SPL_CHECK(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

std::unexpected<Error> unusable(const char* what, const std::string& file) {
  return fail(ErrorCode::kUsage, std::string(what) + " " + file + ": " + last_error(), "a PEM file is wanted");
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

void TlsSession::Free::operator()(ssl_st* session) const {
  SSL_free(session);
}

Result<std::unique_ptr<TlsContext>> TlsContext::for_server(const std::string& certificate_file,
                                                           const std::string& key_file) {
  ERR_clear_error();
  std::unique_ptr<TlsContext> made(new TlsContext(new_context(TLS_server_method())));
  bool wants_passphrase = false;
  SSL_CTX_set_default_passwd_cb(made->native(), no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(made->native(), &wants_passphrase);
  if (SSL_CTX_use_certificate_chain_file(made->native(), certificate_file.c_str()) != 1)
    return unusable("certificate", certificate_file);
  const bool read = SSL_CTX_use_PrivateKey_file(made->native(), key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  // It points to what ends here. Nothing is read with the context any more.
  SSL_CTX_set_default_passwd_cb_userdata(made->native(), nullptr);
  if (wants_passphrase)
    return fail(ErrorCode::kUsage, "key " + key_file + " is encrypted, and a daemon has nobody to ask",
                "give a key without a passphrase: openssl pkey -in " + key_file + " -out KEY");
  // OpenSSL compares a key with the certificate of its kind while it reads it.
  const bool fits = read ? SSL_CTX_check_private_key(made->native()) == 1
                         : ERR_GET_REASON(ERR_peek_last_error()) != X509_R_KEY_VALUES_MISMATCH;
  if (!fits)
    return fail(ErrorCode::kUsage, "key " + key_file + " does not belong to certificate " + certificate_file,
                "give the key that the certificate was made for");
  if (!read) return unusable("key", key_file);
  return made;
}

Result<std::unique_ptr<TlsContext>> TlsContext::for_client(const std::string& ca_file) {
  ERR_clear_error();
  std::unique_ptr<TlsContext> made(new TlsContext(new_context(TLS_client_method())));
  const int trusted = ca_file.empty() ? SSL_CTX_set_default_verify_paths(made->native())
                                      : SSL_CTX_load_verify_file(made->native(), ca_file.c_str());
  if (trusted != 1) return unusable("certificates to trust", ca_file);
  SSL_CTX_set_verify(made->native(), SSL_VERIFY_PEER, nullptr);
  return made;
}

std::unique_ptr<TlsContext> TlsContext::for_insecure_client() {
  std::unique_ptr<TlsContext> made(new TlsContext(new_context(TLS_client_method())));
  SSL_CTX_set_verify(made->native(), SSL_VERIFY_NONE, nullptr);
  return made;
}

Result<TlsSession> TlsSession::make(const TlsContext& context, int socket) {
  TlsSession made(SSL_new(context.native()));
  BIO* bio = made.session_ ? BIO_new(bio_method()) : nullptr;
  if (bio == nullptr) return fail("cannot begin TLS: " + last_error());
  // The pointer is never followed: it is where a BIO keeps what is its own.
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));  // NOLINT(performance-no-int-to-ptr)
  BIO_set_init(bio, 1);
  SSL_set_bio(made.session_.get(), bio, bio);
  return made;
}

Result<TlsSession> TlsSession::for_server(const TlsContext& context, int socket) {
  TlsSession made = TRY(make(context, socket));
  SSL_set_accept_state(made.session_.get());
  return made;
}

Result<TlsSession> TlsSession::for_client(const TlsContext& context, int socket, const std::string& host) {
  TlsSession made = TRY(make(context, socket));
  SSL* session = made.session_.get();
  SSL_set_connect_state(session);
  in6_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) != 1)
      return fail(ErrorCode::kUsage, host + " is no address");
    return made;
  }
  if (SSL_set1_host(session, host.c_str()) != 1 || SSL_set_tlsext_host_name(session, host.c_str()) != 1)
    return fail(ErrorCode::kUsage, host + " is no host name");
  return made;
}

TlsSession::Step TlsSession::step_of(int outcome) {
  switch (SSL_get_error(session_.get(), outcome)) {
    case SSL_ERROR_NONE:
      return Step::kDone;
    case SSL_ERROR_WANT_READ:
      return Step::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Step::kEnded;
    default: {
      const long verified = SSL_get_verify_result(session_.get());
      why_ = verified == X509_V_OK
                 ? last_error()
                 : std::string("its certificate is not believed: ") + X509_verify_cert_error_string(verified);
      ERR_clear_error();
      return Step::kFailed;
    }
  }
}

TlsSession::Step TlsSession::handshake() {
  ERR_clear_error();
  return step_of(SSL_do_handshake(session_.get()));
}

TlsSession::Step TlsSession::read(std::span<char> out, std::size_t& count) {
  ERR_clear_error();
  return step_of(SSL_read_ex(session_.get(), out.data(), out.size(), &count));
}

TlsSession::Step TlsSession::write(std::string_view octets, std::size_t& count) {
  ERR_clear_error();
  return step_of(SSL_write_ex(session_.get(), octets.data(), octets.size(), &count));
}

void TlsSession::end_writing() {
  ERR_clear_error();
  SSL_shutdown(session_.get());
  ERR_clear_error();
}

bool TlsSession::has_pending() const {
  return SSL_has_pending(session_.get()) == 1;
}

}  // namespace spl::http
