#include "home/home.h"

#include <ranges>

#include "codec/enum_names.h"
#include "codec/toml_text.h"
#include "crypto/age_keys.h"

namespace spl::home {
namespace {

constexpr std::size_t kConfigBytesMax = 1u << 20;
// Users of services pass through to what is theirs below, and see no name that they do not know.
constexpr std::uint32_t kPassedMode = 0711;
constexpr std::uint32_t kClosedMode = 0700;

constexpr std::string_view kConfigTemplate =
    "# Configuration of this instance. Every line is optional.\n"
    "#\n"
    "# recipients = [\"age1...\"]    # encrypt every export for these; spl export --plaintext overrules it\n"
    "# store = \"sqlite:/srv/spl/hub.db\"  # where the records are, if not in hub.db beside this file\n"
    "# strict_signers = true        # an import into a store with records asks for a known signer\n"
    "# base_url = \"https://spl.example.org\"  # where peers find this instance, if not where spl serve listens\n"
    "# directory_url = \"https://directory.example.org\"  # an instance that is asked where peers have gone\n"
    "# ca_file = \"/etc/spl/peers.pem\"  # certificates that peers' are to be from, if not the machine's\n"
    "# catalogs = [\"/etc/spl/catalog\"]  # directories of declarations that spl service X install takes from, too\n"
    "#\n"
    "# [secrets]                    # where the values of services' secrets are: file (the default), env or command\n"
    "# backend = \"command\"\n"
    "# get     = [\"pass\", \"show\", \"spl/{handle}\"]\n"
    "# set     = [\"pass\", \"insert\", \"--multiline\", \"--force\", \"spl/{handle}\"]\n"
    "# delete  = [\"pass\", \"rm\", \"--force\", \"spl/{handle}\"]\n";
constexpr std::string_view kContextsTemplate = "# The contexts (tenants) of this instance: a name and an id each.\n";

std::unexpected<Error> config_error(const std::string& path, std::uint64_t line, const std::string& why) {
  return fail(ErrorCode::kUsage, path + ":" + std::to_string(line) + ": " + why,
              "mend the line or take it out: every line is optional");
}
std::unexpected<Error> config_error(const std::string& path, const toml::source_region& at, const std::string& why) {
  return config_error(path, at.begin.line, why);
}

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

Result<Config> parse_config(const std::string& path, const std::string& text) {
  Config config;
  const auto table = codec::parse_toml(text);
  if (!table) return config_error(path, table.error().line, table.error().why);
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
    } else if (key.str() == "secrets") {
      config.secrets = TRY(secrets_of(path, node));
    } else {
      return config_error(path, key.source(), "unknown key \"" + std::string(key.str()) + "\"");
    }
  }
  return config;
}

// A directory that holds something by now is somebody's: it stays.
Result<void> remove_if_unused(env::Env env, const std::string& path) {
  const auto info = TRY(env.fs.info(path));
  if (!info) return {};
  if (info->type == env::FileType::kDirectory && !TRY(env.fs.list(path)).empty()) return {};
  return env.fs.remove(path);
}

}  // namespace

Result<Config> load_config(env::Env env, const HomePaths& paths) {
  if (!TRY(env.fs.info(paths.config()))) return Config{};
  // What it was to say may be whom a bundle is encrypted for: a link to nothing is not the same as no file.
  const std::string text = TRY(env::read_followed(env.fs, paths.config(), kConfigBytesMax));
  return parse_config(paths.config(), text);
}

Result<void> make_root(env::Env env, const HomePaths& paths, std::vector<std::string>& made) {
  for (std::string path = paths.run(); !TRY(env.fs.info(path)); path = env::parent_of(path))
    made.insert(made.begin(), path);
  // Also where it is there: a run that was killed may have made it and not have made it durable.
  TRY(env::make_directories(env.fs, paths.root, kPassedMode));
  return make_run_directory(env, paths);
}

Result<void> make_run_directory(env::Env env, const HomePaths& paths) {
  // Where it is a link, a reboot may have taken away what it leads to.
  return env::make_directories(env.fs, TRY(env::follow_links(env.fs, paths.run())), kPassedMode);
}

Result<void> make_home(env::Env env, const HomePaths& paths, std::vector<std::string>& made) {
  for (const auto& [name, mode] :
       {std::pair("identity", kClosedMode), std::pair("secrets", kClosedMode), std::pair("services", kClosedMode),
        std::pair("data", kPassedMode), std::pair("logs", kClosedMode)}) {
    const std::string path = env::join(paths.root, name);
    if (TRY(env.fs.info(path))) continue;
    TRY(env.fs.make_directory(path, mode));
    made.push_back(path);
  }
  for (const auto& [path, content] :
       {std::pair(paths.config(), kConfigTemplate), std::pair(paths.contexts(), kContextsTemplate)}) {
    if (TRY(env.fs.info(path))) continue;
    made.push_back(path);
    TRY(env::write_file_atomically(env.fs, path, content));
  }
  return env.fs.sync_directory(paths.root);
}

Result<void> unmake_home(env::Env env, const std::vector<std::string>& made) {
  Result<void> all;
  for (const std::string& path : std::views::reverse(made)) {
    auto removed = remove_if_unused(env, path);
    if (!removed && all) all = std::move(removed);
  }
  return all;
}

}  // namespace spl::home
