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

}  // namespace

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
