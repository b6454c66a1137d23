#include "codec/toml_text.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

namespace spl::codec {
namespace {

class UnexpectedToml final : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

std::uint64_t lines_in(std::string_view text) {
  return 1 + static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

// The end of the string that begins at `at`; that of the text where it does not end.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string thrice(3, quote);
  const bool is_long = text.substr(at, 3) == thrice;
  for (at += is_long ? 3 : 1; at < text.size(); ++at) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (is_long ? text.substr(at, 3) == thrice : text[at] == quote || text[at] == '\n') {
      return at + (is_long ? 3 : 1);
    }
  }
  return text.size();
}

// Where a key of too many parts stands, if there is one: toml++ limits the nesting of values, and not that of keys.
std::optional<std::uint64_t> find_deep_key(std::string_view text) {
  std::size_t parts = 1;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = end_of_string(text, at);
    } else if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else {
      if (c == '.' && ++parts > kTomlKeyPartsMax) return lines_in(text.substr(0, at));
      if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) parts = 1;
      ++at;
    }
  }
  return std::nullopt;
}

bool fails_assertion(std::string_view text) {
  try {
    static_cast<void>(toml::parse(text));
  } catch (const toml::parse_error&) {
    return false;
  } catch (const UnexpectedToml&) {
    return true;
  }
  return false;
}

// An assertion does not say where the parser was. It reads from the beginning to the end: the line is the last of the
// shortest beginning that fails it.
std::uint64_t line_of_assertion(std::string_view text) {
  std::vector<std::size_t> ends;  // of the lines
  for (std::size_t at = 0; at < text.size(); at = ends.back())
    ends.push_back(std::min(text.find('\n', at), text.size() - 1) + 1);
  std::size_t good = 0;
  std::size_t bad = ends.size();
  while (good + 1 < bad) {
    const std::size_t middle = good + (bad - good) / 2;
    (fails_assertion(text.substr(0, ends[middle - 1])) ? bad : good) = middle;
  }
  return bad;
}

}  // namespace

void toml_assertion_failed(const char* what) {
  throw UnexpectedToml(what);
}

std::expected<toml::table, TomlError> parse_toml(std::string_view text) {
  if (const auto line = find_deep_key(text))
    return std::unexpected(TomlError{*line, "a key has more than " + std::to_string(kTomlKeyPartsMax) + " parts"});
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return std::unexpected(TomlError{error.source().begin.line, std::string(error.description())});
  } catch (const UnexpectedToml&) {
    return std::unexpected(TomlError{line_of_assertion(text), "this is not TOML"});
  }
}

}  // namespace spl::codec
