#include "home/config.h"

#include <charconv>
#include <optional>

#include "codec/enum_names.h"
#include "codec/toml_text.h"
#include "crypto/age_keys.h"
#include "home/config_text.h"
#include "home/home.h"

namespace spl::home {
namespace {

constexpr std::size_t kConfigBytesMax = 1u << 20;

Result<std::vector<std::string>> recipients_of(const std::string& path, const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return config_error(path, node.source(), "recipients is not an array of strings");
  std::vector<std::string> recipients;
  for (const toml::node& item : *array) {
    const auto text = item.value<std::string>();
    if (!text) return config_error(path, item.source(), "recipients is not an array of strings");
    if (const auto parsed = crypto::Recipient::parse(*text); !parsed)
      return config_error(path, item.source(), parsed.error().message);
    recipients.push_back(*text);
  }
  return recipients;
}

Result<std::vector<std::string>> catalogs_of(const std::string& path, const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return config_error(path, node.source(), "catalogs is not an array of strings");
  std::vector<std::string> catalogs;
  for (const toml::node& item : *array) {
    const auto text = item.value<std::string>();
    if (!text || !text->starts_with('/'))
      return config_error(path, item.source(), "catalogs has what is no absolute path of a directory");
    catalogs.push_back(*text);
  }
  return catalogs;
}

Result<std::string> url_of(const std::string& path, const std::string& key, const toml::node& node) {
  auto url = node.value<std::string>().value_or("");
  if (!url.starts_with("https://") && !url.starts_with("http://"))
    return config_error(path, node.source(), key + " does not begin with https://");
  return url;
}

Result<std::vector<std::string>> command_of(const std::string& path, const std::string& key, const toml::node& node) {
  const toml::array* array = node.as_array();
  std::vector<std::string> words;
  bool good = array != nullptr && !array->empty();
  for (std::size_t i = 0; good && i < array->size(); ++i) {
    const auto word = (*array)[i].value<std::string>();
    good = word.has_value() && !(i == 0 && word->empty());
    if (good) words.push_back(*word);
  }
  if (!good) return config_error(path, node.source(), "secrets." + key + " is no command: an array of strings");
  return words;
}

Result<SecretsConfig> secrets_of(const std::string& path, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return config_error(path, node.source(), "secrets is not a table");
  SecretsConfig secrets;
  for (const auto& [key, value] : *table) {
    const std::string name(key.str());
    if (name == "backend") {
      const auto backend = codec::parse_enum<SecretsConfig::Backend>(value.value<std::string>().value_or(""));
      if (!backend)
        return config_error(path, value.source(),
                            "secrets.backend is none of " + codec::enum_choices<SecretsConfig::Backend>());
      secrets.backend = *backend;
    } else if (name == "get") {
      secrets.get = TRY(command_of(path, name, value));
    } else if (name == "set") {
      secrets.set = TRY(command_of(path, name, value));
    } else if (name == "list") {
      secrets.list = TRY(command_of(path, name, value));
    } else if (name == "delete") {
      secrets.remove = TRY(command_of(path, name, value));
    } else {
      return config_error(path, key.source(), "unknown key \"secrets." + name + "\"");
    }
  }
  const bool has_commands =
      !secrets.get.empty() || !secrets.set.empty() || !secrets.list.empty() || !secrets.remove.empty();
  const bool is_command = secrets.backend == SecretsConfig::Backend::kCommand;
  if (is_command && secrets.get.empty())
    return config_error(path, node.source(), "secrets.get is missing: the backend command wants it");
  if (!is_command && has_commands)
    return config_error(path, node.source(), "secrets has commands, and its backend is not command");
  return secrets;
}

// "30m", "12h", "7d": from a minute to thirty days.
std::optional<std::chrono::seconds> duration_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end + 1 != text.data() + text.size()) return std::nullopt;
  std::chrono::seconds unit{};
  if (*end == 'm') unit = std::chrono::minutes(1);
  if (*end == 'h') unit = std::chrono::hours(1);
  if (*end == 'd') unit = std::chrono::days(1);
  const auto whole = number * unit;
  if (whole < std::chrono::minutes(1) || whole > std::chrono::days(30)) return std::nullopt;
  return whole;
}

Result<Config> parse_config(const std::string& path, const std::string& text) {
  Config config;
  const auto table = codec::parse_toml(text);
  if (!table) return config_error_at(path, table.error().line, table.error().why);
  for (const auto& [key, node] : *table) {
    if (key.str() == "recipients") {
      config.recipients = TRY(recipients_of(path, node));
    } else if (key.str() == "store") {
      config.store_url = node.value<std::string>().value_or("");
      if (!config.store_url.starts_with("sqlite:/"))
        return config_error(path, node.source(), "store is not \"sqlite:\" and an absolute path");
    } else if (key.str() == "strict_signers") {
      if (!node.is_boolean()) return config_error(path, node.source(), "strict_signers is not true or false");
      config.strict_signers = *node.value<bool>();
    } else if (key.str() == "base_url") {
      config.base_url = TRY(url_of(path, "base_url", node));
    } else if (key.str() == "directory_url") {
      config.directory_url = TRY(url_of(path, "directory_url", node));
    } else if (key.str() == "ca_file") {
      config.ca_file = node.value<std::string>().value_or("");
      if (!config.ca_file.starts_with('/')) return config_error(path, node.source(), "ca_file is no absolute path");
    } else if (key.str() == "catalogs") {
      config.catalogs = TRY(catalogs_of(path, node));
    } else if (key.str() == "backup_dir") {
      config.backup_dir = node.value<std::string>().value_or("");
      if (!config.backup_dir.starts_with('/'))
        return config_error(path, node.source(), "backup_dir is no absolute path of a directory");
    } else if (key.str() == "session_idle") {
      const auto idle = duration_of(node.value<std::string>().value_or(""));
      if (!idle) return config_error(path, node.source(), "session_idle is no time such as \"12h\" or \"30m\"");
      config.session_idle = *idle;
    } else if (key.str() == "router") {
      config.router = TRY(parse_router_config(path, node));
    } else if (key.str() == "secrets") {
      config.secrets = TRY(secrets_of(path, node));
    } else {
      return config_error(path, key.source(), "unknown key \"" + std::string(key.str()) + "\"");
    }
  }
  return config;
}

}  // namespace

Result<Config> load_config(env::Env env, const HomePaths& paths) {
  if (!TRY(env.fs.info(paths.config()))) return Config{};
  // What it was to say may be whom a bundle is encrypted for: a link to nothing is not the same as no file.
  const std::string text = TRY(env::read_followed(env.fs, paths.config(), kConfigBytesMax));
  return parse_config(paths.config(), text);
}

}  // namespace spl::home
