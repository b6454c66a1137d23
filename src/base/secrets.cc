#include "base/secrets.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace spl::base {
namespace {

constexpr std::string_view kAgeKey = "AGE-SECRET-KEY-";
constexpr std::string_view kToken = "spl_";
constexpr std::size_t kTokenSecretDigitsMin = 16;  // shorter ones occur in names

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (upper(c) >= 'A' && upper(c) <= 'Z');
}
bool is_of_token(char c) {
  return is_letter_or_digit(c) || c == '_' || c == '-';
}
bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

template <class Belongs>
std::size_t length_of(std::string_view text, Belongs belongs) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, belongs) - text.begin());
}

struct Span {
  std::size_t begin;
  std::size_t length;
};

std::optional<Span> find_age_key(std::string_view text, std::size_t from) {
  const auto at = std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), kAgeKey.begin(),
                              kAgeKey.end(), [](char a, char b) { return upper(a) == b; });
  if (at == text.end()) return std::nullopt;
  const auto begin = static_cast<std::size_t>(at - text.begin());
  return Span{begin, length_of(text.substr(begin), [](char c) { return is_letter_or_digit(c) || c == '-'; })};
}

std::optional<Span> find_token(std::string_view text, std::size_t from) {
  for (std::size_t at = from; (at = text.find(kToken, at)) != std::string_view::npos; at += kToken.size()) {
    const std::size_t length = length_of(text.substr(at), is_of_token);
    const std::string_view whole = text.substr(at, length);
    const std::string_view secret = whole.substr(whole.rfind('_') + 1);
    if (std::ranges::count(whole, '_') >= 3 && secret.size() >= kTokenSecretDigitsMin &&
        std::ranges::all_of(secret, is_hex_digit))
      return Span{at, length};
  }
  return std::nullopt;
}

std::optional<Span> find_secret(std::string_view text, std::size_t from) {
  const auto key = find_age_key(text, from);
  const auto token = find_token(text, from);
  if (!key || !token) return key ? key : token;
  return key->begin < token->begin ? key : token;
}

}  // namespace

bool holds_secret(std::string_view text) {
  return find_secret(text, 0).has_value();
}

std::string without_secrets(std::string text) {
  for (std::size_t from = 0; const auto found = find_secret(text, from); from = found->begin + kNotShown.size())
    text.replace(found->begin, found->length, kNotShown);
  return text;
}

}  // namespace spl::base
