#include "bundle/opening.h"

#include <algorithm>

#include "base/words.h"

namespace spl::bundle {
namespace {

std::string words(Encryption::Kind kind, const std::string& recipient, std::uint64_t recipients) {
  switch (kind) {
    case Encryption::Kind::kNone:
      return "not encrypted";
    case Encryption::Kind::kPassphrase:
      return "encrypted for a passphrase";
    case Encryption::Kind::kRecipients:
      break;
  }
  if (recipient.empty()) return "encrypted for recipients";
  if (recipients < 2) return "encrypted for " + recipient;
  return "encrypted for " + recipient + " and " + base::counted(recipients - 1, "other");
}

}  // namespace

Opening Opening::of(const crypto::AgeDecryptSource& age) {
  if (!age.recipient()) return {Encryption::Kind::kPassphrase, "", 0};
  return {Encryption::Kind::kRecipients, age.recipient()->text(), age.x25519_stanzas()};
}

bool Opening::fits(const Encryption& encryption) const {
  if (kind != encryption.kind) return false;
  if (!recipient.empty() && std::ranges::find(encryption.recipients, recipient) == encryption.recipients.end())
    return false;
  return recipients == 0 || recipients == encryption.recipients.size();
}

std::string words(const Opening& opening) {
  return words(opening.kind, opening.recipient, opening.recipients);
}

std::string words(const Encryption& encryption) {
  const auto& recipients = encryption.recipients;
  return words(encryption.kind, recipients.empty() ? "" : recipients.front(), recipients.size());
}

}  // namespace spl::bundle
