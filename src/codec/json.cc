#include "codec/json.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/check.h"
#include "base/encoding.h"
#include "codec/json_number.h"

namespace spl::codec {
namespace {

constexpr int kCompact = -1;

void new_line(std::string& out, int indent) {
  if (indent == kCompact) return;
  out.push_back('\n');
  out.append(static_cast<std::size_t>(indent) * 2, ' ');
}

Result<void> refuse_repeated_names(const Json::Object& members) {
  std::vector<std::string_view> names;
  names.reserve(members.size());
  for (const auto& [name, value] : members) names.push_back(name);
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end())
    return fail(ErrorCode::kUsage, "JSON: a name stands twice");
  return {};
}

}  // namespace

Json::Json(double value) {
  Number number;
  append_ecmascript_double(number.digits, value);
  value_ = std::move(number);
}

Result<Json> Json::parse(std::string_view text) {
  JsonCursor cursor(text);
  Json value = TRY(take(cursor));
  TRY(cursor.end());
  return value;
}

Result<Json> Json::take(JsonCursor& cursor) {
  switch (TRY(cursor.peek())) {
    case JsonType::kNull:
      TRY(cursor.null());
      return Json();
    case JsonType::kBoolean:
      return Json(TRY(cursor.boolean()));
    case JsonType::kString:
      return Json(TRY(cursor.string()));
    case JsonType::kNumber: {
      Json number;
      number.value_ = Number{std::string(TRY(cursor.number()))};
      return number;
    }
    case JsonType::kArray: {
      Array elements;
      TRY(cursor.begin_array());
      while (TRY(cursor.next_element())) elements.push_back(TRY(take(cursor)));
      return Json(std::move(elements));
    }
    case JsonType::kObject:
      break;
  }
  Object members;
  std::string name;
  TRY(cursor.begin_object());
  while (TRY(cursor.next_member(name))) {
    std::string own_name = std::move(name);
    members.emplace_back(std::move(own_name), TRY(take(cursor)));
  }
  TRY(refuse_repeated_names(members));
  return Json(std::move(members));
}

const Json* Json::find(std::string_view name) const {
  const Object* members = object();
  if (members == nullptr) return nullptr;
  for (const auto& [key, value] : *members) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<std::uint64_t> Json::whole_number() const {
  const Number* number = std::get_if<Number>(&value_);
  if (number == nullptr) return fail(ErrorCode::kUsage, "a whole number is wanted");
  std::uint64_t value = 0;
  const char* const end = number->digits.data() + number->digits.size();
  const auto parsed = std::from_chars(number->digits.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end ||
      value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return fail(ErrorCode::kUsage, "a whole number from 0 to 2^63-1 is wanted");
  return value;
}

Result<double> Json::number() const {
  const Number* number = std::get_if<Number>(&value_);
  if (number == nullptr) return fail(ErrorCode::kUsage, "a number is wanted");
  double value = 0;
  std::from_chars(number->digits.data(), number->digits.data() + number->digits.size(), value);
  return value;
}

void Json::add(std::string name, Json value) {
  if (is_null()) value_ = Object{};
  Object* members = std::get_if<Object>(&value_);
  SPL_CHECK(members != nullptr);
  members->emplace_back(std::move(name), std::move(value));
}

std::string Json::text() const {
  std::string out;
  append_to(out, kCompact);
  return out;
}

std::string Json::pretty() const {
  std::string out;
  append_to(out, 0);
  return out;
}

void Json::append_to(std::string& out, int indent) const {
  const int inner = indent == kCompact ? kCompact : indent + 1;
  switch (type()) {
    case JsonType::kNull:
      out += "null";
      break;
    case JsonType::kBoolean:
      out += std::get<bool>(value_) ? "true" : "false";
      break;
    case JsonType::kNumber:
      out += std::get<Number>(value_).digits;
      break;
    case JsonType::kString:
      base::append_json_string(out, std::get<std::string>(value_));
      break;
    case JsonType::kArray: {
      const Array& elements = std::get<Array>(value_);
      out.push_back('[');
      for (std::size_t i = 0; i < elements.size(); ++i) {
        if (i > 0) out.push_back(',');
        new_line(out, inner);
        elements[i].append_to(out, inner);
      }
      if (!elements.empty()) new_line(out, indent);
      out.push_back(']');
      break;
    }
    case JsonType::kObject: {
      const Object& members = std::get<Object>(value_);
      out.push_back('{');
      for (std::size_t i = 0; i < members.size(); ++i) {
        if (i > 0) out.push_back(',');
        new_line(out, inner);
        base::append_json_string(out, members[i].first);
        out += indent == kCompact ? ":" : ": ";
        members[i].second.append_to(out, inner);
      }
      if (!members.empty()) new_line(out, indent);
      out.push_back('}');
      break;
    }
  }
}

}  // namespace spl::codec
