#include "codec/json_members.h"

#include <algorithm>

#include "base/encoding.h"

namespace spl::codec {
std::unexpected<Error> JsonMembers::wrong(std::string_view name, std::string_view why) {
  return fail(ErrorCode::kUsage, "member \"" + base::escaped(name, 80) + "\" " + std::string(why));
}

Result<JsonMembers> JsonMembers::of(const Json& json) {
  if (json.object() == nullptr) return fail(ErrorCode::kUsage, "a JSON object is wanted");
  return JsonMembers(json);
}

const Json* JsonMembers::any(std::string_view name) {
  asked_.push_back(name);
  const Json* member = json_->find(name);
  return member == nullptr || member->is_null() ? nullptr : member;
}

Result<std::optional<std::string>> JsonMembers::optional_text(std::string_view name) {
  const Json* member = any(name);
  if (member == nullptr) return std::nullopt;
  if (member->string() == nullptr) return wrong(name, "is not a string");
  return std::optional(*member->string());
}

Result<std::string> JsonMembers::text(std::string_view name) {
  auto value = TRY(optional_text(name));
  if (!value) return wrong(name, "is missing");
  return std::move(*value);
}

Result<bool> JsonMembers::flag(std::string_view name) {
  const Json* member = any(name);
  if (member == nullptr) return false;
  if (member->boolean() == nullptr) return wrong(name, "is not true or false");
  return *member->boolean();
}

Result<std::uint64_t> JsonMembers::number(std::string_view name) {
  const Json* member = any(name);
  if (member == nullptr) return wrong(name, "is missing");
  const auto value = member->whole_number();
  if (!value) return wrong(name, "is not a whole number");
  return *value;
}

Result<std::vector<std::string>> JsonMembers::texts(std::string_view name) {
  const Json* member = any(name);
  if (member == nullptr) return std::vector<std::string>();
  if (member->array() == nullptr) return wrong(name, "is not an array of strings");
  std::vector<std::string> values;
  for (const Json& item : *member->array()) {
    if (item.string() == nullptr) return wrong(name, "is not an array of strings");
    values.push_back(*item.string());
  }
  return values;
}

Result<void> JsonMembers::end() const {
  for (const auto& [name, value] : *json_->object()) {
    if (std::ranges::find(asked_, name) == asked_.end()) return wrong(name, "is not known here");
  }
  return {};
}

Json json_texts(const std::vector<std::string>& texts) {
  Json::Array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

}  // namespace spl::codec
