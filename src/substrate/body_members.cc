#include "substrate/body_members.h"

#include <utility>

#include "codec/json_cursor.h"
#include "codec/json_size.h"

namespace spl::substrate {

using codec::Json;

namespace {

// As many as the ids that a record can name.
constexpr std::size_t kValuesMax = 300'000;
constexpr std::size_t kMemberBytesMax = 64u << 10;  // of a large body, and of a text that means anything
constexpr std::size_t kMembersBytesMax = 1u << 20;  // together

// Of an object; what is no JSON has none.
Json small_members(std::string_view body) {
  Json members = Json::Object{};
  codec::JsonCursor cursor(body);
  std::string name;
  std::string value;
  std::size_t bytes = 0;
  if (!cursor.begin_object()) return members;
  for (auto more = cursor.next_member(name); more && *more; more = cursor.next_member(name)) {
    value.clear();
    if (!cursor.canonical(value)) break;
    bytes += name.size() + value.size();
    if (value.size() > kMemberBytesMax || bytes > kMembersBytesMax) {
      bytes -= name.size() + value.size();
    } else if (auto parsed = Json::parse(value)) {
      members.add(name, std::move(*parsed));
    }
  }
  return members;
}

}  // namespace

Json body_of(const Record& record) {
  if (!codec::has_few_values(record.body(), kValuesMax)) return small_members(record.body());
  auto parsed = Json::parse(record.body());
  return parsed ? std::move(*parsed) : Json(Json::Object{});
}

std::string text_in(const Json& body, std::string_view name) {
  const Json* value = body.find(name);
  const bool is_text = value != nullptr && value->string() != nullptr && value->string()->size() <= kMemberBytesMax;
  return is_text ? *value->string() : std::string();
}

std::optional<std::vector<std::string>> texts_in(const Json& body, std::string_view name) {
  const Json* value = body.find(name);
  if (value == nullptr || value->array() == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  for (const Json& item : *value->array()) {
    if (item.string() == nullptr) return std::nullopt;
    texts.push_back(*item.string());
  }
  return texts;
}

std::vector<std::string> one_or_more_in(const Json& body, std::string_view name) {
  std::vector<std::string> texts;
  const Json* value = body.find(name);
  if (value == nullptr) return texts;
  if (value->string() != nullptr) texts.push_back(*value->string());
  if (value->array() == nullptr) return texts;
  for (const Json& item : *value->array()) {
    if (item.string() != nullptr) texts.push_back(*item.string());
  }
  return texts;
}

}  // namespace spl::substrate
