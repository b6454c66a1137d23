// The placeholders of declarations: {home}, {data}, {run}, {context}, {context_id}, {staging}, {secret:HANDLE}
// (docs/formats/declaration.md). Braces around anything but a lowercase word stand for themselves. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace spl::service {

// Which of them may stand in a text.
enum class Allowed : std::uint8_t {
  kCommand,  // {home} {data} {run}
  kContext,  // and {context} {context_id}
  kSecrets,  // {home} {data} {run} {secret:..}
  kStaging,  // {home} {data} {run} {staging}
};

// Code kUsage; the message goes behind a key's name.
Result<void> check_placeholders(std::string_view text, Allowed allowed);
// Whether it has {context} or {context_id}.
bool names_context(std::string_view text);

struct Context {
  std::string name;
  std::uint64_t id = 0;
  std::string label;
};

struct PlaceholderValues {
  std::string home;
  std::string data;
  std::string run;
  const Context* context = nullptr;  // null where there is none: {context} is an error then
  std::string staging;
};
// The value of a handle.
using SecretLookup = std::function<Result<SecretBytes>(std::string_view handle)>;

// Code kUsage of one that has no value here.
Result<std::string> expand(std::string_view text, const PlaceholderValues& values);
Result<SecretBytes> expand_secret(std::string_view text, const PlaceholderValues& values, const SecretLookup& secrets);

// What an expanded split pattern matches: names that are just it, numbers, or keys that begin with it.
enum class Matching : std::uint8_t { kIdentifiers, kNumbers, kBeginnings };
inline constexpr std::size_t kIdentifierBytesMax = 63;
// Whether what belongs to one context can never belong to another. Code kUsage.
Result<void> check_split(std::string_view pattern, Matching matching);
// The same of a file's name with a * in it.
Result<void> check_split_with_star(std::string_view pattern);

}  // namespace spl::service
