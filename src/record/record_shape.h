// Records' types as members of shapes (codec/shape.h). Pure; any thread.
#pragma once

#include "codec/shape.h"
#include "record/record.h"

namespace spl::codec {

template <>
struct JsonValue<record::RecordId> {
  static Json to(const record::RecordId& id) { return id.hex(); }
  static Result<record::RecordId> from(const Json& json) {
    auto id = json.string() != nullptr ? record::RecordId::parse(*json.string()) : fail("");
    if (!id) return fail(ErrorCode::kUsage, "is no record id");
    return id;
  }
  static Json schema() { return Json::Object{{"type", "string"}, {"pattern", "^[0-9a-f]{64}$"}}; }
};

}  // namespace spl::codec
