#include "api/error_json.h"

#include <string>

#include "base/cause.h"

namespace spl::api {
namespace {

// 0 where the code decides.
int status_of_cause(Cause cause) {
  switch (cause) {
    case Cause::kAuthRequired:
    case Cause::kAuthInvalid:
      return 401;
    case Cause::kScopeForbidden:
    case Cause::kActorForbidden:
    case Cause::kUnpairedPeer:
    case Cause::kPairPaused:
    case Cause::kPairRevoked:
    case Cause::kPairRejected:
    case Cause::kRetired:
    case Cause::kRuleDenied:
    case Cause::kUnclaimed:
    case Cause::kProofRequired:
    case Cause::kCrossOrigin:
      return 403;
    case Cause::kNotFound:
      return 404;
    case Cause::kMethodNotAllowed:
      return 405;
    case Cause::kTimeout:
      return 408;
    case Cause::kCursorGone:
    case Cause::kNonceUsed:
      return 410;
    case Cause::kTooLarge:
      return 413;
    case Cause::kUnsupportedMedia:
      return 415;
    case Cause::kMisdirected:
      return 421;
    case Cause::kTryLater:
      return 429;
    case Cause::kNotImplemented:
      return 501;
    case Cause::kNoSpace:
    case Cause::kNoSpoolSpace:
      return 507;
    case Cause::kNoMemory:
      return 503;
    default:
      return 0;
  }
}

int status_of_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return 400;
    case ErrorCode::kRefused:
    case ErrorCode::kStop:
    case ErrorCode::kDiffers:
      return 409;
    case ErrorCode::kVerification:
      return 422;
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kFailed:
      break;
  }
  return 500;
}

// What to do about an error that has no hint of its own.
std::string_view hint_of(const Error& error) {
  switch (error.cause) {
    case Cause::kScopeForbidden:
      return "ask the instance's owner for a token with that scope";
    case Cause::kNotFound:
      return "check what is asked for: GET /v1/records and GET /v1/threads list what is here";
    case Cause::kTooLarge:
      return "send less at a time";
    case Cause::kNoSpace:
    case Cause::kNoSpoolSpace:
      return "the instance's owner has to free some disk space; then send it again";
    case Cause::kMalformed:
    case Cause::kSignature:
      return "send the bundle as it was exported";
    default:
      break;
  }
  switch (error.code) {
    case ErrorCode::kUsage:
      return "GET /openapi.json says what is taken";
    case ErrorCode::kUnavailable:
      return "try again later";
    case ErrorCode::kVerification:
      return "send what was signed, unchanged";
    case ErrorCode::kRefused:
    case ErrorCode::kStop:
      return "nothing was changed: mend what the message names, or ask the instance's owner";
    default:
      return "ask the instance's owner: the daemon's log may say more";
  }
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

}  // namespace

Error told_over_http(Error error) {
  if (error.hint.empty()) error.hint = hint_of(error);
  std::string hint;
  for (std::size_t i = 0; i < error.hint.size();) {
    const bool begins_word = i == 0 || !(is_lower(error.hint[i - 1]) || error.hint[i - 1] == '-');
    const bool is_flag =
        begins_word && error.hint.compare(i, 2, "--") == 0 && i + 2 < error.hint.size() && is_lower(error.hint[i + 2]);
    if (!is_flag) {
      hint.push_back(error.hint[i++]);
      continue;
    }
    for (i += 2; i < error.hint.size() && (is_lower(error.hint[i]) || error.hint[i] == '-'); ++i)
      hint.push_back(error.hint[i] == '-' ? '_' : error.hint[i]);
  }
  error.hint = std::move(hint);
  return error;
}

int status_of(const Error& error) {
  const int by_cause = status_of_cause(error.cause);
  return by_cause != 0 ? by_cause : status_of_code(error.code);
}

codec::Json error_json(const Error& error) {
  return codec::Json::Object{
      {"object", "error"}, {"code", base::word_of(error)}, {"message", error.message}, {"hint", error.hint}};
}

Error error_of(const http::AnswerHead& head, std::string_view body) {
  Error error;
  const std::string* number = http::find_field(head.fields, http::kExitCodeField);
  if (number != nullptr && number->size() == 1 && (*number)[0] >= '1' && (*number)[0] <= '7')
    error.code = static_cast<ErrorCode>((*number)[0] - '0');
  error.message = "the daemon answered " + std::to_string(head.status);
  const auto json = codec::Json::parse(body);
  if (!json) return error;
  const auto text = [&json](std::string_view name) -> const std::string* {
    const codec::Json* member = json->find(name);
    return member == nullptr ? nullptr : member->string();
  };
  if (const std::string* code = text("code")) error.cause = base::cause_of_word(*code);
  if (const std::string* message = text("message")) error.message = *message;
  if (const std::string* hint = text("hint")) error.hint = *hint;
  return error;
}

}  // namespace spl::api
