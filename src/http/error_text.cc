#include "http/error_text.h"

#include <string>

namespace spl::http {

Verdict verdict_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return verdict::kInvalidRequest;
    case ErrorCode::kRefused:
      return {409, "REFUSED"};
    case ErrorCode::kVerification:
      return {422, "VERIFICATION_FAILED"};
    case ErrorCode::kStop:
      return {409, "PREFLIGHT_STOP"};
    case ErrorCode::kUnavailable:
      return verdict::kUnavailable;
    case ErrorCode::kDiffers:
      return {409, "DIFFERS"};
    case ErrorCode::kFailed:
      break;
  }
  return {500, "INTERNAL"};
}

codec::Json error_json(const Verdict& verdict, const Error& error) {
  return codec::Json::Object{
      {"object", "error"}, {"code", verdict.code}, {"message", error.message}, {"hint", error.hint}};
}

Error error_of(const AnswerHead& head, std::string_view body) {
  Error error;
  const std::string* number = find_field(head.fields, kExitCodeField);
  if (number != nullptr && number->size() == 1 && (*number)[0] >= '1' && (*number)[0] <= '7')
    error.code = static_cast<ErrorCode>((*number)[0] - '0');
  error.message = "the daemon answered " + std::to_string(head.status);
  const auto json = codec::Json::parse(body);
  if (!json) return error;
  const auto text = [&json](std::string_view name) -> const std::string* {
    const codec::Json* member = json->find(name);
    return member == nullptr ? nullptr : member->string();
  };
  if (const std::string* message = text("message")) error.message = *message;
  if (const std::string* hint = text("hint")) error.hint = *hint;
  return error;
}

}  // namespace spl::http
