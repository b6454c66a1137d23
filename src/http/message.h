// The heads of HTTP/1.1 messages (RFC 9112), parsed and to be sent. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spl::http {

// Names in lowercase. Values are visible ASCII, spaces and, in what was received, octets above 0x7F.
using Fields = std::vector<std::pair<std::string, std::string>>;
// The first of the name; null where there is none.
const std::string* find_field(const Fields& fields, std::string_view name);
// Whether a field "accept" asks for one of these media types by name (RFC 9110, 12.5.1). Weights are not looked at: who
// names NDJSON wants it.
bool accepts_ndjson(const Fields& fields);
// For values that are compared without regard to case: schemes, media types. `lowercase` is ASCII.
bool begins_with(std::string_view value, std::string_view lowercase);
inline bool is_word(std::string_view value, std::string_view lowercase) {
  return value.size() == lowercase.size() && begins_with(value, lowercase);
}

struct RequestHead {
  std::string method;
  std::string target;
  bool is_http_1_0 = false;
  bool keep_alive = true;
  Fields fields;
};

struct AnswerHead {
  int status = 0;
  Fields fields;
};

// The octets of a head, up to and with the empty line.
std::string request_text(std::string_view method, std::string_view target, const Fields& fields);
std::string answer_text(int status, const Fields& fields);

// Header fields of this program's own.
inline constexpr std::string_view kExitCodeField = "spl-exit-code";  // of an error: base::ErrorCode's number
inline constexpr std::string_view kReportField = "spl-report";       // of an answer: what else there is to say, as JSON
inline constexpr std::string_view kCursorField = "spl-cursor";       // of records as lines: what "cursor" is of a page
inline constexpr std::string_view kCommitField = "spl-commit";       // of an export's request: "client"

}  // namespace spl::http
