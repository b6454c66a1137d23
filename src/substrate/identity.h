// The identity of an instance: an Ed25519 key whose did:key is the instance's name, and its files in the home.
//
// The store's setting "did" says which identity is in force; the files follow it. A new one is staged beside the old
// with stage_identity(), comes into force by the commit of the transaction that sets the setting, and is put in place
// by settle_identity(), which every start of a writer runs: so a crash leaves the old identity or the new one, whole.
// docs/decisions/D-05-identity-and-store.md. The functions that write ask for the home's lock; and from stage to settle
// the store's one writer is held, because what another stages meanwhile would pass for a leftover.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "env/env.h"

namespace spl::substrate {

inline constexpr char kIncomingDirectory[] = "incoming";  // of staged files, in the identity's directory

struct Identity {
  crypto::SigningKey key;
  std::string did;
  std::string document;  // did_document.json, as it was made or imported
};

// A new key from the machine's random numbers.
Result<Identity> generate_identity(env::Env env);
// From the files of a bundle or of a home; code kVerification where they do not belong together.
Result<Identity> identity_from(std::string_view seed, std::string_view document);

// The DID of the two files in `directory`, where they are there and belong together, whatever a store says.
std::optional<std::string> did_of_files(env::Env env, const std::string& directory);

// Makes the identity's files durable in <directory>/incoming. What was staged before is settled first for `did_now`,
// the DID in force: it may be the only copy of that key.
Result<void> stage_identity(env::Env env, const std::string& directory, const std::optional<std::string>& did_now,
                            const Identity& identity);
// Puts the files in agreement with `did` (nothing: no identity): a staged identity of this DID takes its place, and the
// one before goes to <directory>/previous/<its DID>/, or <directory>/previous/unreadable-<its SHA-256>/ where it speaks
// of none; a staged one of another DID is dropped. Can be repeated.
Result<void> settle_identity(env::Env env, const std::string& directory, const std::optional<std::string>& did);
// The identity in force, wherever settle_identity would find it. An error where its files are missing or do not fit, or
// the one of reading them.
Result<Identity> load_identity(env::Env env, const std::string& directory, const std::string& did);

}  // namespace spl::substrate
