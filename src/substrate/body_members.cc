#include "substrate/body_members.h"

namespace spl::substrate {

using codec::Json;

std::string text_in(const Json& body, std::string_view name) {
  const Json* value = body.find(name);
  return value != nullptr && value->string() != nullptr ? *value->string() : std::string();
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
