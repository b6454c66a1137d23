#include "tenant/account.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <string_view>
#include <vector>

#include "env/child_process.h"
#include "env/proc_files.h"
#include "env/process.h"
#include "env/process_table.h"
#include "service/system_user.h"

namespace spl::tenant {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPrefix = "spl-";
constexpr auto kEndAtMost = 15s;
constexpr auto kLookEvery = 20ms;
constexpr std::array<std::string_view, 5> kPrograms{"useradd", "usermod", "userdel", "groupadd", "groupdel"};

Result<void> run(const std::vector<std::string>& words) {
  const env::ChildOptions options{.arguments = words,
                                  .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}};
  TRY(env::output_of_command(options, "", {.at_most = 5min}));
  return {};
}

using IsMeant = std::function<Result<bool>(int pid)>;

// Sends the signal, 0 being none, to all that are meant until there is none.
Result<void> until_none(env::Env env, int signal, const std::string& what, const IsMeant& is_meant) {
  const auto end = env.clock.steady() + kEndAtMost;
  for (;;) {
    bool is_any = false;
    for (const int pid : TRY(env::proc_numbers("/proc"))) {
      if (pid == env::own_process_id()) continue;
      // The handle first: what is looked at afterwards is the process that it stays with.
      const auto handle = env::ProcessHandle::open(pid);
      // What has ended and was not waited for has no mark any more.
      if (!handle || !*handle || !TRY(is_meant(pid)) || !TRY(env::process_mark(pid))) continue;
      is_any = true;
      if (signal != 0) TRY((*handle)->signal(signal));
    }
    if (!is_any) return {};
    if (env.clock.steady() > end) return fail(Cause::kTimeout, what + " do not end");
    env.clock.sleep_for(kLookEvery);
  }
}

std::vector<std::string> words_of(int pid) {
  return env::command_line(pid).value_or(std::vector<std::string>());
}

// Whether the process makes or removes the user just now.
bool changes_user(int pid, const std::string& user) {
  const std::vector<std::string> words = words_of(pid);
  if (std::ranges::find(words, user) == words.end()) return false;
  return std::ranges::any_of(kPrograms, [&](std::string_view program) { return words.front().ends_with(program); });
}

}  // namespace

std::string user_of(const std::string& tenant) {
  return std::string(kPrefix) + tenant;
}

Result<env::UserIds> make_user(const std::string& user, const std::string& directory, const std::string& router) {
  if (TRY(env::find_user(user)) || TRY(env::find_group(user)))
    return fail(ErrorCode::kRefused, Cause::kFileExists, "the machine has a user or group " + user + " already",
                "give the tenant another name");
  TRY(service::make_system_user(router, "/nonexistent"));
  TRY(service::make_system_user(user, directory));
  TRY(run({"usermod", "--append", "--groups", user, router}));
  const auto made = TRY(env::find_user(user));
  if (!made || made->ids.uid == 0) return fail("useradd has made no user " + user);
  return made->ids;
}

Result<void> remove_user(env::Env env, const std::string& user) {
  if (!user.starts_with(kPrefix)) return fail("the user " + user + " is no tenant's");
  TRY(until_none(env, 0, "programs that make the user " + user,
                 [&user](int pid) -> Result<bool> { return changes_user(pid, user); }));
  if (TRY(env::find_user(user))) TRY(run({"userdel", "--force", user}));
  // userdel leaves a group in which somebody else is.
  if (TRY(env::find_group(user))) TRY(run({"groupdel", user}));
  return {};
}

Result<void> end_programs(env::Env env, const std::string& home) {
  return until_none(env, SIGKILL, "programs that work on " + home, [&home](int pid) -> Result<bool> {
    const std::vector<std::string> words = words_of(pid);
    const auto option = std::ranges::adjacent_find(
        words, [&home](const std::string& one, const std::string& next) { return one == "--home" && next == home; });
    return option != words.end();
  });
}

Result<void> end_processes(env::Env env, const std::string& user) {
  const auto account = TRY(env::find_user(user));
  if (!account) return {};
  if (!user.starts_with(kPrefix) || account->ids.uid == 0) return fail("the user " + user + " is no tenant's");
  return until_none(env, SIGKILL, "processes of the user " + user, [&](int pid) -> Result<bool> {
    const auto info = TRY(env.fs.info("/proc/" + std::to_string(pid)));
    return info && info->uid == account->ids.uid;
  });
}

}  // namespace spl::tenant
