// Keeps packages from starting their own daemons while they are installed: /usr/sbin/policy-rc.d, which invoke-rc.d and
// deb-systemd-invoke ask. What is put there forbids nothing but to scripts that have environment_entry() among their
// variables: nobody else is kept from anything, neither meanwhile nor where a killed spl has left it. One thread.
// Source: /usr/share/doc/init-system-helpers/README.policy-rc.d.gz.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/env.h"

namespace spl::service {

inline constexpr const char* kStartPolicyFile = "/usr/sbin/policy-rc.d";

class StartPolicy {
 public:
  // A policy of the machine's own stays as it is: where it lets one of `packages` start its daemon, code kRefused. What
  // an earlier spl has left is taken over, with its variable: what that one began may still go on.
  static Result<std::unique_ptr<StartPolicy>> put(env::Env env, const std::vector<std::string>& packages,
                                                  const std::string& file = kStartPolicyFile);
  StartPolicy(const StartPolicy&) = delete;
  StartPolicy& operator=(const StartPolicy&) = delete;
  ~StartPolicy();  // takes it away

  // "NAME=value", for the program that installs.
  [[nodiscard]] std::string environment_entry() const;

 private:
  StartPolicy(env::Env env, std::string file, std::string token)
      : env_(env), file_(std::move(file)), token_(std::move(token)) {}
  const env::Env env_;
  const std::string file_;  // "" where the machine has a policy of its own
  const std::string token_;
};

}  // namespace spl::service
