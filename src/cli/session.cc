#include "cli/session.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/encoding.h"

namespace spl::cli {
namespace {

constexpr const char* kRootsHome = "/var/lib/spl";

Result<std::string> user_directory() {
  if (const auto home = variable("HOME")) return *home;
  const passwd* entry = ::getpwuid(::getuid());
  if (entry == nullptr || entry->pw_dir == nullptr)
    return fail(ErrorCode::kUsage, "the user has no home directory", "name the instance's home with --home DIR");
  return std::string(entry->pw_dir);
}

Result<std::string> default_home() {
  const auto directory = user_directory();
  const auto home = directory ? Result<std::string>(env::join(*directory, ".syncro")) : directory;
  if (::geteuid() != 0) return home;
  std::error_code error;
  return home && std::filesystem::exists(*home, error) ? home : kRootsHome;
}

}  // namespace

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

std::string temporary_directory() {
  const auto named = variable("TMPDIR");
  return named && named->starts_with('/') ? *named : "/tmp";
}

std::size_t Session::workers() {
  return std::max(1u, std::thread::hardware_concurrency());
}

Result<std::string> find_home(const std::optional<std::string>& given) {
  std::string home;
  if (given) {
    if (given->empty()) return fail(ErrorCode::kUsage, "--home is empty", "name a directory, or leave --home out");
    home = *given;
  } else if (const auto named = variable("SYNCROPEL_HOME")) {
    home = *named;
  } else {
    home = TRY(default_home());
  }
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(home, error);
  if (error)
    return fail("cannot find the directory " + shown(home) + ": " + error.message(), "give the whole path with --home");
  path = path.lexically_normal();
  if (!path.has_filename() && path.has_parent_path() && path != path.root_path()) path = path.parent_path();
  return path.string();
}

bool color_wanted() {
  return !variable("NO_COLOR");
}

std::string shown(std::string_view foreign) {
  return base::escaped(foreign, 512);
}

std::string shown_thread(std::string_view thread) {
  return thread.empty() ? "(no thread)" : shown(thread);
}

}  // namespace spl::cli
