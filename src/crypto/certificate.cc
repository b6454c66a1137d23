#include "crypto/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <optional>

#include "crypto/sha256.h"

namespace spl::crypto {
namespace {

using std::chrono::system_clock;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

constexpr std::size_t kSerialBytes = 16;
// What no stranger can have a claim to: RFC 1918, RFC 3927, RFC 4193, RFC 4291, loopback.
constexpr std::array kPrivateNetworks{"127.0.0.0/255.0.0.0",     "10.0.0.0/255.0.0.0",
                                      "172.16.0.0/255.240.0.0",  "192.168.0.0/255.255.0.0",
                                      "169.254.0.0/255.255.0.0", "::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                                      "fc00::/fe00::",           "fe80::/ffc0::"};

std::unexpected<Error> lacks() {
  return fail("OpenSSL cannot make a certificate");
}

// 4 or 6; 0 for a host's name.
int address_version(const std::string& name) {
  in6_addr address{};
  if (::inet_pton(AF_INET, name.c_str(), &address) == 1) return 4;
  return ::inet_pton(AF_INET6, name.c_str(), &address) == 1 ? 6 : 0;
}

Bio readable(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}
std::string written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}
// Never the terminal's: a key that is locked is none here.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*rwflag*/, void* /*data*/) {
  return -1;
}
Certificate certificate_in(std::string_view pem) {
  return Certificate(PEM_read_bio_X509(readable(pem).get(), nullptr, no_passphrase, nullptr));
}
Key key_in(std::string_view pem) {
  return Key(PEM_read_bio_PrivateKey(readable(pem).get(), nullptr, no_passphrase, nullptr));
}

bool add_extension(X509& certificate, X509& issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += text.empty() ? "" : ",";
    text += (address_version(name) != 0 ? "IP:" : "DNS:") + name;
  }
  return text;
}

std::string constraints(const std::vector<std::string>& names) {
  std::string text = "critical";
  for (const std::string& name : names) {
    const int version = address_version(name);
    text += ",permitted;" +
            (version == 0
                 ? "DNS:" + name
                 : "IP:" + name + (version == 4 ? "/255.255.255.255" : "/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  }
  for (const char* network : kPrivateNetworks) text += std::string(",permitted;IP:") + network;
  return text;
}

// With serial number, times, subject and key; without issuer, extensions and signature.
Certificate blank(const CertificateRequest& request, EVP_PKEY* key) {
  Certificate certificate(X509_new());
  if (!certificate) return nullptr;
  std::array<char, kSerialBytes> serial{};
  request.random(serial);
  // Positive, and of all its octets.
  serial[0] = static_cast<char>((serial[0] & 0x7f) | 0x40);
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), serial.size(), nullptr));
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const auto* common = reinterpret_cast<const unsigned char*>(request.subject.data());
  const bool good =
      number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())) != nullptr &&
      X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
      ASN1_TIME_set(X509_getm_notBefore(certificate.get()), system_clock::to_time_t(request.from)) != nullptr &&
      ASN1_TIME_set(X509_getm_notAfter(certificate.get()), system_clock::to_time_t(request.until)) != nullptr &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, common, static_cast<int>(request.subject.size()), -1,
                                 0) == 1 &&
      X509_set_pubkey(certificate.get(), key) == 1;
  return good ? std::move(certificate) : nullptr;
}

Result<KeyedCertificate> as_text(X509* certificate, EVP_PKEY* key) {
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  const Bio key_text(BIO_new(BIO_s_secmem()));
  if (!certificate_text || !key_text || PEM_write_bio_X509(certificate_text.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return lacks();
  char* data = nullptr;
  const long size = BIO_get_mem_data(key_text.get(), &data);
  if (size <= 0) return lacks();
  return KeyedCertificate{SecretBytes({data, static_cast<std::size_t>(size)}), written(certificate_text.get())};
}

}  // namespace

Result<KeyedCertificate> make_authority(const CertificateRequest& request) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = key ? blank(request, key.get()) : nullptr;
  if (!certificate) return lacks();
  X509& itself = *certificate;
  const bool good = X509_set_issuer_name(&itself, X509_get_subject_name(&itself)) == 1 &&
                    add_extension(itself, itself, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(itself, itself, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(itself, itself, NID_subject_key_identifier, "hash") &&
                    add_extension(itself, itself, NID_name_constraints, constraints(request.names)) &&
                    X509_sign(&itself, key.get(), EVP_sha256()) > 0;
  if (!good) return lacks();
  return as_text(certificate.get(), key.get());
}

Result<KeyedCertificate> issue_certificate(const KeyedCertificate& authority, const CertificateRequest& request) {
  const Certificate issuer = certificate_in(authority.certificate);
  const Key issuer_key = key_in(authority.key.reveal());
  if (!issuer || !issuer_key) return fail(ErrorCode::kUsage, "the authority's certificate or key cannot be read");
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = key ? blank(request, key.get()) : nullptr;
  if (!certificate) return lacks();
  const bool good = X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get())) == 1 &&
                    add_extension(*certificate, *issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(*certificate, *issuer, NID_key_usage, "critical,digitalSignature") &&
                    add_extension(*certificate, *issuer, NID_ext_key_usage, "serverAuth") &&
                    add_extension(*certificate, *issuer, NID_subject_key_identifier, "hash") &&
                    add_extension(*certificate, *issuer, NID_authority_key_identifier, "keyid:always") &&
                    add_extension(*certificate, *issuer, NID_subject_alt_name, alternative_names(request.names)) &&
                    X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()) > 0;
  if (!good) return lacks();
  return as_text(certificate.get(), key.get());
}

Result<CertificateFacts> certificate_facts(std::string_view pem) {
  const Certificate certificate = certificate_in(pem);
  if (!certificate) return fail(ErrorCode::kUsage, "this is no certificate in PEM form");
  CertificateFacts facts;
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1)
    return fail(ErrorCode::kUsage, "the certificate's end is no time");
  facts.until = system_clock::from_time_t(::timegm(&end));
  std::tm begin{};
  if (ASN1_TIME_to_tm(X509_get0_notBefore(certificate.get()), &begin) != 1)
    return fail(ErrorCode::kUsage, "the certificate has no beginning");
  facts.from = system_clock::from_time_t(::timegm(&begin));
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  if (size <= 0) return lacks();
  facts.sha256 = sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  const Names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    const ASN1_STRING* text = name->type == GEN_DNS     ? name->d.dNSName
                              : name->type == GEN_IPADD ? name->d.iPAddress
                                                        : nullptr;
    if (text == nullptr) continue;
    const unsigned char* data = ASN1_STRING_get0_data(text);
    const int length = ASN1_STRING_length(text);
    std::array<char, INET6_ADDRSTRLEN> address{};
    if (name->type == GEN_DNS) {
      facts.names.emplace_back(reinterpret_cast<const char*>(data), static_cast<std::size_t>(length));
    } else if ((length == 4 || length == 16) &&
               ::inet_ntop(length == 4 ? AF_INET : AF_INET6, data, address.data(), address.size()) != nullptr) {
      facts.names.emplace_back(address.data());
    }
  }
  return facts;
}

bool is_key_of(std::string_view certificate_pem, std::string_view key_pem) {
  const Certificate certificate = certificate_in(certificate_pem);
  const Key key = key_in(key_pem);
  return certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
}

}  // namespace spl::crypto
