// The values of secrets, for whoever replaces {secret:..}. Any thread.
#pragma once

#include "home/home.h"
#include "instance/instance.h"
#include "service/placeholders.h"

namespace spl::operation {

// From the backend that config.toml names; opened when the first is asked for. The environment outlives it.
service::SecretLookup secret_lookup(const instance::Instance& instance, const home::Config& config);
service::SecretLookup secret_lookup(env::Env env, const home::HomePaths& paths, const home::Config& config);

}  // namespace spl::operation
