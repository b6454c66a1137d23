// The W3C DID document of a did:key, as identity/did_document.json holds it: made from the key alone. Pure; any thread.
// Source: https://www.w3.org/TR/did-core/, Ed25519VerificationKey2020 of
// https://w3id.org/security/suites/ed25519-2020/v1.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/ed25519.h"

namespace spl::record {

inline constexpr std::size_t kDidDocumentBytesMax = 64u << 10;

// The same octets for the same key, always.
std::string did_document_text(const crypto::PublicKey& key);
// The key of a document that has exactly one Ed25519VerificationKey2020 and names the key's DID as its id. The messages
// are rules; code kVerification.
Result<crypto::PublicKey> parse_did_document(std::string_view text);

}  // namespace spl::record
