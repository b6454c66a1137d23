// Reads the members of a JSON object strictly: each of its type, none that is not asked for. Errors have
// code kUsage and name the member. One thread; the Json outlives the reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace spl::codec {

class JsonMembers {
 public:
  // Code kUsage where `json` is no object.
  static Result<JsonMembers> of(const Json& json);

  Result<std::string> text(std::string_view name);
  Result<std::optional<std::string>> optional_text(std::string_view name);  // null is absent
  Result<bool> flag(std::string_view name);                                 // absent is false
  Result<std::uint64_t> number(std::string_view name);
  Result<std::vector<std::string>> texts(std::string_view name);  // absent is empty
  // Null where it is absent or null.
  const Json* any(std::string_view name);
  // The error of a member: "member "NAME" WHY".
  static std::unexpected<Error> wrong(std::string_view name, std::string_view why);
  // Fails where the object has a member that none of the above was called for.
  Result<void> end() const;

 private:
  explicit JsonMembers(const Json& json) : json_(&json) {}
  const Json* json_;
  std::vector<std::string_view> asked_;
};

// An array of strings.
Json json_texts(const std::vector<std::string>& texts);

}  // namespace spl::codec
