#include "api/query_shape.h"

#include "base/words.h"
#include "http/target.h"

namespace spl::api {
namespace {

using codec::Json;

// "boolean", "array", ...; of an optional, the type of what it holds.
std::string_view type_of(const Json& schema) {
  if (const Json* either = schema.find("anyOf"); either != nullptr && either->array() != nullptr)
    return type_of(either->array()->front());
  const Json* type = schema.find("type");
  return type != nullptr && type->string() != nullptr ? std::string_view(*type->string()) : std::string_view();
}

Json words_json(const std::string& value) {
  Json::Array words;
  for (std::string& word : base::split(value, ',')) words.emplace_back(std::move(word));
  return words;
}

}  // namespace

std::string query_text(const Json& object) {
  std::string text;
  for (const auto& [name, value] : *object.object()) {
    std::string shown;
    if (value.boolean() != nullptr) {
      if (!*value.boolean()) continue;
      shown = "1";
    } else if (value.string() != nullptr) {
      shown = *value.string();
    } else if (value.array() != nullptr) {
      for (const Json& item : *value.array()) {
        if (item.string() != nullptr) shown.append(shown.empty() ? "" : ",").append(*item.string());
      }
    } else if (!value.is_null()) {
      shown = value.text();
    }
    if (shown.empty()) continue;
    text.append(text.empty() ? "" : "&").append(name).append("=").append(http::percent_encode(shown));
  }
  return text;
}

Result<Json> query_json(Exchange& exchange, const Json& schema) {
  Json::Object object;
  for (const auto& [name, property] : *schema.find("properties")->object()) {
    const std::string_view type = type_of(property);
    if (type == "boolean") {
      object.emplace_back(name, TRY(exchange.flag(name)));
    } else if (const std::string* value = exchange.parameter(name)) {
      object.emplace_back(name, type == "array"     ? words_json(*value)
                                : type == "integer" ? Json(TRY(exchange.number(name, 0)))
                                                    : Json(*value));
    }
  }
  TRY(exchange.only_known_parameters());
  return Json(std::move(object));
}

Json query_parameters(const Json& schema) {
  Json::Array parameters;
  for (const auto& [name, property] : *schema.find("properties")->object()) {
    const Json* about = property.find("description");
    const std::string_view type = type_of(property);
    parameters.emplace_back(
        Json::Object{{"name", name},
                     {"in", "query"},
                     {"schema", Json::Object{{"type", type == "array" ? std::string_view("string") : type}}},
                     {"description", *about}});
  }
  return parameters;
}

}  // namespace spl::api
