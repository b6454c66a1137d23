// Errors as values. Every function that can fail for a reason outside the program returns Result<T>; a programmer's
// mistake ends the process through SPL_CHECK (check.h). Any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace spl::base {

// What the caller can do about it. The numbers are the program's exit codes (`spl --help`).
enum class ErrorCode : std::uint8_t {
  kFailed = 1,        // it was tried and did not work
  kUsage = 2,         // the request itself is wrong
  kRefused = 3,       // a safety gate; nothing changed
  kVerification = 4,  // signature, digest, malformed bundle; nothing changed
  kStop = 5,          // pre-flight found a stop; nothing changed
  kUnavailable = 6,   // a peer, a service or a tool is not there
  kDiffers = 7,       // two things that were compared are not the same
};

// Why, for whoever must react to one kind of failure and not to another: nobody reads the text of an error. Each has a
// stable word (cause.h).
enum class Cause : std::uint8_t {
  kUnspecified,  // the code says all there is to say
  kCancelled,    // the user, or nobody who waits for it any more
  kNoSpace,
  kNoSpoolSpace,  // of the place where a body waits: another can be named
  kSpool,         // anything else that is wrong with that place
  kNoMemory,
  kNotFound,    // a record, a thread, an account: what was asked for
  kNoSuchFile,  // of a path
  kFileExists,  // something is in the way
  kDenied,      // owner or mode
  kReadOnly,
  kMalformed,     // a bundle that is not as its format says
  kNotABundle,    // some other file
  kSignature,     // of a bundle
  kNewerVersion,  // than this program
  kKeyNeeded,     // an encrypted bundle, and no key that opens it
  kNoInstance,
  kNoIdentity,
  kIdentityExists,
  kStoreNotEmpty,
  kStoreDamaged,
  kStoreReplaced,  // the file that is open is no longer the one at its path
  kMoved,          // the instance has left with spl export --move
  kUnknownSigner,
  kLocked,  // another process works on it
  kDaemonRuns,
  kDaemonGone,
  kCursorGone,
  kTimeout,
  kTooLarge,
  kAuthRequired,
  kAuthInvalid,
  kScopeForbidden,
  kActorForbidden,
  kMethodNotAllowed,
  kUnsupportedMedia,
  kNotImplemented,
  kNonceUsed,     // a signed request that was sent before
  kUnpairedPeer,  // a peer that this instance has no pair with, or that says so
  kPairPaused,
  kPairRevoked,
  kPairRejected,    // its owner has said no
  kTwoCopies,       // a peer lives twice
  kPeerLost,        // at its last address there is nobody, or somebody else, and nobody knows a newer one
  kRetired,         // the identity has ended
  kRuleDenied,      // a permission rule, or that none allows it
  kPeerMisbehaves,  // its answers are not what they should be
  kUnclaimed,       // the owner's door has no owner yet
  kClaimed,         // it has one already
  kProofRequired,   // the session is to show its password again
  kCrossOrigin,     // a request that another origin's page made
  kMisdirected,     // a host that is not this instance's
  kTryLater,        // too many failures from there
  kPlanChanged,     // what was confirmed is not what would be done now
  kBusy,            // too many wait already
  kInterrupted,     // a restart cut it off
};

struct Error {
  ErrorCode code = ErrorCode::kFailed;
  std::string message;  // one sentence without a full stop: what failed, on what, why
  std::string hint;     // what to do about it; may be empty
  Cause cause = Cause::kUnspecified;
  std::string reason = {};  // the "why" of the message alone, where it is known: for who tells it of another thing

  // Names the thing that was being worked on, on the way up: "<what>: <message>".
  [[nodiscard]] Error in(std::string_view what) &&;
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

// Secrets (secrets.h) in the texts are not shown, whoever wrote them there.
[[nodiscard]] std::unexpected<Error> fail(ErrorCode code, Cause cause, std::string message, std::string hint = {});
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return fail(code, Cause::kUnspecified, std::move(message), std::move(hint));
}
[[nodiscard]] inline std::unexpected<Error> fail(Cause cause, std::string message, std::string hint = {}) {
  return fail(ErrorCode::kFailed, cause, std::move(message), std::move(hint));
}
[[nodiscard]] inline std::unexpected<Error> fail(std::string message, std::string hint = {}) {
  return fail(ErrorCode::kFailed, std::move(message), std::move(hint));
}
// "<what>: <the system's text for errno_value>"; those that a user can do something about get a hint and a cause.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view what, int errno_value);
// The end of what somebody asked to end: "interrupted: <what_remains>".
[[nodiscard]] std::unexpected<Error> fail_cancelled(std::string_view what_remains);
// The same failure told of another thing: "<what>: <the reason>".
[[nodiscard]] std::unexpected<Error> told_of(std::string_view what, Error error);

}  // namespace spl::base

namespace spl {
using base::Cause;
using base::Error;
using base::ErrorCode;
using base::fail;
using base::Result;
}  // namespace spl

// The value of a Result, or return its error from the calling function. To be used where nothing that needs a
// destructor was built before it in the same expression: not beside other members in braces, not after a temporary
// among a call's arguments. GCC 12 does not destroy those when it returns.
#define TRY(...) SPL_TRY_IMPL(SPL_TRY_NAME(__COUNTER__), , __VA_ARGS__)
// The same, with the name of what was worked on put before the message.
#define TRY_IN(what, ...) SPL_TRY_IMPL(SPL_TRY_NAME(__COUNTER__), .in(what), __VA_ARGS__)

// A GNU statement expression, with a name of its own at each use.
#define SPL_TRY_IMPL(result, in_what, ...)                                  \
  ({                                                                        \
    auto result = (__VA_ARGS__);                                            \
    if (!result) return std::unexpected(std::move(result).error() in_what); \
    std::move(result).value();                                              \
  })
#define SPL_TRY_NAME(counter) SPL_TRY_PASTE(try_result_, counter)
#define SPL_TRY_PASTE(name, counter) name##counter
