#include "service/packages.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <set>

#include "base/encoding.h"
#include "base/words.h"
#include "env/child_process.h"
#include "env/descriptor.h"
#include "env/users.h"
#include "service/start_policy.h"

namespace spl::service {
namespace {

using namespace std::chrono_literals;

constexpr auto kDownloadLongest = 6h;
constexpr auto kInstallLongest = 24h;  // a dpkg that is killed leaves a broken machine
constexpr std::uint64_t kSaidBytesMax = 4u << 10;
constexpr std::uint32_t kLogMode = 0600;
constexpr const char* kLockFile = "/run/spl-packages.lock";
constexpr const char* kUnitLinks = "/etc/systemd/system";

// What of the caller's environment apt-get heeds.
constexpr std::array kVariables{"APT_CONFIG", "http_proxy", "https_proxy", "no_proxy"};

std::vector<std::string> plain_environment() {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"};
}

struct DpkgPackage {
  std::string source;
  bool is_installed = false;
};

// Of all packages that dpkg knows of, or of one.
Result<std::map<std::string, DpkgPackage>> packages_of(const std::string& package) {
  env::ChildOptions options{
      .arguments = {"dpkg-query", "-W", "-f", "${Package}\t${source:Package}\t${db:Status-Status}\n"},
      .environment = plain_environment()};
  if (!package.empty()) options.arguments.insert(options.arguments.end(), {"--", package});
  auto ran = env::run_command(options, "", {.at_most = 5min, .output_bytes_max = 64u << 20});
  if (!ran) {
    Error error = std::move(ran).error();
    if (error.code == ErrorCode::kUnavailable) error.hint = "apt: is for Debian and what is made of it";
    return std::unexpected(std::move(error));
  }
  // 1: it knows of no such package.
  if (!ran->exit.ok() && (package.empty() || ran->exit.code != 1))
    return fail("dpkg-query " + ran->exit.text(), "see that dpkg works: dpkg-query -W");
  std::map<std::string, DpkgPackage> packages;
  for (const std::string& line : base::split(ran->output, '\n')) {
    const auto words = base::split(line, '\t');
    if (words.size() != 3) continue;
    DpkgPackage& one = packages[words[0]];
    one.source = words[1];
    one.is_installed = one.is_installed || words[2] == "installed";
  }
  return packages;
}

// The end of what was said since the log had `from` octets.
std::string said_since(env::Env env, const std::string& log, std::uint64_t from) {
  const auto file = env.fs.open(log, env::OpenMode::kRead);
  if (!file) return "";
  const std::uint64_t size = (*file)->size().value_or(0);
  std::string text(std::min(size - std::min(from, size), kSaidBytesMax), '\0');
  text.resize((*file)->read_at(size - text.size(), text).value_or(0));
  std::string errors;
  for (const std::string& line : base::split(text, '\n')) {
    if (line.starts_with("E: ")) errors += (errors.empty() ? "" : "; ") + line.substr(3);
  }
  return base::escaped(errors, 800);
}

// apt-get and all that it runs say what they say to a file: they go on whatever becomes of spl.
class AptGet {
 public:
  AptGet(env::Env env, const PackageInstall& install, const StartPolicy& policy) : env_(env), install_(install) {
    environment_ = plain_environment();
    environment_.insert(environment_.end(), {"DEBIAN_FRONTEND=noninteractive", "APT_LISTCHANGES_FRONTEND=none",
                                             "NEEDRESTART_SUSPEND=1", policy.environment_entry()});
    for (const char* name : kVariables) {
      const auto value = env.variables == nullptr ? std::nullopt : env.variables->get(name);
      if (value) environment_.push_back(std::string(name) + "=" + *value);
    }
  }

  // Code kFailed with what apt-get said, where it ended with another code than 0.
  Result<void> run(const std::vector<std::string>& words, std::chrono::milliseconds at_most, base::Progress* progress) {
    const env::Descriptor log(
        ::open(install_.log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kLogMode));
    if (!log.is_open()) return base::fail_errno("cannot open " + install_.log, errno);
    const auto before = TRY(env_.fs.info(install_.log));
    env::ChildOptions options{.arguments = {"/bin/sh", "-c", "exec \"$@\" 2>&1", "sh", "apt-get", "-y", "--no-remove",
                                            "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Options::=--force-confdef",
                                            "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Use-Pty=0"},
                              .environment = environment_,
                              .output = log.number()};
    options.arguments.insert(options.arguments.end(), words.begin(), words.end());
    const auto child = TRY(env::ChildProcess::start(options));
    child->limit_waits(at_most, progress);
    const env::ChildExit exit = TRY(child->wait());
    if (exit.ok()) return {};
    const std::string said = said_since(env_, install_.log, before ? before->size_bytes : 0);
    return fail("apt-get " + exit.text() + (said.empty() ? "" : ": " + said), "all that it said is in " + install_.log);
  }

 private:
  const env::Env env_;
  const PackageInstall& install_;
  std::vector<std::string> environment_;
};

// The package files of what is to be installed, in apt's cache. Lists that are missing or old are fetched.
Result<void> fetch(AptGet& apt, const std::string& package, base::Progress& progress) {
  const std::vector<std::string> words{"install", "--download-only", "--", package};
  progress.step("apt-get downloads " + package + " and what it needs");
  if (apt.run(words, kDownloadLongest, &progress)) return {};
  if (progress.cancelled()) return base::fail_cancelled("no package was installed");
  progress.step("apt-get fetches its lists");
  const auto updated = apt.run({"update"}, kDownloadLongest, &progress);
  auto again = apt.run(words, kDownloadLongest, &progress);
  if (again) return {};
  Error error = std::move(again).error();
  error.code = ErrorCode::kUnavailable;
  if (!updated) error.message += "; its lists could not be fetched: " + updated.error().message;
  return std::unexpected(std::move(error));
}

// Units of systemd that the packages have, but for templates.
Result<std::vector<std::string>> units_of(const std::vector<std::string>& packages) {
  if (packages.empty()) return std::vector<std::string>();
  env::ChildOptions options{.arguments = {"dpkg-query", "-L"}, .environment = plain_environment()};
  options.arguments.insert(options.arguments.end(), packages.begin(), packages.end());
  const std::string files = TRY(env::output_of_command(options, "", {.at_most = 5min, .output_bytes_max = 64u << 20}));
  std::set<std::string> units;
  for (const std::string& file : base::split(files, '\n')) {
    const std::size_t slash = file.rfind('/');
    if (slash == std::string::npos || !file.substr(0, slash).ends_with("/systemd/system")) continue;
    const std::string unit = file.substr(slash + 1);
    if (unit.find('@') != std::string::npos) continue;
    for (const std::string_view type : {".service", ".socket", ".timer", ".path"}) {
      if (unit.ends_with(type)) units.insert(unit);
    }
  }
  return std::vector<std::string>(units.begin(), units.end());
}

// The links by which it starts with the machine.
Result<std::vector<std::string>> links_of(env::Env env, const std::string& unit) {
  std::vector<std::string> links;
  if (!TRY(env.fs.info(kUnitLinks))) return links;
  for (const std::string& name : TRY(env.fs.list(kUnitLinks))) {
    if (!name.ends_with(".wants") && !name.ends_with(".requires")) continue;
    std::string link = env::join(env::join(kUnitLinks, name), unit);
    if (TRY(env.fs.info(link))) links.push_back(std::move(link));
  }
  return links;
}

Result<void> disable(env::Env env, const std::string& unit) {
  // It takes away other names of the unit and the links of an init script, too.
  const env::ChildOptions by_systemd{.arguments = {"systemctl", "--quiet", "disable", unit},
                                     .environment = plain_environment()};
  (void)env::run_command(by_systemd, "", {.at_most = 5min});
  for (const std::string& link : TRY(links_of(env, unit))) TRY(env.fs.remove(link));
  return {};
}

// What would start at the machine's next start: daemons that spl runs are not to be there twice.
Result<void> settle_units(env::Env env, const PackageInstall& install, const std::map<std::string, DpkgPackage>& before,
                          InstalledPackage& done) {
  const auto now = TRY(packages_of(""));
  const std::string source = now.at(install.package).source;
  std::vector<std::string> own;
  std::vector<std::string> others;
  for (const auto& [name, package] : now) {
    const auto was = before.find(name);
    if (!package.is_installed || (was != before.end() && was->second.is_installed)) continue;
    done.packages.push_back(name);
    (package.source == source ? own : others).push_back(name);
  }
  for (const std::string& unit : TRY(units_of(own))) {
    if (unit == install.kept_unit || TRY(links_of(env, unit)).empty()) continue;
    TRY(disable(env, unit));
    done.units_disabled.push_back(unit);
  }
  for (const std::string& unit : TRY(units_of(others))) {
    if (!TRY(links_of(env, unit)).empty()) done.units_enabled.push_back(unit);
  }
  return {};
}

}  // namespace

Result<bool> has_package(const std::string& package) {
  const auto packages = TRY(packages_of(package));
  return std::ranges::any_of(packages, [](const auto& one) { return one.second.is_installed; });
}

Result<InstalledPackage> install_package(env::Env env, const PackageInstall& install, base::Progress& progress) {
  const std::string& package = install.package;
  if (env::own_user_id() != 0)
    return fail(ErrorCode::kUnavailable, "the package " + package + " is missing, and only root can install it",
                "as root: apt-get install " + package);
  const auto lock = TRY(env.fs.try_lock(kLockFile));
  if (!lock)
    return fail(ErrorCode::kUnavailable, Cause::kLocked, "another spl installs packages on this machine",
                "try again when it is done");
  const auto before = TRY(packages_of(""));
  const auto policy = TRY(StartPolicy::put(env, package));
  AptGet apt(env, install, *policy);
  TRY_IN("package " + package, fetch(apt, package, progress));
  if (progress.cancelled()) return base::fail_cancelled("no package was installed");
  progress.step("apt-get installs " + package);
  auto installed = apt.run({"install", "--", package}, kInstallLongest, nullptr);
  InstalledPackage done;
  if (!installed) {
    Error error = std::move(installed).error().in("package " + package);
    error.hint += "; dpkg --configure -a finishes what was begun";
    return std::unexpected(std::move(error));
  }
  if (!TRY(has_package(package)))
    return fail("package " + package + ": apt-get has ended, and dpkg does not have it",
                "all that it said is in " + install.log);
  TRY(settle_units(env, install, before, done));
  return done;
}

}  // namespace spl::service
