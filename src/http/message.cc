#include "http/message.h"

#include <algorithm>

#include "base/check.h"

namespace spl::http {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Other";
  }
}

void append_fields(std::string& text, const Fields& fields) {
  for (const auto& [name, value] : fields) {
    // Whoever adds a field answers for its value: a line break would begin a field of its own.
    SPL_CHECK(std::ranges::none_of(value, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }));
    text.append(name).append(": ").append(value).append("\r\n");
  }
  text += "\r\n";
}

}  // namespace

const std::string* find_field(const Fields& fields, std::string_view name) {
  const auto at = std::ranges::find_if(fields, [name](const auto& field) { return field.first == name; });
  return at == fields.end() ? nullptr : &at->second;
}

bool begins_with(std::string_view value, std::string_view lowercase) {
  return std::ranges::equal(value.substr(0, lowercase.size()), lowercase,
                            [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); });
}

bool accepts_ndjson(const Fields& fields) {
  for (const auto& [name, value] : fields) {
    if (name != "accept") continue;
    for (std::string_view rest = value; !rest.empty();) {
      std::string_view type = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(type.size() + 1, rest.size()));
      type = type.substr(0, type.find(';'));
      while (type.starts_with(' ') || type.starts_with('\t')) type.remove_prefix(1);
      while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
      for (const std::string_view wanted : {"application/x-ndjson", "application/ndjson"})
        if (is_word(type, wanted)) return true;
    }
  }
  return false;
}

std::string request_text(std::string_view method, std::string_view target, const Fields& fields) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
  append_fields(text, fields);
  return text;
}

std::string answer_text(int status, const Fields& fields) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " ";
  text.append(reason_of(status)).append("\r\n");
  append_fields(text, fields);
  return text;
}

}  // namespace spl::http
