// The values of secrets: a handle ("notes/smtp_password", "notes/geomind/key") and what only a backend knows. No value
// is in an error, a log, an argument of a program or a bundle (docs/formats/secrets.md). One thread at a time writes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::service {

inline constexpr std::size_t kSecretBytesMax = 64u << 10;

class SecretStore {
 public:
  virtual ~SecretStore() = default;
  // Cause kNotFound where there is none.
  virtual Result<SecretBytes> get(const std::string& handle) = 0;
  // Durable when it returns. Code kRefused where the backend only reads.
  virtual Result<void> set(const std::string& handle, const SecretBytes& value) = 0;
  // Ascending. Code kRefused where the backend cannot tell.
  virtual Result<std::vector<std::string>> list() = 0;
  // False where there was none.
  virtual Result<bool> remove(const std::string& handle) = 0;
};

// The backend that the configuration names.
std::unique_ptr<SecretStore> open_secrets(env::Env env, const home::HomePaths& paths,
                                          const home::SecretsConfig& config);
// Of the backend `file`: where the key of the sealed values is, whether it is there or not. Nothing of the other
// backends, and where no value was ever set.
Result<std::optional<std::string>> secret_key_file(env::Env env, const home::HomePaths& paths,
                                                   const home::SecretsConfig& config);
// The variable in which the backend env looks for a handle: SPL_SECRET_NOTES_SMTP_PASSWORD.
std::string variable_of(std::string_view handle);
// Code kUsage where it is no handle: two or three names with / between them.
Result<void> check_handle(std::string_view handle);

}  // namespace spl::service
