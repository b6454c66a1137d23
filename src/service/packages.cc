#include "service/packages.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <thread>

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
constexpr std::size_t kNoteBytesMax = 4u << 20;
constexpr std::uint32_t kLogMode = 0600;
constexpr const char* kLockFile = "/run/spl-packages.lock";
constexpr const char* kDpkgLock = "/var/lib/dpkg/lock-frontend";
constexpr const char* kUnitLinks = "/etc/systemd/system";

// What of the caller's environment apt-get heeds.
constexpr std::array kVariables{"APT_CONFIG", "http_proxy", "https_proxy", "no_proxy"};

std::vector<std::string> plain_environment() {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"};
}

struct DpkgPackage {
  std::string source;
  bool is_installed = false;  // and configured
  bool is_unpacked = false;   // its files are there: installed, or on the way
};

using DpkgPackages = std::map<std::string, DpkgPackage>;

// Of all packages that dpkg knows of, or of some.
Result<DpkgPackages> packages_of(const std::vector<std::string>& names) {
  env::ChildOptions options{
      .arguments = {"dpkg-query", "-W", "-f", "${Package}\t${source:Package}\t${db:Status-Status}\n"},
      .environment = plain_environment()};
  if (!names.empty()) {
    options.arguments.emplace_back("--");
    options.arguments.insert(options.arguments.end(), names.begin(), names.end());
  }
  auto ran = env::run_command(options, "", {.at_most = 5min, .output_bytes_max = 64u << 20});
  if (!ran) {
    Error error = std::move(ran).error();
    if (error.code == ErrorCode::kUnavailable) error.hint = "apt: is for Debian and what is made of it";
    return std::unexpected(std::move(error));
  }
  // 1: it knows nothing of one of them.
  if (!ran->exit.ok() && (names.empty() || ran->exit.code != 1))
    return fail("dpkg-query " + ran->exit.text(), "see that dpkg works: dpkg-query -W");
  DpkgPackages packages;
  for (const std::string& line : base::split(ran->output, '\n')) {
    const auto words = base::split(line, '\t');
    if (words.size() != 3) continue;
    DpkgPackage& one = packages[words[0]];
    one.source = words[1];
    one.is_installed = one.is_installed || words[2] == "installed";
    one.is_unpacked = one.is_unpacked || (words[2] != "not-installed" && words[2] != "config-files");
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

// Package managers and all that they run say what they say to a file: they go on whatever becomes of spl.
class PackageManager {
 public:
  PackageManager(env::Env env, std::string log, const StartPolicy& policy) : env_(env), log_(std::move(log)) {
    environment_ = plain_environment();
    environment_.insert(environment_.end(), {"DEBIAN_FRONTEND=noninteractive", "APT_LISTCHANGES_FRONTEND=none",
                                             "NEEDRESTART_SUSPEND=1", policy.environment_entry()});
    for (const char* name : kVariables) {
      const auto value = env.variables == nullptr ? std::nullopt : env.variables->get(name);
      if (value) environment_.push_back(std::string(name) + "=" + *value);
    }
  }

  // Of apt-get's, "install" and the like.
  Result<void> apt(const std::vector<std::string>& words, std::chrono::milliseconds at_most, base::Progress* progress) {
    std::vector<std::string> all{"apt-get",
                                 "-y",
                                 "--no-remove",
                                 "-o",
                                 "DPkg::Lock::Timeout=600",
                                 "-o",
                                 "Dpkg::Options::=--force-confdef",
                                 "-o",
                                 "Dpkg::Options::=--force-confold",
                                 "-o",
                                 "Dpkg::Use-Pty=0"};
    all.insert(all.end(), words.begin(), words.end());
    return run(all, at_most, progress);
  }

  // What a dpkg that was ended has left half done. One that is at it, such as that of a killed spl, is waited for.
  Result<void> configure(base::Progress& progress) {
    TRY(wait_for_dpkg(progress));
    return run({"dpkg", "--force-confdef", "--force-confold", "--configure", "-a"}, kInstallLongest, nullptr);
  }

 private:
  // Code kFailed with what it said, where it ended with another code than 0.
  Result<void> run(const std::vector<std::string>& words, std::chrono::milliseconds at_most, base::Progress* progress) {
    const env::Descriptor log(::open(log_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kLogMode));
    if (!log.is_open()) return base::fail_errno("cannot open " + log_, errno);
    const auto before = TRY(env_.fs.info(log_));
    env::ChildOptions options{
        .arguments = {"/bin/sh", "-c", "exec \"$@\" 2>&1", "sh"}, .environment = environment_, .output = log.number()};
    options.arguments.insert(options.arguments.end(), words.begin(), words.end());
    const auto child = TRY(env::ChildProcess::start(options));
    child->limit_waits(at_most, progress);
    const env::ChildExit exit = TRY(child->wait());
    if (exit.ok()) return {};
    const std::string said = said_since(env_, log_, before ? before->size_bytes : 0);
    return fail(words.front() + " " + exit.text() + (said.empty() ? "" : ": " + said),
                "all that it said is in " + log_);
  }

  static Result<void> wait_for_dpkg(base::Progress& progress) {
    const env::Descriptor file(::open(kDpkgLock, O_RDWR | O_CLOEXEC));
    if (!file.is_open()) return base::fail_errno(std::string("cannot open ") + kDpkgLock, errno);
    for (;;) {
      struct flock lock{};
      lock.l_type = F_WRLCK;
      lock.l_whence = SEEK_SET;
      if (::fcntl(file.number(), F_GETLK, &lock) != 0) return base::fail_errno(kDpkgLock, errno);
      if (lock.l_type == F_UNLCK) return {};
      progress.step("waits for the package manager that is at it, process " + std::to_string(lock.l_pid));
      if (progress.cancelled()) return base::fail_cancelled("what was begun is not finished");
      std::this_thread::sleep_for(200ms);
    }
  }

  const env::Env env_;
  const std::string log_;
  std::vector<std::string> environment_;
};

// The package files of what is to be installed, in apt's cache. Lists that are missing or old are fetched.
Result<void> fetch(PackageManager& manager, const std::vector<std::string>& packages, base::Progress& progress) {
  std::vector<std::string> words{"install", "--download-only", "--"};
  words.insert(words.end(), packages.begin(), packages.end());
  progress.step("apt-get downloads " + base::join(packages, ", ") + " and what it needs");
  if (manager.apt(words, kDownloadLongest, &progress)) return {};
  if (progress.cancelled()) return base::fail_cancelled("no package was installed");
  progress.step("apt-get fetches its lists");
  const auto updated = manager.apt({"update"}, kDownloadLongest, &progress);
  auto again = manager.apt(words, kDownloadLongest, &progress);
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

// What was wanted and what was there before, for a run that does not end.
struct Begun {
  std::vector<std::string> wanted;
  std::string kept_unit;
  std::set<std::string> had;
};

std::string text_of(const Begun& begun) {
  std::string text;
  for (const std::string& name : begun.wanted) text += "wanted " + name + "\n";
  if (!begun.kept_unit.empty()) text += "kept " + begun.kept_unit + "\n";
  for (const std::string& name : begun.had) text += "had " + name + "\n";
  return text;
}

Result<std::optional<Begun>> read_note(env::Env env, const std::string& note) {
  if (!TRY(env.fs.info(note))) return std::nullopt;
  Begun begun;
  for (const std::string& line : base::split(TRY(env::read_file(env.fs, note, kNoteBytesMax)), '\n')) {
    const std::size_t space = line.find(' ');
    if (space == std::string::npos) continue;
    const std::string value = line.substr(space + 1);
    if (line.starts_with("wanted ")) begun.wanted.push_back(value);
    if (line.starts_with("kept ")) begun.kept_unit = value;
    if (line.starts_with("had ")) begun.had.insert(value);
  }
  return begun;
}

// What would start at the machine's next start: daemons that spl runs are not to be there twice.
Result<InstalledPackages> settle_units(env::Env env, const Begun& begun) {
  InstalledPackages done{.wanted = begun.wanted};
  const auto now = TRY(packages_of({}));
  std::set<std::string> sources;
  for (const std::string& name : begun.wanted) {
    const auto package = now.find(name);
    if (package != now.end() && !begun.had.contains(name)) sources.insert(package->second.source);
  }
  std::vector<std::string> own;
  std::vector<std::string> others;
  for (const auto& [name, package] : now) {
    if (!package.is_unpacked || begun.had.contains(name)) continue;
    done.packages.push_back(name);
    (sources.contains(package.source) ? own : others).push_back(name);
  }
  for (const std::string& unit : TRY(units_of(own))) {
    if (unit == begun.kept_unit || TRY(links_of(env, unit)).empty()) continue;
    TRY(disable(env, unit));
    done.units_disabled.push_back(unit);
  }
  for (const std::string& unit : TRY(units_of(others))) {
    if (!TRY(links_of(env, unit)).empty()) done.units_enabled.push_back(unit);
  }
  return done;
}

Result<std::unique_ptr<env::Lock>> lock_packages(env::Env env) {
  auto lock = TRY(env.fs.try_lock(kLockFile));
  if (!lock)
    return fail(ErrorCode::kUnavailable, Cause::kLocked, "another spl installs packages on this machine",
                "try again when it is done");
  return lock;
}

}  // namespace

std::string packages_note(const home::HomePaths& paths) {
  return env::join(paths.run(), "packages");
}

Result<bool> has_packages(const std::vector<std::string>& packages) {
  const auto known = TRY(packages_of(packages));
  return std::ranges::all_of(packages, [&](const std::string& name) {
    const auto found = known.find(name);
    return found != known.end() && found->second.is_installed;
  });
}

Result<InstalledPackages> install_packages(env::Env env, const PackageInstall& install, base::Progress& progress) {
  const std::string named = base::join(install.packages, " ");
  if (env::own_user_id() != 0)
    return fail(ErrorCode::kUnavailable,
                "of the packages " + named + " some are missing, and only root can install them",
                "as root: apt-get install " + named);
  const auto lock = TRY(lock_packages(env));
  Begun begun{.wanted = install.packages, .kept_unit = install.kept_unit, .had = {}};
  for (const auto& [name, package] : TRY(packages_of({}))) {
    if (package.is_unpacked) begun.had.insert(name);
  }
  const auto policy = TRY(StartPolicy::put(env, install.packages));
  PackageManager manager(env, install.log, *policy);
  TRY_IN("packages " + named, fetch(manager, install.packages, progress));
  if (progress.cancelled()) return base::fail_cancelled("no package was installed");
  TRY(env::write_file_atomically(env.fs, install.note, text_of(begun)));
  progress.step("apt-get installs " + named);
  std::vector<std::string> words{"install", "--"};
  words.insert(words.end(), install.packages.begin(), install.packages.end());
  auto installed = manager.apt(words, kInstallLongest, nullptr);
  auto done = TRY(settle_units(env, begun));
  if (!installed) {
    Error error = std::move(installed).error().in("packages " + named);
    error.hint += "; spl finishes what was begun with the next install, and keeps daemons from being started meanwhile";
    return std::unexpected(std::move(error));
  }
  if (!TRY(has_packages(install.packages)))
    return fail("packages " + named + ": apt-get has ended, and dpkg does not have them",
                "all that it said is in " + install.log);
  TRY(env.fs.remove(install.note));
  return done;
}

Result<std::optional<InstalledPackages>> finish_packages(env::Env env, const std::string& note, const std::string& log,
                                                         base::Progress& progress) {
  const auto begun = TRY(read_note(env, note));
  if (!begun || env::own_user_id() != 0) return std::nullopt;
  const auto lock = TRY(lock_packages(env));
  const auto policy = TRY(StartPolicy::put(env, begun->wanted));
  PackageManager manager(env, log, *policy);
  const auto configured = manager.configure(progress);
  // What is there does not start with the machine, also where the rest is for an administrator.
  auto done = TRY(settle_units(env, *begun));
  TRY_IN("packages of an install that was cut off", configured);
  TRY(env.fs.remove(note));
  return done;
}

Result<std::vector<std::string>> settle_begun_packages(env::Env env, const std::string& note) {
  const auto begun = TRY(read_note(env, note));
  if (!begun || env::own_user_id() != 0) return std::vector<std::string>();
  return TRY(settle_units(env, *begun)).units_disabled;
}

}  // namespace spl::service
