#include "service/toml_table.h"

namespace spl::service {

std::unexpected<Error> wrong_at(const FilePlace& place, const std::string& why, std::string hint) {
  return fail(ErrorCode::kUsage, place.file + ":" + std::to_string(place.line) + ": " + why, std::move(hint));
}

std::string TomlTable::full(std::string_view key) const {
  return name_.empty() ? std::string(key) : name_ + "." + std::string(key);
}

FilePlace TomlTable::place() const {
  return {file_, std::max<std::uint64_t>(table_.source().begin.line, 1)};
}

FilePlace TomlTable::place_of(std::string_view key) const {
  for (const auto& [name, node] : table_) {
    if (name.str() == key) return {file_, name.source().begin.line};
  }
  return place();
}

std::unexpected<Error> TomlTable::wrong(std::string_view key, std::string_view why) const {
  return wrong_at(place_of(key), full(key) + " " + std::string(why));
}

const toml::node* TomlTable::find(std::string_view key) {
  known_.emplace(key);
  return table_.get(key);
}

Result<std::optional<std::string>> TomlTable::text(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::optional<std::string>();
  const auto* value = node->as_string();
  if (value == nullptr) return wrong(key, "is not a text");
  return std::optional<std::string>(value->get());
}

Result<std::string> TomlTable::required_text(std::string_view key) {
  auto value = TRY(text(key));
  if (!value || value->empty()) return wrong_at(place_of(key), full(key) + " is missing");
  return std::move(*value);
}

Result<std::optional<std::int64_t>> TomlTable::whole_number(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::optional<std::int64_t>();
  const auto* value = node->as_integer();
  if (value == nullptr || value->get() < 0) return wrong(key, "is not a whole number");
  return std::optional<std::int64_t>(value->get());
}

Result<std::optional<bool>> TomlTable::boolean(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::optional<bool>();
  const auto* value = node->as_boolean();
  if (value == nullptr) return wrong(key, "is not true or false");
  return std::optional<bool>(value->get());
}

Result<std::optional<std::vector<std::string>>> TomlTable::texts(std::string_view key) {
  using Texts = std::optional<std::vector<std::string>>;
  const toml::node* node = find(key);
  if (node == nullptr) return Texts();
  const toml::array* array = node->as_array();
  if (array == nullptr) return wrong(key, "is not an array of texts");
  std::vector<std::string> values;
  for (const toml::node& item : *array) {
    const auto* value = item.as_string();
    if (value == nullptr) return wrong(key, "is not an array of texts");
    values.push_back(value->get());
  }
  return Texts(std::move(values));
}

Result<std::optional<std::vector<std::string>>> TomlTable::text_or_texts(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr || node->is_array()) return texts(key);
  auto one = text(key);
  if (!one) return wrong(key, "is not a text or an array of texts");
  return std::optional(std::vector<std::string>{**one});
}

Result<std::optional<std::map<std::string, std::string>>> TomlTable::texts_by_name(std::string_view key) {
  using Texts = std::optional<std::map<std::string, std::string>>;
  const toml::node* node = find(key);
  if (node == nullptr) return Texts();
  const toml::table* table = node->as_table();
  if (table == nullptr) return wrong(key, "is not a table of texts");
  std::map<std::string, std::string> values;
  for (const auto& [name, item] : *table) {
    const auto* value = item.as_string();
    if (value == nullptr) return wrong(key, "has a member that is not a text: " + std::string(name.str()));
    values.emplace(name.str(), value->get());
  }
  return Texts(std::move(values));
}

Result<std::optional<TomlTable>> TomlTable::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::optional<TomlTable>();
  if (node->as_table() == nullptr) return wrong(key, "is not a table");
  return std::optional<TomlTable>(TomlTable(*node->as_table(), file_, full(key)));
}

Result<std::vector<TomlTable>> TomlTable::tables(std::string_view key) {
  std::vector<TomlTable> found;
  const toml::node* node = find(key);
  if (node == nullptr) return found;
  const toml::array* array = node->as_array();
  const std::string brackets = "is not written as [[" + full(key) + "]]";
  if (array == nullptr) return wrong(key, brackets);
  for (const toml::node& item : *array) {
    if (item.as_table() == nullptr) return wrong(key, brackets);
    found.emplace_back(*item.as_table(), file_, full(key));
  }
  return found;
}

bool TomlTable::is_array(std::string_view key) const {
  const toml::node* node = table_.get(key);
  return node != nullptr && node->is_array();
}

Result<void> TomlTable::end() const {
  for (const auto& [name, node] : table_) {
    if (known_.contains(name.str())) continue;
    return wrong_at({file_, name.source().begin.line}, "unknown key \"" + full(name.str()) + "\"");
  }
  return {};
}

}  // namespace spl::service
