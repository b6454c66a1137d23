#include "codec/shape.h"

#include <algorithm>

#include "codec/json_cursor.h"

namespace spl::codec {
namespace {

Result<SecretBytes> take_secret(JsonCursor& cursor) {
  std::string encoded = TRY(cursor.string());
  auto octets = base::from_base64(encoded);
  explicit_bzero(encoded.data(), encoded.size());
  if (!octets) return fail(ErrorCode::kUsage, "is not base64");
  SecretBytes secret(*octets);
  explicit_bzero(octets->data(), octets->size());
  return secret;
}

}  // namespace

Json with_member(const Json& schema, std::string_view name, const Json& member) {
  Json whole = Json::Object{};
  for (const auto& [key, value] : *schema.object()) {
    Json kept = value;
    if (key == "properties") kept.add(std::string(name), member);
    if (key == "required") {
      Json::Array required = *value.array();
      required.emplace_back(name);
      kept = std::move(required);
    }
    whole.add(key, std::move(kept));
  }
  return whole;
}

Result<Json> parse_around_secrets(std::string_view text, const std::vector<std::string_view>& secret_names,
                                  std::vector<std::pair<std::string, SecretBytes>>& secrets) {
  JsonCursor cursor(text);
  std::string rest;
  std::string name;
  TRY(cursor.begin_object());
  while (TRY(cursor.next_member(name))) {
    if (std::ranges::find(secret_names, name) != secret_names.end()) {
      if (std::ranges::find(secrets, name, &std::pair<std::string, SecretBytes>::first) != secrets.end())
        return JsonMembers::wrong(name, "stands twice");
      auto secret = TRY_IN("member \"" + name + "\"", take_secret(cursor));
      secrets.emplace_back(name, std::move(secret));
      continue;
    }
    rest += rest.empty() ? "{" : ",";
    base::append_json_string(rest, name);
    rest += ":";
    TRY(cursor.canonical(rest));
  }
  TRY(cursor.end());
  return Json::parse(rest.empty() ? "{}" : rest + "}");
}

}  // namespace spl::codec
