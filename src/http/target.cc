#include "http/target.h"

#include <algorithm>
#include <cstdint>

#include "base/utf8.h"

namespace spl::http {
namespace {

std::unexpected<Error> wrong(std::string why) {
  return fail(ErrorCode::kUsage, "request target: " + std::move(why));
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus : std::uint8_t { kPlus, kSpace };

Result<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::kSpace) {
      decoded.push_back(' ');
    } else if (text[i] != '%') {
      decoded.push_back(text[i]);
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return wrong("a percent sign without two hexadecimal digits");
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  if (!base::is_utf8(decoded)) return wrong("not UTF-8");
  return decoded;
}

// What stands before the first `separator`, which is taken off too; all of `rest` where there is none.
std::string_view take_until(std::string_view& rest, char separator, bool& more) {
  const std::size_t at = rest.find(separator);
  more = at != std::string_view::npos;
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(more ? at + 1 : rest.size());
  return part;
}

Result<void> parse_query(std::string_view text, Target& target) {
  for (bool more = !text.empty(); more;) {
    const std::string_view item = take_until(text, '&', more);
    if (item.empty()) continue;
    const std::size_t equals = std::min(item.find('='), item.size());
    std::string name = TRY(percent_decode(item.substr(0, equals), Plus::kSpace));
    std::string value = TRY(percent_decode(item.substr(std::min(equals + 1, item.size())), Plus::kSpace));
    if (target.parameter(name) != nullptr) return wrong("a parameter stands twice");
    if (target.query.size() == kQueryParametersMax) return wrong("too many parameters");
    target.query.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

}  // namespace

const std::string* Target::parameter(std::string_view name) const {
  const auto at = std::ranges::find_if(query, [name](const auto& item) { return item.first == name; });
  return at == query.end() ? nullptr : &at->second;
}

Result<Target> parse_target(std::string_view text) {
  if (text.size() > kTargetBytesMax) return wrong("longer than 8 KiB");
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    text.remove_prefix(std::min(text.find('/', scheme.size()), text.size()));
    if (text.empty()) text = "/";
  }
  if (!text.starts_with('/')) return wrong("no path");
  const bool odd = std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; });
  if (odd || text.find('#') != std::string_view::npos) return wrong("a character that has no place there");
  Target target;
  bool has_query = false;
  std::string_view path = take_until(text, '?', has_query);
  target.path = path;
  path.remove_prefix(1);
  for (bool more = true; more;) {
    if (target.segments.size() == kPathSegmentsMax) return wrong("too many segments");
    target.segments.push_back(TRY(percent_decode(take_until(path, '/', more), Plus::kPlus)));
  }
  TRY(parse_query(text, target));
  return target;
}

std::string percent_encode(std::string_view octets) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    if (unreserved) {
      encoded.push_back(c);
    } else {
      encoded.append({'%', kDigits[octet >> 4], kDigits[octet & 15]});
    }
  }
  return encoded;
}

}  // namespace spl::http
