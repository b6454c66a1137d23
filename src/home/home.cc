#include "home/home.h"

#include <ranges>

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
    "# strict_signers = true        # an import into a store with records asks for a known signer\n";
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
  const std::string text = TRY(env::read_file(env.fs, paths.config(), kConfigBytesMax));
  return parse_config(paths.config(), text);
}

Result<void> make_lock_directory(env::Env env, const HomePaths& paths, std::vector<std::string>& made) {
  const std::string run = env::parent_of(paths.lock());
  for (std::string path = run; !TRY(env.fs.info(path)); path = env::parent_of(path)) made.insert(made.begin(), path);
  // Also where it is there: a run that was killed may have made it and not have made it durable.
  TRY(env::make_directories(env.fs, paths.root, kPassedMode));
  return env::make_directories(env.fs, run, kPassedMode);
}

Result<void> make_run_directory(env::Env env, const HomePaths& paths) {
  return env::make_directories(env.fs, paths.run(), kPassedMode);
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
