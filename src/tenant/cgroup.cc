#include "tenant/cgroup.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "env/proc_files.h"

namespace spl::tenant {
namespace {

constexpr std::string_view kRoot = "/sys/fs/cgroup";
constexpr std::size_t kControllersBytesMax = 4096;
constexpr std::array<std::string_view, 3> kControllers{"memory", "cpu", "pids"};
constexpr int kPeriodMicroseconds = 100'000;

std::string directory_of(const std::string& tenant) {
  return env::join(kRoot, "spl-tenant-" + tenant);
}

Result<void> set(env::Env env, const std::string& file, const std::string& value) {
  const auto open = TRY(env.fs.open(file, env::OpenMode::kReadWrite));
  return open->write_at(0, value);
}

// Whether the words of the file have all of the controllers.
bool has_controllers(const std::string& file) {
  const auto text = env::read_proc(env::join(kRoot, file), kControllersBytesMax);
  if (!text || !*text) return false;
  const std::string words = " " + (*text)->substr(0, (*text)->find('\n')) + " ";
  return std::ranges::all_of(kControllers, [&words](std::string_view controller) {
    return words.find(" " + std::string(controller) + " ") != std::string::npos;
  });
}

std::string whole_or_max(const std::optional<std::uint64_t>& number) {
  return number ? std::to_string(*number) : "max";
}

}  // namespace

bool can_limit(env::Env /*env*/) {
  return has_controllers("cgroup.controllers");
}

bool is_limited(env::Env env, const std::string& tenant) {
  const auto info = env.fs.info(directory_of(tenant));
  return info && *info;
}

Result<void> limit(env::Env env, const std::string& tenant, const Limits& limits) {
  if (!can_limit(env))
    return fail(ErrorCode::kUnavailable, "this machine has no control groups that limit memory, processors and tasks");
  if (!has_controllers("cgroup.subtree_control"))
    TRY(set(env, env::join(kRoot, "cgroup.subtree_control"), "+memory +cpu +pids"));
  const std::string directory = directory_of(tenant);
  if (!TRY(env.fs.info(directory))) TRY(env.fs.make_directory(directory, 0755));
  TRY(set(env, env::join(directory, "memory.max"), whole_or_max(limits.memory_bytes)));
  TRY(set(env, env::join(directory, "pids.max"), whole_or_max(limits.tasks)));
  const std::string quota = limits.cpus ? std::to_string(std::llround(*limits.cpus * kPeriodMicroseconds)) : "max";
  return set(env, env::join(directory, "cpu.max"), quota + " " + std::to_string(kPeriodMicroseconds));
}

std::string members_file(const std::string& tenant) {
  return env::join(directory_of(tenant), "cgroup.procs");
}

Result<void> remove_limits(env::Env env, const std::string& tenant) {
  return env.fs.remove(directory_of(tenant));
}

}  // namespace spl::tenant
