#include "service/system_user.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "env/child_process.h"
#include "env/users.h"

namespace spl::service {
namespace {

constexpr std::size_t kNameBytesMax = 32;

// As useradd(8) has it.
bool is_user_name(const std::string& name) {
  const auto begins = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && name.size() <= kNameBytesMax && begins(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return begins(c) || (c >= '0' && c <= '9') || c == '-'; });
}

Result<void> run(const std::vector<std::string>& words) {
  const env::ChildOptions options{.arguments = words,
                                  .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}};
  TRY(env::output_of_command(options, "", {.at_most = std::chrono::minutes(5)}));
  return {};
}

struct Lacking {
  bool user = false;
  bool group = false;
};

Result<Lacking> lacking(const ServiceSet& set, const Declaration& service) {
  // In a home that is not root's services run as its owner.
  if (env::own_user_id() != 0 || set.home_owner() || !service.run) return Lacking{};
  const RunDeclaration& run = *service.run;
  Lacking lacks;
  lacks.user = !run.user.empty() && !TRY(env::find_user(run.user));
  lacks.group = !run.group.empty() && !TRY(env::find_group(run.group));
  return lacks;
}

}  // namespace

Result<bool> lacks_user(const ServiceSet& set, const Declaration& service) {
  const Lacking lacks = TRY(lacking(set, service));
  return lacks.user || lacks.group;
}

Result<std::string> make_user(const ServiceSet& set, const Declaration& service) {
  const Lacking lacks = TRY(lacking(set, service));
  if (!lacks.user && !lacks.group) return std::string();
  const RunDeclaration& declared = *service.run;
  for (const std::string& name : {declared.user, declared.group}) {
    if (!name.empty() && !is_user_name(name))
      return wrong_at(service.at, "run.user or run.group is a name that no user can be given: " + name);
  }
  if (lacks.group) TRY(run({"groupadd", "--system", declared.group}));
  if (!lacks.user) return declared.group;
  TRY_IN("service " + service.name, make_system_user(declared.user, set.data_directory(service.name)));
  return declared.user;
}

Result<void> make_system_user(const std::string& name, const std::string& directory) {
  if (TRY(env::find_user(name))) return {};
  std::vector<std::string> words{"useradd",          "--system", "--home-dir",       directory,
                                 "--no-create-home", "--shell",  "/usr/sbin/nologin"};
  if (TRY(env::find_group(name))) {
    words.insert(words.end(), {"--gid", name});
  } else {
    words.emplace_back("--user-group");
  }
  words.push_back(name);
  return run(words);
}

}  // namespace spl::service
