// Enums inside, words at the border: the words of an enum stand in one place, beside it.
//
//   enum class Signer : std::uint8_t { kSelf, kUnknown };
//   constexpr auto names_of(Signer) { return std::array{std::pair{Signer::kSelf, "self"}, ...}; }   // found by ADL
//
// Pure; any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace spl::codec {

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E value) { names_of(value); };

// Every value has a name.
template <NamedEnum E>
constexpr std::string_view enum_name(E value) {
  for (const auto& [known, name] : names_of(value)) {
    if (known == value) return name;
  }
  return {};
}

template <NamedEnum E>
constexpr std::optional<E> parse_enum(std::string_view text) {
  for (const auto& [known, name] : names_of(E{})) {
    if (name == text) return known;
  }
  return std::nullopt;
}

// "a, b, c"
template <NamedEnum E>
std::string enum_choices() {
  std::string choices;
  for (const auto& [known, name] : names_of(E{})) choices.append(choices.empty() ? "" : ", ").append(name);
  return choices;
}

}  // namespace spl::codec
