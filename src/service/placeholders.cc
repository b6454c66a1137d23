#include "service/placeholders.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/encoding.h"

namespace spl::service {
namespace {

constexpr std::string_view kSecretPrefix = "secret:";

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}
// Of names of services and contexts.
bool is_name_letter(char c) {
  return is_word(c) || c == '-';
}

// The text cut into literal pieces and placeholders.
struct Piece {
  std::string_view text;  // of a placeholder, without its braces
  bool is_placeholder = false;
};

bool looks_like_placeholder(std::string_view inside) {
  if (inside.starts_with(kSecretPrefix)) return inside.find('{') == std::string_view::npos;
  return !inside.empty() && std::ranges::all_of(inside, is_word) && inside.front() >= 'a';
}

std::vector<Piece> pieces_of(std::string_view text) {
  std::vector<Piece> pieces;
  std::size_t literal = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t close = text[at] == '{' ? text.find('}', at) : std::string_view::npos;
    if (close == std::string_view::npos || !looks_like_placeholder(text.substr(at + 1, close - at - 1))) {
      ++at;
      continue;
    }
    if (at > literal) pieces.push_back({text.substr(literal, at - literal), false});
    pieces.push_back({text.substr(at + 1, close - at - 1), true});
    literal = at = close + 1;
  }
  if (literal < text.size()) pieces.push_back({text.substr(literal), false});
  return pieces;
}

std::unexpected<Error> no_value(std::string_view placeholder) {
  return fail(ErrorCode::kUsage, "{" + std::string(placeholder) + "} has no value here");
}

Result<std::string> value_of(std::string_view placeholder, const PlaceholderValues& values) {
  if (placeholder == "home") return values.home;
  if (placeholder == "data") return values.data;
  if (placeholder == "run") return values.run;
  if (placeholder == "staging" && !values.staging.empty()) return values.staging;
  if (placeholder == "context" && values.context != nullptr) return values.context->name;
  if (placeholder == "context_id" && values.context != nullptr) return std::to_string(values.context->id);
  return no_value(placeholder);
}

std::unexpected<Error> unclear(std::string_view why) {
  return fail(ErrorCode::kUsage, "lets what belongs to one context belong to another: " + std::string(why));
}

}  // namespace

Result<void> check_placeholders(std::string_view text, Allowed allowed) {
  for (const Piece& piece : pieces_of(text)) {
    if (!piece.is_placeholder) continue;
    const std::string_view word = piece.text;
    if (word == "home" || word == "data" || word == "run") continue;
    const bool is_secret = word.starts_with(kSecretPrefix);
    const bool is_context = word == "context" || word == "context_id";
    if (is_secret && allowed == Allowed::kSecrets) continue;
    if (is_context && allowed == Allowed::kContext) continue;
    if (word == "staging" && allowed == Allowed::kStaging) continue;
    // The handle is shown; it is no secret.
    const std::string shown = "{" + base::escaped(word) + "}";
    if (is_secret) return fail(ErrorCode::kUsage, "has " + shown + ": a secret may stand in URLs and in env alone");
    if (is_context || word == "staging") return fail(ErrorCode::kUsage, "has " + shown + ", which has no value here");
    return fail(ErrorCode::kUsage, "has the unknown placeholder " + shown);
  }
  return {};
}

bool names_context(std::string_view text) {
  return std::ranges::any_of(pieces_of(text), [](const Piece& piece) {
    return piece.is_placeholder && (piece.text == "context" || piece.text == "context_id");
  });
}

Result<std::string> expand(std::string_view text, const PlaceholderValues& values) {
  std::string expanded;
  for (const Piece& piece : pieces_of(text))
    expanded += piece.is_placeholder ? TRY(value_of(piece.text, values)) : std::string(piece.text);
  return expanded;
}

Result<SecretBytes> expand_secret(std::string_view text, const PlaceholderValues& values, const SecretLookup& secrets) {
  std::string expanded;
  const auto wipe = [&expanded] { explicit_bzero(expanded.data(), expanded.size()); };
  for (const Piece& piece : pieces_of(text)) {
    if (!piece.is_placeholder) {
      expanded += piece.text;
    } else if (piece.text.starts_with(kSecretPrefix)) {
      if (!secrets) return no_value(piece.text);
      const auto secret = secrets(piece.text.substr(kSecretPrefix.size()));
      if (!secret) {
        wipe();
        return std::unexpected(secret.error());
      }
      // No copy of it is left behind by growth.
      std::string grown;
      grown.reserve(expanded.size() + secret->reveal().size() + text.size());
      grown.append(expanded).append(secret->reveal());
      wipe();
      expanded = std::move(grown);
    } else {
      auto value = value_of(piece.text, values);
      if (!value) {
        wipe();
        return std::unexpected(std::move(value).error());
      }
      expanded += *value;
    }
  }
  SecretBytes made(expanded);
  wipe();
  return made;
}

Result<void> check_split(std::string_view pattern, Matching matching) {
  const auto pieces = pieces_of(pattern);
  std::size_t literal = 0;
  std::size_t placeholders = 0;
  for (const Piece& piece : pieces) {
    if (piece.is_placeholder) {
      if (piece.text != "context" && piece.text != "context_id")
        return fail(ErrorCode::kUsage, "has {" + std::string(piece.text) + "}, which does not cut by context");
      ++placeholders;
    } else {
      literal += piece.text.size();
    }
  }
  if (placeholders == 0) return fail(ErrorCode::kUsage, "has neither {context} nor {context_id}");
  if (placeholders > 1) return unclear("it has more than one placeholder");
  if (matching == Matching::kBeginnings) {
    if (pieces.back().is_placeholder || is_name_letter(pieces.back().text.front()))
      return unclear("end the name with a letter that no name has, as in {context}:");
    return {};
  }
  if (matching == Matching::kNumbers) {
    for (const Piece& piece : pieces) {
      const bool fits = piece.is_placeholder
                            ? piece.text == "context_id"
                            : std::ranges::all_of(piece.text, [](char c) { return c >= '0' && c <= '9'; });
      if (!fits) return fail(ErrorCode::kUsage, "is no number: a database of redis has one, as {context_id}");
    }
  }
  if (literal >= kIdentifierBytesMax) return fail(ErrorCode::kUsage, "is longer than 63 bytes with any name");
  return {};
}

Result<void> check_split_with_star(std::string_view pattern) {
  if (!names_context(pattern)) return {};
  const auto pieces = pieces_of(pattern);
  const auto star_before = [&](std::size_t i) {
    return std::any_of(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(i),
                       [](const Piece& p) { return !p.is_placeholder && p.text.find('*') != std::string_view::npos; });
  };
  const auto star_after = [&](std::size_t i) {
    return std::any_of(pieces.begin() + static_cast<std::ptrdiff_t>(i) + 1, pieces.end(),
                       [](const Piece& p) { return !p.is_placeholder && p.text.find('*') != std::string_view::npos; });
  };
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!pieces[i].is_placeholder) continue;
    const bool open_before =
        star_before(i) &&
        (pieces[i - 1].is_placeholder || is_name_letter(pieces[i - 1].text.back()) || pieces[i - 1].text.back() == '*');
    const bool open_after =
        star_after(i) && (pieces[i + 1].is_placeholder || is_name_letter(pieces[i + 1].text.front()) ||
                          pieces[i + 1].text.front() == '*');
    if (open_before || open_after)
      return unclear("put a letter that no name has between the name and *, as in {context}.*.db");
  }
  return {};
}

}  // namespace spl::service
