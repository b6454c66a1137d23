// A table of a TOML file that a person wrote, read key by key; whatever is wrong with it is said with file, line and
// key. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/enum_names.h"
#include "codec/toml_text.h"
#include "service/file_place.h"

namespace spl::service {

class TomlTable {
 public:
  // `name` is the table's in the file, for errors: "" of the file itself, "run", "surface".
  TomlTable(const toml::table& table, std::string file, std::string name)
      : table_(table), file_(std::move(file)), name_(std::move(name)) {}

  // Each is read at most once; what was not asked for at all is unknown to end(). An empty answer where it is missing.
  Result<std::optional<std::string>> text(std::string_view key);
  Result<std::optional<std::int64_t>> whole_number(std::string_view key);
  Result<std::optional<bool>> boolean(std::string_view key);
  Result<std::optional<std::vector<std::string>>> texts(std::string_view key);
  Result<std::optional<std::map<std::string, std::string>>> texts_by_name(std::string_view key);
  Result<std::optional<TomlTable>> table(std::string_view key);
  Result<std::vector<TomlTable>> tables(std::string_view key);
  // A text, or an array of them.
  Result<std::optional<std::vector<std::string>>> text_or_texts(std::string_view key);
  template <codec::NamedEnum E>
  Result<std::optional<E>> choice(std::string_view key) {
    const auto word = TRY(text(key));
    if (!word) return std::optional<E>();
    const auto value = codec::parse_enum<E>(*word);
    if (!value) return wrong(key, "is none of " + codec::enum_choices<E>());
    return value;
  }
  // The text, which must be there.
  Result<std::string> required_text(std::string_view key);

  [[nodiscard]] bool is_array(std::string_view key) const;

  // An unknown key is an error that names it.
  Result<void> end() const;
  // Of a key that is there, or of the table.
  [[nodiscard]] FilePlace place_of(std::string_view key) const;
  [[nodiscard]] FilePlace place() const;
  [[nodiscard]] std::unexpected<Error> wrong(std::string_view key, std::string_view why) const;

 private:
  [[nodiscard]] const toml::node* find(std::string_view key);
  [[nodiscard]] std::string full(std::string_view key) const;
  const toml::table& table_;
  std::string file_;
  std::string name_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace spl::service
