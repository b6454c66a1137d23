// did:key for Ed25519 (W3C did:key method v0.7): "did:key:" and a multibase, which is "z" and the
// base58btc of the octets ed 01 (multicodec ed25519-pub) and the key. One text for one key. Any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/ed25519.h"

namespace spl::crypto {

std::string did_of(const PublicKey& key);        // did:key:z6Mk...
std::string multibase_of(const PublicKey& key);  // z6Mk...

// Code kVerification for anything that did_of or multibase_of would not write, and for keys that
// parse_public_key refuses. No fragment, no other key type.
Result<PublicKey> parse_did_key(std::string_view did);
Result<PublicKey> parse_multibase(std::string_view text);

}  // namespace spl::crypto
