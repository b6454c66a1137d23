// The users and groups of the machine. Any thread. Source: getpwnam_r(3), getgrnam_r(3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace spl::env {

// Whom a process acts for: a user with its primary group, and the groups that the user database gives it.
struct UserIds {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool operator==(const UserIds&) const = default;
};

struct UserAccount {
  std::string name;
  UserIds ids;  // with its primary group
  std::string directory;
};

// Nothing where there is none.
Result<std::optional<UserAccount>> find_user(const std::string& name);
Result<std::optional<UserAccount>> find_user(std::uint32_t uid);
Result<std::optional<std::uint32_t>> find_group(const std::string& name);
std::uint32_t own_user_id();

}  // namespace spl::env
