// A JSON document in memory, for manifests, requests and answers: never for records, which stay
// text. Numbers keep their digits. Any thread, as std::string.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "codec/json_cursor.h"

namespace spl::codec {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;  // in the order of the text

  Json() = default;  // null
  // Every value of a type that JSON has is one: that is what the type is for.
  explicit(false) Json(std::same_as<bool> auto value) : value_(value) {}
  explicit(false) Json(std::integral auto value)
    requires(!std::same_as<decltype(value), bool>)
      : value_(Number{std::to_string(value)}) {}
  explicit(false) Json(double value);  // finite
  explicit(false) Json(std::string text) : value_(std::move(text)) {}
  explicit(false) Json(std::string_view text) : value_(std::string(text)) {}
  explicit(false) Json(const char* text) : value_(std::string(text)) {}
  explicit(false) Json(Array array) : value_(std::move(array)) {}
  explicit(false) Json(Object object) : value_(std::move(object)) {}

  // Strict, as JsonCursor is; repeated names are refused.
  static Result<Json> parse(std::string_view text);

  [[nodiscard]] JsonType type() const { return static_cast<JsonType>(value_.index()); }
  [[nodiscard]] bool is_null() const { return type() == JsonType::kNull; }
  // Null where this is no object or has no such member.
  [[nodiscard]] const Json* find(std::string_view name) const;
  // The value where the type is right; nothing where it is not.
  [[nodiscard]] const std::string* string() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&value_); }
  [[nodiscard]] const Array* array() const { return std::get_if<Array>(&value_); }
  [[nodiscard]] const Object* object() const { return std::get_if<Object>(&value_); }
  // A whole number from 0 to 2^63-1 written without fraction and exponent.
  [[nodiscard]] Result<std::uint64_t> whole_number() const;
  // A number, as the double that is nearest to it.
  [[nodiscard]] Result<double> number() const;

  // Appends a member to an object that is being made.
  void add(std::string name, Json value);

  // Compact, members in their order.
  [[nodiscard]] std::string text() const;
  // Indented by two spaces a level, as manifest.json is.
  [[nodiscard]] std::string pretty() const;

 private:
  struct Number {
    std::string digits;
  };
  static Result<Json> take(JsonCursor& cursor);
  void append_to(std::string& out, int indent) const;

  // In the order of JsonType.
  std::variant<std::monostate, bool, Number, std::string, Array, Object> value_;
};

}  // namespace spl::codec
