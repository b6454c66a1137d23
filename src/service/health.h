// Whether a service answers, as its declaration says how to ask. Any thread.
#pragma once

#include <chrono>

#include "base/result.h"
#include "env/env.h"
#include "service/program.h"

namespace spl::service {

// What is asked, and of whom.
struct HealthQuestion {
  std::string address;  // "unix:PATH", "tcp:HOST:PORT"
  std::string path;     // of HTTP; "" where a connection is answer enough
};
// Of "unix:PATH:/URL", "unix:PATH", "tcp:HOST:PORT" or "http://HOST[:PORT]/URL".
HealthQuestion health_question(const std::string& health);

// No error where it is well; code kUnavailable where it is not, with why. A declaration without `health` is always
// well.
Result<void> ask_health(env::Env env, const ServiceSet& set, const Declaration& service, const SecretLookup& secrets,
                        std::chrono::milliseconds at_most);

}  // namespace spl::service
