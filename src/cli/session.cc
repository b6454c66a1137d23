#include "cli/session.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/encoding.h"
#include "base/version.h"
#include "cli/help.h"
#include "env/terminal.h"

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
  auto home = directory ? Result<std::string>(env::join(*directory, ".syncro")) : directory;
  if (::geteuid() != 0) return home;
  std::error_code error;
  return home && std::filesystem::exists(*home, error) ? home : kRootsHome;
}

}  // namespace

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

std::optional<std::string> ProcessVariables::get(const std::string& name) const {
  return variable(name.c_str());
}

std::vector<std::string> ProcessVariables::names() const {
  std::vector<std::string> found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    found.emplace_back(text.substr(0, text.find('=')));
  }
  return found;
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
  // Without links, so that it has one name: the processes of its services are known by it.
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  path = error ? path.lexically_normal() : real;
  if (!path.has_filename() && path.has_parent_path() && path != path.root_path()) path = path.parent_path();
  return path.string();
}

bool color_wanted() {
  return !variable("NO_COLOR") && variable("TERM") != "dumb";
}

Letters letters_shown() {
  const std::string lc_all = variable("LC_ALL").value_or("");
  const std::string lc_ctype = variable("LC_CTYPE").value_or("");
  const std::string lang = variable("LANG").value_or("");
  const std::string term = variable("TERM").value_or("");
  return env::shows_unicode({lc_all, lc_ctype, lang, term}) ? Letters::kUnicode : Letters::kAscii;
}

std::size_t help_width() {
  std::size_t width = kHelpWidthMax;
  if (const auto columns = env::terminal_width(STDOUT_FILENO)) {
    width = *columns;
  } else if (const auto named = variable("COLUMNS")) {
    const auto [end, error] = std::from_chars(named->data(), named->data() + named->size(), width);
    if (error != std::errc() || *end != '\0') width = kHelpWidthMax;
  }
  return std::clamp(width, kHelpWidthMin, kHelpWidthMax);
}

std::string version_text(std::string_view commit) {
  return std::string("spl ") + base::kVersion + " (" + std::string(commit) + ")";
}

std::string shown(std::string_view foreign) {
  return base::escaped(foreign, 512);
}

std::string shown_thread(std::string_view thread) {
  return thread.empty() ? "(no thread)" : shown(thread);
}

}  // namespace spl::cli
