// Keys and passphrases from files that the command line names. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "crypto/age.h"

namespace spl::cli {

// What may open an encrypted bundle.
struct Keys {
  std::vector<crypto::AgeIdentity> identities;
  std::optional<SecretBytes> passphrase;
};

// --age-identity and --passphrase-file.
std::vector<Option> key_options();
Result<Keys> read_keys(const Arguments& arguments);
// The first line of --passphrase-file, "-" being standard input; nothing where the option is not there.
Result<std::optional<SecretBytes>> read_passphrase(const Arguments& arguments);

}  // namespace spl::cli
