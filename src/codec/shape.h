// What a struct holds, listed once: from the list come its JSON, the way back, and its JSON Schema.
//
//   struct Emitted {
//     RecordId id;
//     std::string thread;
//     static constexpr auto shape() {
//       return codec::shape(codec::member("id", &Emitted::id, "the record's id"),
//                           codec::member("thread", &Emitted::thread, "its thread"));
//     }
//   };
//
// A member may be a bool, a whole number, a double, a text, an enum with names (enum_names.h), a struct with a shape,
// an optional or a vector of these, and any type for which JsonValue is specialised. Members of type SecretBytes are
// written as base64 and never enter a Json: only shape_text() and parse_shape_text() know them, and who calls these
// wipes the text. Pure; any thread.
#pragma once

#include <concepts>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/encoding.h"
#include "base/result.h"
#include "codec/enum_names.h"
#include "codec/json.h"
#include "codec/json_members.h"

namespace spl::codec {

// How a member's value comes and goes where that is not said by its type.
enum class Presence : std::uint8_t {
  kUsual,    // texts and numbers must be there; an optional without a value is written as null
  kOmitted,  // an optional without a value, an empty text or an empty list is left out, and may be missing
};

template <class Owner, class Value>
struct Member {
  const char* name;
  Value Owner::* at;
  const char* about;  // for people who read the schema
  Presence presence = Presence::kUsual;
  bool is_path = false;  // octets of a path: shown escaped where they are not UTF-8
};

template <class Owner, class Value>
constexpr Member<Owner, Value> member(const char* name, Value Owner::* at, const char* about,
                                      Presence presence = Presence::kUsual) {
  return {name, at, about, presence, false};
}
template <class Owner>
constexpr Member<Owner, std::string> path_member(const char* name, std::string Owner::* at, const char* about,
                                                 Presence presence = Presence::kUsual) {
  return {name, at, about, presence, true};
}
// Hands all of them to a visitor at once: a tuple instead costs the compiler half a second in every file that sees a
// few shapes.
template <class... Members>
constexpr auto shape(Members... members) {
  return [members...](const auto& visit) { return visit(members...); };
}

template <class T>
concept HasShape = requires { T::shape(); };

// The value as JSON, and back; the schema of the type.
template <class T>
struct JsonValue;

namespace detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T>
inline constexpr bool kIsSecret = std::is_same_v<T, SecretBytes> || std::is_same_v<T, std::optional<SecretBytes>>;

// Whether a value may be missing from the text.
template <class T>
constexpr bool may_be_missing(Presence presence) {
  return presence == Presence::kOmitted || std::is_same_v<T, bool> || IsOptional<T>::value || IsVector<T>::value;
}

template <class T>
bool is_empty(const T& value) {
  if constexpr (IsOptional<T>::value) {
    return !value.has_value();
  } else if constexpr (IsVector<T>::value || std::is_same_v<T, std::string>) {
    return value.empty();
  } else {
    return false;
  }
}

template <class T, class Visit>
void for_each_member(const Visit& visit) {
  T::shape()([&visit](const auto&... members) { (visit(members), ...); });
}

}  // namespace detail

template <class T>
Json shape_json(const T& value);
template <class T>
Json schema_of();
enum class Unknown : bool { kIgnored, kRefused };  // members that the shape does not have
template <class T>
Result<T> parse_shape(const Json& json, Unknown unknown);

template <>
struct JsonValue<bool> {
  static Json to(bool value) { return value; }
  static Result<bool> from(const Json& json) {
    if (json.boolean() == nullptr) return fail(ErrorCode::kUsage, "is not true or false");
    return *json.boolean();
  }
  static Json schema() { return Json::Object{{"type", "boolean"}}; }
};

template <std::integral T>
  requires(!std::same_as<T, bool>)
struct JsonValue<T> {
  static Json to(T value) { return value; }
  static Result<T> from(const Json& json) {
    const auto number = json.whole_number();
    if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<T>::max()))
      return fail(ErrorCode::kUsage, "is not a whole number of its range");
    return static_cast<T>(*number);
  }
  static Json schema() { return Json::Object{{"type", "integer"}, {"minimum", 0}}; }
};

template <>
struct JsonValue<double> {
  static Json to(double value) { return value; }
  static Result<double> from(const Json& json) {
    const auto number = json.number();
    if (!number) return fail(ErrorCode::kUsage, "is not a number");
    return *number;
  }
  static Json schema() { return Json::Object{{"type", "number"}}; }
};

template <>
struct JsonValue<std::string> {
  static Json to(const std::string& value) { return value; }
  static Result<std::string> from(const Json& json) {
    if (json.string() == nullptr) return fail(ErrorCode::kUsage, "is not a string");
    return *json.string();
  }
  static Json schema() { return Json::Object{{"type", "string"}}; }
};

template <>
struct JsonValue<Digest> {
  static Json to(const Digest& value) { return base::to_hex(value.view()); }
  static Result<Digest> from(const Json& json) {
    Digest digest;
    if (json.string() == nullptr || !base::parse_hex_digest(*json.string(), digest))
      return fail(ErrorCode::kUsage, "is not 64 lowercase hexadecimal digits");
    return digest;
  }
  static Json schema() { return Json::Object{{"type", "string"}, {"pattern", "^[0-9a-f]{64}$"}}; }
};

// A JSON document as it is.
template <>
struct JsonValue<Json> {
  static Json to(const Json& value) { return value; }
  static Result<Json> from(const Json& json) { return json; }
  static Json schema() { return Json::Object{}; }
};

template <NamedEnum E>
struct JsonValue<E> {
  static Json to(E value) { return enum_name(value); }
  static Result<E> from(const Json& json) {
    const auto value = json.string() != nullptr ? parse_enum<E>(*json.string()) : std::nullopt;
    if (!value) return fail(ErrorCode::kUsage, "is none of " + enum_choices<E>());
    return *value;
  }
  static Json schema() {
    Json::Array names;
    for (const auto& [value, name] : names_of(E{})) names.emplace_back(name);
    return Json::Object{{"enum", std::move(names)}};
  }
};

template <HasShape T>
struct JsonValue<T> {
  static Json to(const T& value) { return shape_json(value); }
  static Result<T> from(const Json& json) { return parse_shape<T>(json, Unknown::kIgnored); }
  static Json schema() { return schema_of<T>(); }
};

template <class T>
struct JsonValue<std::optional<T>> {
  static Json to(const std::optional<T>& value) { return value ? JsonValue<T>::to(*value) : Json(); }
  static Result<std::optional<T>> from(const Json& json) {
    if (json.is_null()) return std::optional<T>();
    return std::optional<T>(TRY(JsonValue<T>::from(json)));
  }
  static Json schema() {
    return Json::Object{{"anyOf", Json::Array{JsonValue<T>::schema(), Json::Object{{"type", "null"}}}}};
  }
};

template <class T>
struct JsonValue<std::vector<T>> {
  static Json to(const std::vector<T>& values) {
    Json::Array array;
    for (const T& value : values) array.push_back(JsonValue<T>::to(value));
    return array;
  }
  static Result<std::vector<T>> from(const Json& json) {
    if (json.array() == nullptr) return fail(ErrorCode::kUsage, "is not an array");
    std::vector<T> values;
    for (const Json& item : *json.array()) values.push_back(TRY(JsonValue<T>::from(item)));
    return values;
  }
  static Json schema() { return Json::Object{{"type", "array"}, {"items", JsonValue<T>::schema()}}; }
};

// Without the members that are secret.
template <class T>
Json shape_json(const T& value) {
  Json::Object object;
  detail::for_each_member<T>([&]<class Value>(const Member<T, Value>& member) {
    if constexpr (!detail::kIsSecret<Value>) {
      const Value& held = value.*member.at;
      if (member.presence == Presence::kOmitted && detail::is_empty(held)) return;
      if constexpr (std::is_same_v<Value, std::string>) {
        object.emplace_back(member.name, member.is_path ? base::path_text(held) : held);
      } else {
        object.emplace_back(member.name, JsonValue<Value>::to(held));
      }
    }
  });
  return object;
}

// Code kUsage; the message names the member.
template <class T>
Result<T> parse_shape(const Json& json, Unknown unknown) {
  JsonMembers members = TRY(JsonMembers::of(json));
  T value;
  Result<void> outcome;
  detail::for_each_member<T>([&]<class Value>(const Member<T, Value>& member) {
    if constexpr (!detail::kIsSecret<Value>) {
      const Json* given = members.any(member.name);
      if (!outcome) return;
      if (given == nullptr) {
        if (!detail::may_be_missing<Value>(member.presence)) outcome = JsonMembers::wrong(member.name, "is missing");
        return;
      }
      auto read = JsonValue<Value>::from(*given);
      if (!read) {
        outcome = JsonMembers::wrong(member.name, read.error().message);
      } else {
        value.*member.at = std::move(*read);
      }
    }
  });
  if (!outcome) return std::unexpected(std::move(outcome).error());
  if (unknown == Unknown::kRefused) TRY(members.end());
  return value;
}

// JSON Schema (draft 2020-12) of what shape_json() makes, and of what parse_shape() takes.
template <class T>
Json schema_of() {
  Json::Object properties;
  Json::Array required;
  detail::for_each_member<T>([&]<class Value>(const Member<T, Value>& member) {
    Json schema = Json::Object{};
    if constexpr (detail::kIsSecret<Value>) {
      schema = Json::Object{{"type", "string"}, {"contentEncoding", "base64"}};
    } else {
      schema = JsonValue<Value>::schema();
    }
    schema.add("description", member.about);
    properties.emplace_back(member.name, std::move(schema));
    if (!detail::may_be_missing<Value>(member.presence)) required.emplace_back(member.name);
  });
  Json schema = Json::Object{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema.add("required", std::move(required));
  return schema;
}

// The schema of an object that has one more member, which must be there.
Json with_member(const Json& schema, std::string_view name, const Json& member);

// The schema of an array of them.
template <class T>
Json list_schema_of() {
  return JsonValue<std::vector<T>>::schema();
}

// All members, the secret ones as base64. Who calls it wipes the text.
template <class T>
std::string shape_text(const T& value) {
  std::string text = shape_json(value).text();
  detail::for_each_member<T>([&]<class Value>(const Member<T, Value>& member) {
    if constexpr (detail::kIsSecret<Value>) {
      const SecretBytes* secret = nullptr;
      if constexpr (std::is_same_v<Value, SecretBytes>) {
        secret = &(value.*member.at);
      } else if (value.*member.at) {
        secret = &*(value.*member.at);
      }
      if (secret == nullptr) return;
      std::string encoded = base::to_base64(secret->reveal());
      text.pop_back();
      // No copy of the secret is left behind by growth.
      std::string grown;
      grown.reserve(text.size() + encoded.size() + std::strlen(member.name) + 16);
      grown.append(text).append(text.size() > 1 ? "," : "").append("\"").append(member.name).append("\":\"");
      grown.append(encoded).append("\"}");
      explicit_bzero(encoded.data(), encoded.size());
      explicit_bzero(text.data(), text.size());
      text = std::move(grown);
    }
  });
  return text;
}

// The object without those of its members that `is_secret` names: they are given to `take` on the way, so that no copy
// of them is left behind in a tree.
Result<Json> parse_around_secrets(std::string_view text, const std::vector<std::string_view>& secret_names,
                                  std::vector<std::pair<std::string, SecretBytes>>& secrets);

template <class T>
Result<T> parse_shape_text(std::string_view text, Unknown unknown) {
  std::vector<std::string_view> names;
  detail::for_each_member<T>([&]<class Value>(const Member<T, Value>& member) {
    if constexpr (detail::kIsSecret<Value>) names.push_back(member.name);
  });
  std::vector<std::pair<std::string, SecretBytes>> secrets;
  const Json json = TRY(parse_around_secrets(text, names, secrets));
  T value = TRY(parse_shape<T>(json, unknown));
  for (auto& [name, secret] : secrets) {
    detail::for_each_member<T>([&]<class Value>(const Member<T, Value>& member) {
      if constexpr (detail::kIsSecret<Value>) {
        if (name == member.name) value.*member.at = std::move(secret);
      }
    });
  }
  return value;
}

}  // namespace spl::codec
