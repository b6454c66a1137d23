// The Unix user of a tenant, spl-NAME: made and removed as root by Debian's useradd, usermod, userdel. Its group has
// one more in it, the router, so that what the tenant opens to its group the router reaches, and no other tenant. One
// thread: who holds the register's lock. Sources: useradd(8), usermod(8), userdel(8), proc(5).
#pragma once

#include <string>

#include "base/result.h"
#include "env/env.h"
#include "env/users.h"

namespace spl::tenant {

std::string user_of(const std::string& tenant);

// With a group of its own, in which `router` is, too. `directory` is the user's own: not the home of its instance. Code
// kRefused where there is such a user or group already.
Result<env::UserIds> make_user(const std::string& user, const std::string& directory, const std::string& router);
// With its group, once what its maker had begun before it was killed has ended by itself; no error where it is not
// there.
Result<void> remove_user(env::Env env, const std::string& user);
// Kills every spl that works on the home, whoever it is by now: also one that a killed maker has left. Cause kTimeout.
Result<void> end_programs(env::Env env, const std::string& home);
// Kills every process of the user, until none is left. Cause kTimeout where one does not end. No error where there is
// no such user.
Result<void> end_processes(env::Env env, const std::string& user);

}  // namespace spl::tenant
