#include "surface/redis/key_line.h"

#include <charconv>

#include "base/encoding.h"
#include "codec/enum_names.h"
#include "codec/json_cursor.h"

namespace spl::surface {
namespace {

std::unexpected<Error> malformed(const std::string& why) {
  return fail(ErrorCode::kVerification, Cause::kMalformed, why);
}

std::string head_text(const KeyHead& head) {
  std::string text = "{\"key\":\"" + base::to_base64(head.key) + "\",\"type\":\"";
  text += codec::enum_name(head.type);
  text += "\",\"expires_at_ms\":";
  text += head.expires_at_ms ? std::to_string(*head.expires_at_ms) : "null";
  return text;
}

Result<void> member(codec::JsonCursor& cursor, std::string_view wanted) {
  std::string name;
  if (!TRY(cursor.next_member(name)) || name != wanted) return malformed("has no member " + std::string(wanted));
  return {};
}

Result<std::optional<std::int64_t>> expiry(codec::JsonCursor& cursor) {
  if (TRY(cursor.peek()) == codec::JsonType::kNull) {
    TRY(cursor.null());
    return std::optional<std::int64_t>();
  }
  const std::string_view digits = TRY(cursor.number());
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
  if (error != std::errc{} || end != digits.end()) return malformed("has a time that is no whole number");
  // RESTORE would take 0 for no end.
  if (value < 1) return malformed("has a time before 1970");
  return std::optional<std::int64_t>(value);
}

Result<KeyLine> parse(std::string_view text) {
  codec::JsonCursor cursor(text);
  KeyLine line;
  TRY(cursor.begin_object());
  TRY(member(cursor, "key"));
  line.head.key = TRY(base::from_base64(TRY(cursor.string())));
  TRY(member(cursor, "type"));
  const auto type = codec::parse_enum<RedisType>(TRY(cursor.string()));
  if (!type) return malformed("has a type that Redis does not have");
  line.head.type = *type;
  TRY(member(cursor, "expires_at_ms"));
  line.head.expires_at_ms = TRY(expiry(cursor));
  std::string name;
  if (!TRY(cursor.next_member(name))) return malformed("has no body");
  const std::string body = TRY(cursor.string());
  if (name == "dump") {
    if (body.size() <= base64_bytes(kLineBodyBytesMax)) line.dump = TRY(base::from_base64(body));
    if (body.size() > base64_bytes(kLineBodyBytesMax) || line.dump.size() > kLineBodyBytesMax)
      return malformed("has a body that should be a file of its own");
  } else if (name == "large") {
    Digest digest;
    if (!base::parse_hex_digest(body, digest)) return malformed("names a large body by no digest");
    line.large = digest;
  } else {
    return malformed("has a member that is none of a key's");
  }
  if (TRY(cursor.next_member(name))) return malformed("has a member too many");
  TRY(cursor.end());
  return line;
}

}  // namespace

std::string key_line_begin(const KeyHead& head) {
  return head_text(head) + ",\"dump\":\"";
}

std::string large_key_line(const KeyHead& head, const Digest& body) {
  return head_text(head) + ",\"large\":\"" + base::to_hex(body.view()) + std::string(kKeyLineEnd);
}

Result<KeyLine> parse_key_line(std::string_view line) {
  auto parsed = parse(line);
  if (!parsed) return malformed(parsed.error().message);
  return parsed;
}

}  // namespace spl::surface
