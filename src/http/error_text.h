// Errors as they travel: {"object":"error","code","message","hint"}, with the exit code's number in a header field, so
// that the client has the same Error that the server had. Pure; any thread.
#pragma once

#include <string_view>

#include "base/result.h"
#include "codec/json.h"
#include "http/message.h"

namespace spl::http {

// What an error is called on the wire.
struct Verdict {
  int status = 500;
  std::string_view code = "INTERNAL";
};
namespace verdict {
inline constexpr Verdict kNotFound{404, "NOT_FOUND"};
inline constexpr Verdict kMethodNotAllowed{405, "METHOD_NOT_ALLOWED"};
inline constexpr Verdict kAuthRequired{401, "AUTH_REQUIRED"};
inline constexpr Verdict kAuthInvalid{401, "AUTH_INVALID"};
inline constexpr Verdict kScopeForbidden{403, "SCOPE_FORBIDDEN"};
inline constexpr Verdict kActorForbidden{403, "ACTOR_FORBIDDEN"};
inline constexpr Verdict kInvalidRequest{400, "INVALID_REQUEST"};
inline constexpr Verdict kTimeout{408, "TIMEOUT"};
inline constexpr Verdict kCursorGone{410, "CURSOR_GONE"};
inline constexpr Verdict kTooLarge{413, "TOO_LARGE"};
inline constexpr Verdict kUnsupportedMedia{415, "UNSUPPORTED_MEDIA_TYPE"};
inline constexpr Verdict kHeadTooLarge{431, "TOO_LARGE"};
inline constexpr Verdict kNotImplemented{501, "NOT_IMPLEMENTED"};
inline constexpr Verdict kUnavailable{503, "UNAVAILABLE"};
}  // namespace verdict

// What an error is called where nobody says more.
Verdict verdict_of(ErrorCode code);
codec::Json error_json(const Verdict& verdict, const Error& error);
// The error that an answer of 400 and above carries.
Error error_of(const AnswerHead& head, std::string_view body);

}  // namespace spl::http
