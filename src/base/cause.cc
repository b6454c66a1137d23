#include "base/cause.h"

#include <algorithm>
#include <array>
#include <utility>

namespace spl::base {
namespace {

constexpr std::array kWords{
    std::pair{Cause::kCancelled, "CANCELLED"},
    std::pair{Cause::kNoSpace, "NO_SPACE"},
    std::pair{Cause::kNoSpoolSpace, "NO_SPOOL_SPACE"},
    std::pair{Cause::kSpool, "SPOOL_FAILED"},
    std::pair{Cause::kNoMemory, "NO_MEMORY"},
    std::pair{Cause::kNotFound, "NOT_FOUND"},
    std::pair{Cause::kNoSuchFile, "NO_SUCH_FILE"},
    std::pair{Cause::kFileExists, "FILE_EXISTS"},
    std::pair{Cause::kDenied, "PERMISSION_DENIED"},
    std::pair{Cause::kReadOnly, "READ_ONLY"},
    std::pair{Cause::kMalformed, "BUNDLE_MALFORMED"},
    std::pair{Cause::kNotABundle, "NOT_A_BUNDLE"},
    std::pair{Cause::kSignature, "SIGNATURE_INVALID"},
    std::pair{Cause::kNewerVersion, "VERSION_TOO_NEW"},
    std::pair{Cause::kKeyNeeded, "KEY_REQUIRED"},
    std::pair{Cause::kNoInstance, "NO_INSTANCE"},
    std::pair{Cause::kNoIdentity, "NO_IDENTITY"},
    std::pair{Cause::kIdentityExists, "IDENTITY_EXISTS"},
    std::pair{Cause::kStoreNotEmpty, "STORE_NOT_EMPTY"},
    std::pair{Cause::kStoreDamaged, "STORE_DAMAGED"},
    std::pair{Cause::kStoreReplaced, "STORE_REPLACED"},
    std::pair{Cause::kMoved, "INSTANCE_MOVED"},
    std::pair{Cause::kUnknownSigner, "UNKNOWN_SIGNER"},
    std::pair{Cause::kLocked, "LOCKED"},
    std::pair{Cause::kDaemonRuns, "DAEMON_RUNS"},
    std::pair{Cause::kDaemonGone, "DAEMON_GONE"},
    std::pair{Cause::kCursorGone, "CURSOR_GONE"},
    std::pair{Cause::kTimeout, "TIMEOUT"},
    std::pair{Cause::kTooLarge, "TOO_LARGE"},
    std::pair{Cause::kAuthRequired, "AUTH_REQUIRED"},
    std::pair{Cause::kAuthInvalid, "AUTH_INVALID"},
    std::pair{Cause::kScopeForbidden, "SCOPE_FORBIDDEN"},
    std::pair{Cause::kActorForbidden, "ACTOR_FORBIDDEN"},
    std::pair{Cause::kMethodNotAllowed, "METHOD_NOT_ALLOWED"},
    std::pair{Cause::kUnsupportedMedia, "UNSUPPORTED_MEDIA_TYPE"},
    std::pair{Cause::kNotImplemented, "NOT_IMPLEMENTED"},
    std::pair{Cause::kNonceUsed, "NONCE_USED"},
    std::pair{Cause::kUnpairedPeer, "UNPAIRED_PEER"},
    std::pair{Cause::kPairPaused, "PAIR_PAUSED"},
    std::pair{Cause::kPairRevoked, "PAIR_REVOKED"},
    std::pair{Cause::kPairRejected, "PAIR_REJECTED"},
    std::pair{Cause::kTwoCopies, "TWO_COPIES"},
    std::pair{Cause::kPeerLost, "PEER_LOST"},
    std::pair{Cause::kRetired, "IDENTITY_RETIRED"},
    std::pair{Cause::kRuleDenied, "RULE_DENIED"},
    std::pair{Cause::kPeerMisbehaves, "PEER_MISBEHAVES"},
    std::pair{Cause::kUnclaimed, "UNCLAIMED"},
    std::pair{Cause::kClaimed, "CLAIMED"},
    std::pair{Cause::kProofRequired, "PROOF_REQUIRED"},
    std::pair{Cause::kCrossOrigin, "CROSS_ORIGIN"},
    std::pair{Cause::kMisdirected, "MISDIRECTED"},
    std::pair{Cause::kTryLater, "TRY_LATER"},
    std::pair{Cause::kPlanChanged, "PLAN_CHANGED"},
    std::pair{Cause::kBusy, "BUSY"},
    std::pair{Cause::kInterrupted, "INTERRUPTED"},
};

constexpr std::array kCodeWords{
    std::pair{ErrorCode::kFailed, "FAILED"},       std::pair{ErrorCode::kUsage, "INVALID_REQUEST"},
    std::pair{ErrorCode::kRefused, "REFUSED"},     std::pair{ErrorCode::kVerification, "VERIFICATION_FAILED"},
    std::pair{ErrorCode::kStop, "PREFLIGHT_STOP"}, std::pair{ErrorCode::kUnavailable, "UNAVAILABLE"},
    std::pair{ErrorCode::kDiffers, "DIFFERS"},
};

}  // namespace

std::string_view word_of(const Error& error) {
  for (const auto& [cause, word] : kWords) {
    if (cause == error.cause) return word;
  }
  for (const auto& [code, word] : kCodeWords) {
    if (code == error.code) return word;
  }
  return kCodeWords.front().second;
}

Cause cause_of_word(std::string_view word) {
  for (const auto& [cause, known] : kWords) {
    if (word == known) return cause;
  }
  return Cause::kUnspecified;
}

bool cannot_be_written(const Error& error) {
  return error.cause == Cause::kNoSpace || error.cause == Cause::kReadOnly || error.cause == Cause::kDenied;
}

const std::vector<std::string_view>& error_words() {
  static const std::vector<std::string_view> kAll = [] {
    std::vector<std::string_view> words;
    for (const auto& [cause, word] : kWords) words.emplace_back(word);
    for (const auto& [code, word] : kCodeWords) words.emplace_back(word);
    std::ranges::sort(words);
    return words;
  }();
  return kAll;
}

}  // namespace spl::base
