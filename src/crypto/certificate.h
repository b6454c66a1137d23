// X.509 certificates (RFC 5280) of an authority that is one machine's own: it may vouch for that machine's names and
// for private addresses alone. Keys are P-256, by OpenSSL's own generator. Any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/random.h"

namespace spl::crypto {

// What a certificate is for: host names in lower case, or addresses as inet_pton(3) has them.
struct CertificateRequest {
  std::string subject;             // common name, for people
  std::vector<std::string> names;  // at least one
  std::chrono::system_clock::time_point from;
  std::chrono::system_clock::time_point until;
  FillRandom random;  // for the serial number
};

struct KeyedCertificate {
  SecretBytes key;          // PEM, PKCS #8
  std::string certificate;  // PEM
};

// Of an authority that is constrained to the names, what is below them, and private addresses.
Result<KeyedCertificate> make_authority(const CertificateRequest& request);
// Of a server, from that authority.
Result<KeyedCertificate> issue_certificate(const KeyedCertificate& authority, const CertificateRequest& request);

struct CertificateFacts {
  std::vector<std::string> names;
  std::chrono::system_clock::time_point from;
  std::chrono::system_clock::time_point until;
  Digest sha256;  // of its DER, as browsers show it
};
// Of the first certificate in the PEM text. Code kUsage where there is none.
Result<CertificateFacts> certificate_facts(std::string_view pem);
// Whether the key is the certificate's.
bool is_key_of(std::string_view certificate_pem, std::string_view key_pem);

}  // namespace spl::crypto
