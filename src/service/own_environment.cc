#include "service/own_environment.h"

#include "env/users.h"

namespace spl::service {

std::string own_run_directory() {
  return "/run/user/" + std::to_string(env::own_user_id());
}

std::vector<std::string> own_environment() {
  std::vector<std::string> entries{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C",
                                   "LC_ALL=C"};
  const auto account = env::find_user(env::own_user_id());
  if (account && *account) {
    entries.push_back("HOME=" + (*account)->directory);
    entries.push_back("USER=" + (*account)->name);
  }
  if (env::own_user_id() != 0) entries.push_back("XDG_RUNTIME_DIR=" + own_run_directory());
  return entries;
}

}  // namespace spl::service
