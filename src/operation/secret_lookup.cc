#include "operation/secret_lookup.h"

#include <memory>
#include <string>

#include "service/secrets.h"

namespace spl::operation {

service::SecretLookup secret_lookup(env::Env env, const home::HomePaths& paths, const home::Config& config) {
  std::shared_ptr<service::SecretStore> secrets = service::open_secrets(env, paths, config.secrets);
  return [secrets](std::string_view handle) { return secrets->get(std::string(handle)); };
}

service::SecretLookup secret_lookup(const instance::Instance& instance, const home::Config& config) {
  return secret_lookup(instance.env(), instance.paths(), config);
}

}  // namespace spl::operation
