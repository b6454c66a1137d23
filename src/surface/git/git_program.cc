#include "surface/git/git_program.h"

#include <array>
#include <utility>

#include "base/encoding.h"

namespace spl::surface {
namespace {

constexpr std::size_t kOutputBytesMax = 64u << 20;
constexpr std::chrono::hours kTimeMax{24};

using Severity = std::pair<std::string_view, std::string_view>;
constexpr std::array kSeverities{
    Severity{"missingEmail", "warn"},
    Severity{"missingNameBeforeEmail", "warn"},
    Severity{"missingSpaceBeforeEmail", "warn"},
    Severity{"missingSpaceBeforeDate", "warn"},
    Severity{"badEmail", "warn"},
    Severity{"badName", "warn"},
    Severity{"badDate", "warn"},
    Severity{"badTimezone", "warn"},
    Severity{"zeroPaddedDate", "warn"},
    Severity{"zeroPaddedFilemode", "warn"},
    Severity{"multipleAuthors", "warn"},
    Severity{"hasDot", "error"},
    Severity{"hasDotdot", "error"},
    Severity{"hasDotgit", "error"},
    Severity{"fullPathname", "error"},
};

}  // namespace

std::string fsck_severities() {
  std::string text;
  for (const auto& [what, severity] : kSeverities) {
    if (!text.empty()) text += ",";
    text.append(what).append("=").append(severity);
  }
  return text;
}

Result<env::ChildOptions> git_options(env::FileSystem& fs, const std::string& directory,
                                      const std::vector<std::string>& words) {
  env::ChildOptions options{.arguments = {"git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c",
                                          "protocol.allow=never", "-c", "gc.auto=0", "-c", "pack.threads=2"},
                            .environment = {}};
  for (const auto& [what, severity] : kSeverities) {
    options.arguments.emplace_back("-c");
    options.arguments.push_back("fsck." + std::string(what) + "=" + std::string(severity));
  }
  options.arguments.insert(options.arguments.end(), words.begin(), words.end());
  options.environment = {"PATH=/usr/local/bin:/usr/bin:/bin",
                         "LANG=C",
                         "HOME=/nonexistent",
                         "GIT_CONFIG_NOSYSTEM=1",
                         "GIT_CONFIG_GLOBAL=/dev/null",
                         "GIT_TERMINAL_PROMPT=0",
                         "GIT_OPTIONAL_LOCKS=0",
                         "GIT_DIR=" + directory};
  options.working_directory = "/";
  const auto info = env::own_user_id() == 0 ? TRY(fs.info(directory)) : std::nullopt;
  if (info && info->uid != 0) options.user = env::UserIds{info->uid, info->gid};
  return options;
}

Result<std::string> run_git(env::FileSystem& fs, const std::string& directory, const std::vector<std::string>& words,
                            base::Progress& progress, std::string_view input) {
  auto output =
      env::output_of_command(TRY(git_options(fs, directory, words)), input,
                             {.at_most = kTimeMax, .output_bytes_max = kOutputBytesMax, .progress = &progress});
  if (!output && output.error().code == ErrorCode::kUnavailable) output.error().hint = "install git";
  return output;
}

Result<std::string> git_version(env::FileSystem& fs, base::Progress& progress) {
  // "git version 2.39.5"
  std::string text = TRY(run_git(fs, "/", {"version"}, progress));
  while (text.ends_with('\n')) text.pop_back();
  constexpr std::string_view kHead = "git version ";
  return "git " + base::escaped(text.starts_with(kHead) ? text.substr(kHead.size()) : text, 40);
}

}  // namespace spl::surface
