#include "service/secrets.h"

#include <algorithm>
#include <cstring>

#include "base/encoding.h"
#include "base/names.h"
#include "base/words.h"
#include "crypto/aead.h"
#include "env/child_process.h"
#include "env/users.h"
#include "service/service_set.h"

namespace spl::service {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kMagic = "spl secret 1\n";
constexpr std::size_t kKeyBytes = crypto::kAeadKeyBytes;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kHomeIdBytes = 16;
constexpr auto kCommandTimeout = 60s;  // a password manager may ask its user

std::unexpected<Error> not_found(const std::string& handle) {
  return fail(Cause::kNotFound, "there is no secret " + handle, "spl secret set " + handle + " takes its value");
}

std::string id_path_of(const home::HomePaths& paths) {
  return env::join(paths.secrets(), "home_id");
}

// SPL_SECRET_KEY_FILE, else a place of the user's with the name of this home's secrets.
Result<std::string> key_path_of(env::Env env, const home::HomePaths& paths) {
  if (env.variables != nullptr) {
    if (const auto named = env.variables->get("SPL_SECRET_KEY_FILE")) {
      if (!named->starts_with('/')) return fail(ErrorCode::kUsage, "SPL_SECRET_KEY_FILE is no absolute path");
      return *named;
    }
  }
  const std::string id = base::escaped(TRY(env::read_followed(env.fs, id_path_of(paths), 256)), 64);
  if (env::own_user_id() == 0) return "/etc/spl/keys/" + id;
  const auto home = env.variables != nullptr ? env.variables->get("HOME") : std::nullopt;
  if (home) return *home + "/.config/spl/keys/" + id;
  const auto account = TRY(env::find_user(env::own_user_id()));
  if (!account) return fail("this user has no home directory for the key of secrets", "set SPL_SECRET_KEY_FILE");
  return account->directory + "/.config/spl/keys/" + id;
}

// secrets/<handle> with % for /, sealed under a key that is never below the home.
class FileSecrets final : public SecretStore {
 public:
  FileSecrets(env::Env env, home::HomePaths paths) : env_(env), paths_(std::move(paths)) {}

  Result<SecretBytes> get(const std::string& handle) override {
    TRY(check_handle(handle));
    const std::string path = path_of(handle);
    if (!TRY(env_.fs.info(path))) return not_found(handle);
    const std::string sealed =
        TRY(env::read_followed(env_.fs, path, kMagic.size() + kNonceBytes + kSecretBytesMax + 64));
    const SecretBytes key = TRY(read_key());
    constexpr std::size_t kHead = kMagic.size() + kNonceBytes;
    if (!sealed.starts_with(kMagic) || sealed.size() < kHead + crypto::kAeadTagBytes)
      return fail("the secret " + handle + " is damaged: " + path, "set it anew with spl secret set " + handle);
    crypto::AeadNonce nonce;
    std::memcpy(nonce.data(), &sealed[kMagic.size()], nonce.size());
    std::string text = sealed.substr(kHead);
    if (!crypto::Aead(key.reveal(), crypto::Aead::Direction::kOpen).open(nonce, text, handle))
      return fail("the secret " + handle + " cannot be opened: it is damaged, or sealed with another key than " +
                      TRY(key_path()),
                  "bring that key, or set the secret anew with spl secret set " + handle);
    text.resize(text.size() - crypto::kAeadTagBytes);
    SecretBytes value(text);
    explicit_bzero(text.data(), text.size());
    return value;
  }

  Result<void> set(const std::string& handle, const SecretBytes& value) override {
    TRY(check_handle(handle));
    const SecretBytes key = TRY(make_key());
    crypto::AeadNonce nonce;
    env_.random.fill(std::span(reinterpret_cast<char*>(nonce.data()), nonce.size()));
    std::string text(value.reveal());
    text.resize(text.size() + crypto::kAeadTagBytes);
    crypto::Aead(key.reveal(), crypto::Aead::Direction::kSeal).seal(nonce, text, handle);
    std::string sealed(kMagic);
    sealed.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
    TRY(env::make_directories(env_.fs, paths_.secrets()));
    return env::write_file_atomically(env_.fs, path_of(handle), sealed + text);
  }

  Result<std::vector<std::string>> list() override {
    std::vector<std::string> handles;
    if (!TRY(env_.fs.info(paths_.secrets()))) return handles;
    for (std::string name : TRY(env_.fs.list(paths_.secrets()))) {
      std::ranges::replace(name, '%', '/');
      if (check_handle(name)) handles.push_back(std::move(name));
    }
    std::ranges::sort(handles);
    return handles;
  }

  Result<bool> remove(const std::string& handle) override {
    TRY(check_handle(handle));
    if (!TRY(env_.fs.info(path_of(handle)))) return false;
    TRY(env_.fs.remove(path_of(handle)));
    TRY(env_.fs.sync_directory(paths_.secrets()));
    return true;
  }

 private:
  [[nodiscard]] std::string path_of(std::string handle) const {
    std::ranges::replace(handle, '/', '%');
    return env::join(paths_.secrets(), handle);
  }
  [[nodiscard]] std::string id_path() const { return id_path_of(paths_); }
  Result<std::string> key_path() { return key_path_of(env_, paths_); }

  Result<SecretBytes> read_key() {
    const std::string path = TRY(key_path());
    auto text = env::read_followed(env_.fs, path, kKeyBytes);
    if (!text)
      return fail(text.error().cause, "the key of the secrets cannot be read: " + text.error().message,
                  "bring the key of this home to its place, or name it with SPL_SECRET_KEY_FILE");
    if (text->size() != kKeyBytes) return fail("the key of the secrets is not 32 bytes: " + path);
    SecretBytes key(*text);
    explicit_bzero(text->data(), text->size());
    return key;
  }

  Result<SecretBytes> make_key() {
    if (!TRY(env_.fs.info(id_path()))) {
      std::string id(kHomeIdBytes, '\0');
      env_.random.fill(id);
      TRY(env::make_directories(env_.fs, paths_.secrets()));
      TRY(env::write_file_atomically(env_.fs, id_path(), base::to_hex(id)));
    }
    const std::string path = TRY(key_path());
    if (path.starts_with(paths_.root + "/"))
      return fail(ErrorCode::kUsage, "the key of the secrets would lie within the home: " + path,
                  "name a place elsewhere with SPL_SECRET_KEY_FILE");
    if (TRY(env_.fs.info(path))) return read_key();
    // A second key would make those that are sealed already unreadable.
    if (!TRY(list()).empty()) return read_key();
    std::string key(kKeyBytes, '\0');
    env_.random.fill(key);
    TRY(env::make_directories(env_.fs, env::parent_of(path)));
    auto written = env::write_file_atomically(env_.fs, path, key);
    SecretBytes made(key);
    explicit_bzero(key.data(), key.size());
    TRY(std::move(written));
    return made;
  }

  env::Env env_;
  const home::HomePaths paths_;
};

class EnvSecrets final : public SecretStore {
 public:
  explicit EnvSecrets(env::Env env) : env_(env) {}
  Result<SecretBytes> get(const std::string& handle) override {
    TRY(check_handle(handle));
    const auto value = env_.variables == nullptr ? std::nullopt : env_.variables->get(variable_of(handle));
    if (!value)
      return fail(Cause::kNotFound,
                  "there is no secret " + handle + ": the variable " + variable_of(handle) + " is not set",
                  "set it where spl is started");
    return SecretBytes(*value);
  }
  Result<void> set(const std::string& handle, const SecretBytes& /*value*/) override { return only_reads(handle); }
  Result<bool> remove(const std::string& handle) override { return only_reads(handle); }
  Result<std::vector<std::string>> list() override {
    // A variable does not say where its handle has a / and where a _ or a -.
    return fail(ErrorCode::kRefused, "the backend env cannot list its secrets", "spl secret check asks for each");
  }

 private:
  static std::unexpected<Error> only_reads(const std::string& handle) {
    return fail(ErrorCode::kRefused,
                "the backend env only reads: " + handle + " is the variable " + variable_of(handle),
                "set the variable where spl is started, or name another backend in config.toml");
  }
  env::Env env_;
};

// Another program has them: pass, a keyring, Vault.
class CommandSecrets final : public SecretStore {
 public:
  CommandSecrets(env::Env env, home::HomePaths paths, home::SecretsConfig config)
      : env_(env), paths_(std::move(paths)), config_(std::move(config)) {}

  Result<SecretBytes> get(const std::string& handle) override {
    TRY(check_handle(handle));
    env::CommandOutput output = TRY(run("get", config_.get, handle, {}));
    if (!output.exit.ok()) {
      explicit_bzero(output.output.data(), output.output.size());
      // One that cannot be opened just now is not missing: it would be made anew over the old one.
      if (!config_.list.empty() && std::ranges::binary_search(TRY(list()), handle))
        return fail(
            ErrorCode::kUnavailable,
            "the secret " + handle + " is there and cannot be read: the command of secrets.get " + output.exit.text(),
            "see whether it can be read by hand: the store may be locked");
      return fail(Cause::kNotFound,
                  "there is no secret " + handle + ": the command of secrets.get " + output.exit.text(),
                  "see whether it finds the secret when it is run by hand");
    }
    // Most end what they print with a newline that is not the secret's.
    std::string_view text = output.output;
    if (text.ends_with('\n')) text.remove_suffix(1);
    SecretBytes value(text);
    explicit_bzero(output.output.data(), output.output.size());
    return value;
  }

  Result<void> set(const std::string& handle, const SecretBytes& value) override {
    TRY(check_handle(handle));
    return must_work("set", config_.set, handle, value.reveal());
  }

  Result<std::vector<std::string>> list() override {
    const env::CommandOutput output = TRY(run("list", config_.list, "", {}));
    if (!output.exit.ok()) return fail("the command of secrets.list " + output.exit.text());
    std::vector<std::string> handles;
    for (std::string& line : base::split(output.output, '\n')) {
      if (check_handle(line)) handles.push_back(std::move(line));
    }
    std::ranges::sort(handles);
    return handles;
  }

  Result<bool> remove(const std::string& handle) override {
    if (const auto there = get(handle); !there) {
      if (there.error().cause == Cause::kNotFound) return false;
      return std::unexpected(there.error());
    }
    TRY(must_work("delete", config_.remove, handle, {}));
    return true;
  }

 private:
  Result<env::CommandOutput> run(const std::string& verb, const std::vector<std::string>& command,
                                 const std::string& handle, std::string_view input) {
    if (command.empty())
      return fail(ErrorCode::kRefused, "the backend command has no secrets." + verb,
                  "give it one in config.toml, or use the other program itself");
    env::ChildOptions options;
    for (std::string word : command) {
      for (std::size_t at = word.find("{handle}"); at != std::string::npos;
           at = word.find("{handle}", at + handle.size()))
        word.replace(at, 8, handle);
      options.arguments.push_back(std::move(word));
    }
    // A keyring or an agent is found by the user's variables.
    if (env_.variables != nullptr) {
      for (const std::string& name : env_.variables->names()) {
        if (const auto value = env_.variables->get(name)) options.environment.push_back(name + "=" + *value);
      }
    }
    // Who may write config.toml gets no other user's rights by it.
    options.user = TRY(foreign_owner_of(env_, paths_));
    return env::run_command(options, input, {.at_most = kCommandTimeout, .output_bytes_max = kSecretBytesMax + 1});
  }

  Result<void> must_work(const std::string& verb, const std::vector<std::string>& command, const std::string& handle,
                         std::string_view input) {
    const env::CommandOutput output = TRY(run(verb, command, handle, input));
    // What it says is not shown: it may be the value.
    if (!output.exit.ok()) return fail(handle + ": the command of secrets." + verb + " " + output.exit.text());
    return {};
  }

  env::Env env_;
  const home::HomePaths paths_;
  const home::SecretsConfig config_;
};

}  // namespace

Result<void> check_handle(std::string_view handle) {
  const auto parts = base::split(handle, '/');
  const bool good = (parts.size() == 2 || parts.size() == 3) &&
                    std::ranges::all_of(parts, [](const std::string& part) { return base::is_name(part); });
  if (good) return {};
  return fail(ErrorCode::kUsage, "\"" + base::escaped(handle, 100) + "\" is no handle of a secret",
              "a handle is SERVICE/NAME or SERVICE/CONTEXT/NAME");
}

std::string variable_of(std::string_view handle) {
  std::string name = "SPL_SECRET_";
  for (const char c : handle)
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : (c >= '0' && c <= '9') ? c : '_';
  return name;
}

Result<std::optional<std::string>> secret_key_file(env::Env env, const home::HomePaths& paths,
                                                   const home::SecretsConfig& config) {
  if (config.backend != home::SecretsConfig::Backend::kFile) return std::optional<std::string>();
  if (!TRY(env.fs.info(id_path_of(paths)))) return std::optional<std::string>();
  return std::optional(TRY(key_path_of(env, paths)));
}

std::unique_ptr<SecretStore> open_secrets(env::Env env, const home::HomePaths& paths,
                                          const home::SecretsConfig& config) {
  switch (config.backend) {
    case home::SecretsConfig::Backend::kEnv:
      return std::make_unique<EnvSecrets>(env);
    case home::SecretsConfig::Backend::kCommand:
      return std::make_unique<CommandSecrets>(env, paths, config);
    case home::SecretsConfig::Backend::kFile:
      break;
  }
  return std::make_unique<FileSecrets>(env, paths);
}

}  // namespace spl::service
