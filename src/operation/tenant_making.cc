// A tenant is made: what must be before the first step, the steps, and all taken back where one fails.
#include <algorithm>

#include "base/encoding.h"
#include "home/router_config.h"
#include "operation/tenant_ground.h"
#include "operation/tenant_program.h"
#include "router/names.h"
#include "service/service_set.h"
#include "tenant/account.h"
#include "tenant/cgroup.h"
#include "tenant/mark.h"

namespace spl::operation {
namespace {

using codec::Json;
using tenant::Standing;
using tenant::TenantNote;

constexpr std::uint32_t kHomeMode = 0711;
constexpr double kCpusMin = 0.01;
constexpr double kCpusMax = 4096;
constexpr std::uint64_t kMemoryBytesMin = 16u << 20;
constexpr std::uint64_t kTasksMin = 16;
constexpr std::uint64_t kLimitMax = std::uint64_t{1} << 50;

std::unexpected<Error> in_use(const std::string& what) {
  return fail(ErrorCode::kRefused, Cause::kFileExists, what, "give another one; spl tenant list shows the tenants");
}

Result<void> check_words(const NewTenant& wanted) {
  if (!tenant::is_tenant_name(wanted.name))
    return fail(ErrorCode::kUsage, "\"" + shown_tenant(wanted.name) + "\" can be no tenant's name",
                "a name begins with a letter and has at most 28 of a-z, 0-9 and -");
  if (wanted.host && (!home::is_host_name(*wanted.host) || router::is_address(*wanted.host)))
    return fail(ErrorCode::kUsage, "\"" + shown_tenant(*wanted.host) + "\" is no host's name",
                "give one as box.example.org, in lower case");
  const auto is_outside = [](const auto& limit, auto least, auto most) {
    return limit && !(*limit >= least && *limit <= most);
  };
  if (is_outside(wanted.memory_bytes, kMemoryBytesMin, kLimitMax) || is_outside(wanted.cpus, kCpusMin, kCpusMax) ||
      is_outside(wanted.tasks, kTasksMin, kLimitMax))
    return fail(ErrorCode::kUsage, "a limit is none that anything could run in",
                "at least 16 MiB of memory, a hundredth of a processor, 16 tasks");
  return {};
}

// The making of one tenant.
class Making {
 public:
  Making(TenantGround& ground, const NewTenant& wanted) : ground_(ground), wanted_(wanted) {}

  Result<MadeTenant> run() {
    TRY(check());
    TRY(ground_.notes().write(note_));
    auto made = work();
    if (made) return made;
    // Whatever it was that ended it: the way back is gone to its end.
    if (const auto gone = ground_.take_away(note_); !gone)
      made.error().hint =
          "not all of it could be taken away: " + gone.error().message + "; spl tenant list tries again";
    return made;
  }

 private:
  Result<void> check();
  Result<std::string> host();
  Result<MadeTenant> work();
  Result<void> make_home();
  Result<void> fill();
  Result<void> install();
  Result<Json> ask_of_bundle(std::vector<std::string> words);
  [[nodiscard]] bool is_left_out(const std::string& service) const;
  Result<void> check_declared();
  Result<void> name_copies(const std::string& did);
  void warn_of_limits();

  void find(std::string check, FindingStatus status, std::string subject, std::string message, std::string hint) {
    findings_.push_back({std::move(check), status, std::move(subject), std::move(message), std::move(hint)});
  }
  Result<void> step(const std::string& what) {
    ground_.progress().step(what);
    return ground_.progress().cancelled() ? base::fail_cancelled("the tenant is taken away again") : Result<void>();
  }

  TenantGround& ground_;
  const NewTenant& wanted_;
  TenantNote note_;
  std::vector<Finding> findings_;
};

Result<std::string> Making::host() {
  const router::RouterPlan& plan = ground_.plan();
  if (!wanted_.host && router::is_address(plan.names.front()))
    return fail(ErrorCode::kUsage, "the machine's first name is an address: nothing can be below it",
                "give names in [router] of config.toml, or the tenant's host with --name");
  std::string host = wanted_.host.value_or(wanted_.name + "." + plan.names.front());
  if (!home::is_host_name(host)) return fail(ErrorCode::kUsage, "\"" + host + "\" is no host's name", "give --name");
  bool is_taken = std::ranges::find(plan.names, host) != plan.names.end();
  for (const router::RoutedTenant& other : plan.tenants) is_taken = is_taken || other.host == host;
  for (const router::RoutedService& service : plan.services) {
    for (const std::string& name : plan.names)
      is_taken = is_taken || (plan.origins == home::ServiceOrigins::kName && host == service.route + "." + name);
  }
  if (is_taken) return in_use("the host " + host + " is in use");
  return host;
}

Result<void> Making::check() {
  TRY(check_words(wanted_));
  note_.name = wanted_.name;
  note_.limits = {wanted_.memory_bytes, wanted_.cpus, wanted_.tasks};
  if (ground_.has_users()) note_.user = tenant::user_of(note_.name);
  if (TRY(ground_.notes().find(note_.name))) return in_use("the name " + note_.name + " is in use");
  note_.host = TRY(host());
  if (!note_.user.empty() && (TRY(env::find_user(note_.user)) || TRY(env::find_group(note_.user))))
    return in_use("the name " + note_.name + " is in use: the machine has a user or group " + note_.user);
  if (TRY(ground_.env().fs.info(ground_.home_of(note_))))
    return in_use("the name " + note_.name + " is in use: " + ground_.home_of(note_) + " is there");
  if (wanted_.from) {
    const auto info = TRY(ground_.env().fs.info(*wanted_.from));
    if (!info) return fail(Cause::kNoSuchFile, base::escaped(*wanted_.from, 512) + ": no such file", "name the bundle");
  }
  return {};
}

Result<void> Making::make_home() {
  env::Env env = ground_.env();
  const home::HomePaths paths{ground_.home_of(note_)};
  TRY(env::make_directories(env.fs, env::parent_of(paths.root), kHomeMode));
  TRY(env.fs.make_directory(paths.root, kHomeMode));
  if (const auto catalogs = TRY(ground_.config()).catalogs; !catalogs.empty()) {
    // As TOML has texts, too.
    const Json list = codec::JsonValue<std::vector<std::string>>::to(catalogs);
    TRY(env::write_file_atomically(env.fs, paths.config(), "catalogs = " + list.text() + "\n"));
  }
  TRY(tenant::write_mark(env, paths, {note_.name, note_.host, ground_.plan().https, !note_.user.empty()}));
  if (note_.user.empty()) return {};
  const std::string own = tenant::user_directory_of(note_);
  const env::UserIds ids = TRY(tenant::make_user(note_.user, own, router::kRouterUser));
  TRY(env.fs.make_directory(own));
  // The home is given away last: from then on it is the tenant's.
  for (const std::string& path : {own, tenant::mark_file(paths), paths.config(), paths.root}) {
    if (TRY(env.fs.info(path))) TRY(env.fs.set_owner(path, ids.uid, ids.gid));
  }
  return {};
}

Result<Json> Making::ask_of_bundle(std::vector<std::string> words) {
  for (const std::string& file : wanted_.age_identities) words.insert(words.end(), {"--age-identity", file});
  if (!wanted_.passphrase) return ground_.ask(note_, std::move(words));
  words.insert(words.end(), {"--passphrase-file", "-"});
  return ground_.ask(note_, std::move(words), wanted_.passphrase->reveal());
}

bool Making::is_left_out(const std::string& service) const {
  return std::ranges::find(wanted_.without, service) != wanted_.without.end();
}

// What the bundle's services need is fetched into the home where it may be; a package of the machine is root's to
// install, for every tenant at once.
Result<void> Making::install() {
  TRY(step("looking for what the bundle's services need"));
  std::vector<std::string> words{"service", "all", "install", "--for", *wanted_.from};
  auto report = ask_of_bundle(words);
  // What no catalog declares the import names, each.
  if (!report && report.error().cause == Cause::kNotFound) return {};
  if (!report) return std::unexpected(std::move(report).error());
  bool fetches = false;
  for (int round = 0; round < 2; ++round) {
    const Json* services = report->find("services");
    for (const Json& service :
         services == nullptr || services->array() == nullptr ? Json::Array() : *services->array()) {
      const std::string name = text_in(service, "name");
      if (text_in(service, "state") != "missing" || is_left_out(name)) continue;
      fetches = fetches || !text_in(service, "source").starts_with("apt:");
      if (round == 1 || text_in(service, "source").starts_with("apt:"))
        return fail(ErrorCode::kStop, "service " + name + ": " + text_in(service, "message"),
                    "install it on the machine, or leave it out with --without " + name);
    }
    if (!fetches || round == 1) break;
    words.emplace_back("--download");
    report = ask_of_bundle(words);
    if (!report) return std::unexpected(std::move(report).error());
  }
  return {};
}

// The machine's ports are no tenant's: another one, or the machine itself, could have the same.
Result<void> Making::check_declared() {
  const auto set = TRY(service::ServiceSet::load(ground_.env(), {ground_.home_of(note_)}));
  for (const service::Declaration& service : set.services()) {
    if (!service.run || is_left_out(service.name)) continue;
    for (const std::string& address : service.run->listen) {
      if (address.starts_with("tcp:"))
        return fail(ErrorCode::kStop,
                    "service " + service.name + " listens on " + base::escaped(address, 200) +
                        ", and a tenant's services have sockets of their own alone",
                    "declare it with listen = [\"unix:...\"], or leave it out with --without " + service.name);
    }
  }
  return {};
}

Result<void> Making::fill() {
  if (!wanted_.from) {
    TRY(ground_.ask(note_, {"identity", "generate"}));
    return {};
  }
  TRY(install());
  TRY(check_declared());
  TRY(step("importing " + base::escaped(*wanted_.from, 512)));
  std::vector<std::string> words{"import", *wanted_.from};
  words.insert(words.end(), wanted_.import_words.begin(), wanted_.import_words.end());
  for (const std::string& service : wanted_.without) words.insert(words.end(), {"--without", service});
  const Json report = TRY(ask_of_bundle(std::move(words)));
  if (const Json* found = report.find("preflight")) {
    auto findings = codec::JsonValue<std::vector<Finding>>::from(*found);
    if (findings)
      std::ranges::copy_if(*findings, std::back_inserter(findings_),
                           [](const Finding& finding) { return finding.status != FindingStatus::kOk; });
  }
  if (text_in(report, "identity") == "adopted") return name_copies(text_in(report, "source_did"));
  if (text_in(TRY(ground_.ask(note_, {"status"})), "did").empty()) TRY(ground_.ask(note_, {"identity", "generate"}));
  return {};
}

Result<void> Making::name_copies(const std::string& did) {
  std::string others;
  for (const TenantNote& other : TRY(ground_.notes().all())) {
    if (other.name == note_.name || other.standing != Standing::kMade) continue;
    if (TRY(ground_.look_at(other)).did == did) others += ", as tenant " + other.name;
  }
  if (ground_.own_did() == did) others += ", as this machine's own instance";
  find(
      "copies", FindingStatus::kWarn, did,
      "this identity now lives here" + others + ", and may live where the bundle was made: two live copies drift apart",
      "let only one go on: spl stop the other, or make the bundle with spl export --move");
  return {};
}

void Making::warn_of_limits() {
  if (note_.user.empty()) {
    find(
        "user", FindingStatus::kWarn, note_.name,
        "without root it has no user of its own: what runs as this user can read and end all of it, and no limit holds",
        "make it on an instance that is root's");
  } else if (note_.limits.are_any() && !tenant::is_limited(ground_.env(), note_.name)) {
    find("limits", FindingStatus::kWarn, note_.name, "this machine cannot limit what it takes",
         "a machine with control groups of version 2 can, with the controllers memory, cpu and pids");
  }
}

Result<MadeTenant> Making::work() {
  TRY(step("making the home of tenant " + note_.name));
  TRY(make_home());
  TRY(step("starting tenant " + note_.name));
  TRY(ground_.begin(note_));
  TRY(fill());
  MadeTenant made;
  TRY(step("making the link of its owner"));
  made.claim_url = std::move(TRY(ground_.make_link(note_)).url);
  note_.wanted = true;
  note_.standing = Standing::kMade;
  TRY(ground_.notes().write(note_));
  TRY(ground_.tell_router());
  made.tenant = TRY(ground_.look_at(note_));
  warn_of_limits();
  made.findings = std::move(findings_);
  return made;
}

}  // namespace

Result<MadeTenant> create_tenant(instance::Instance& instance, const NewTenant& wanted, base::Progress& progress) {
  if (TRY(tenant::read_mark(instance.env(), instance.paths())))
    return fail(ErrorCode::kRefused, "this instance is a tenant, and has none of its own",
                "make it on the machine's own instance");
  TenantGround ground = TRY(TenantGround::of(instance, progress));
  const auto lock = TRY(ground.lock());
  TRY(ground.settle());
  return Making(ground, wanted).run();
}

}  // namespace spl::operation
