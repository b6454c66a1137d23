// Errors as they travel: {"object":"error","code","message","hint"}, with the exit code's number in a header field, so
// that the client has the same Error that the server had. Pure; any thread.
#pragma once

#include <string_view>

#include "base/result.h"
#include "codec/json.h"
#include "http/message.h"

namespace spl::api {

// The HTTP status of an error, by its cause or else its code.
int status_of(const Error& error);
// `code` is the error's word (base/cause.h).
codec::Json error_json(const Error& error);
// The same error for who is no command line: no flags in its hint, which is never empty. Where a flag is a parameter of
// a query it has its name there.
Error told_over_http(Error error);
// The error that an answer of 400 and above carries.
Error error_of(const http::AnswerHead& head, std::string_view body);

}  // namespace spl::api
