// Keys and passphrases: from files and commands that the command line names, or from the terminal. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/session.h"
#include "crypto/age.h"

namespace spl::cli {

// What may open an encrypted bundle.
struct Keys {
  std::vector<crypto::AgeIdentity> identities;
  std::optional<SecretBytes> passphrase;
};

// --age-identity and those of a passphrase that opens.
std::vector<Option> key_options();
// --passphrase, --passphrase-file, --passphrase-command; `what` says what the passphrase does: "opens the bundle".
std::vector<Option> passphrase_options(const std::string& what);
Result<Keys> read_keys(Session& session, const Arguments& arguments);

// The value of a secret: typed unseen where standard input is a terminal, else all of that, but for one newline at the
// end.
Result<SecretBytes> read_secret_value(Session& session, const std::string& name);

// What a passphrase is for. One that closes a bundle must be one that can be typed again: it is refused (code kUsage)
// where it is not UTF-8, has control characters, or where more follows its line. One that opens is taken as it is.
enum class PassphraseFor : bool { kOpening, kClosing };
bool asks_for_passphrase(const Arguments& arguments);
// The passphrase that the line asks for; nothing where it asks for none.
Result<std::optional<SecretBytes>> read_passphrase(Session& session, const Arguments& arguments, PassphraseFor use);

}  // namespace spl::cli
