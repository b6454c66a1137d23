#include "operation/tenant_ground.h"

#include <chrono>

#include "base/encoding.h"
#include "base/names.h"
#include "env/acting_user.h"
#include "env/users.h"
#include "operation/router_operations.h"
#include "operation/tenant_program.h"
#include "tenant/account.h"
#include "tenant/cgroup.h"

namespace spl::operation {
namespace {

using codec::Json;
using tenant::Standing;
using tenant::TenantNote;
using namespace std::chrono_literals;

constexpr auto kLockWaitMax = 30s;
constexpr auto kLockPause = 50ms;
constexpr auto kLookAtMost = 20s;
constexpr auto kEndAtMost = 5min;
constexpr std::string_view kDidPrefix = "did:key:";
constexpr std::size_t kDidBytesMax = 256;
constexpr std::size_t kCodeBytesMax = 64;
constexpr std::size_t kCountedMax = 200'000;  // of files in a home: more are not counted

// Of all files below, links not followed.
Result<std::uint64_t> add_up(env::Directory& directory, std::size_t& left) {
  std::uint64_t bytes = 0;
  for (const std::string& name : TRY(directory.list())) {
    if (left-- == 0) return fail(Cause::kTooLarge, "too many files to be counted");
    const auto info = TRY(directory.info(name));
    if (!info) continue;
    bytes += info->size_bytes;
    if (info->type != env::FileType::kDirectory) continue;
    if (const auto below = TRY(directory.below(name))) bytes += TRY(add_up(*below, left));
  }
  return bytes;
}
// With the rights of its user, where it has one of its own.
Result<std::uint64_t> bytes_below(env::Env env, const std::string& home, const std::string& user) {
  std::size_t left = kCountedMax;
  const auto account = user.empty() ? std::nullopt : TRY(env::find_user(user));
  const env::AsFileUser as_user(account ? std::optional(account->ids) : std::nullopt);
  return add_up(*TRY(env.fs.open_directory(home)), left);
}

}  // namespace

std::string shown_tenant(const std::string& name) {
  return base::escaped(name, 80);
}

Result<TenantGround> TenantGround::of(instance::Instance& instance, base::Progress& progress) {
  return TenantGround(instance, TRY(router_plan(instance)), progress);
}

Result<std::unique_ptr<env::Lock>> TenantGround::lock() {
  const auto end = env_.clock.steady() + kLockWaitMax;
  for (;;) {
    if (auto lock = TRY(notes_.try_lock())) return lock;
    if (progress_->cancelled()) return base::fail_cancelled("nothing was changed");
    if (env_.clock.steady() > end)
      return fail(ErrorCode::kUnavailable, Cause::kLocked, "another process changes the tenants",
                  "try again when it has ended");
    env_.clock.sleep_for(kLockPause);
  }
}

Result<TenantNote> TenantGround::require(const std::string& name) {
  auto note = TRY(notes_.find(name));
  if (note && note->standing == Standing::kMade) return std::move(*note);
  return fail(ErrorCode::kUsage, Cause::kNotFound, "there is no tenant " + shown_tenant(name),
              "spl tenant list shows those that there are");
}

std::string TenantGround::address_of(const TenantNote& note) const {
  return plan_.origin_of(note.host, plan_.https) + "/";
}

Result<Json> TenantGround::ask(const TenantNote& note, std::vector<std::string> words, std::string_view input) {
  return ask_tenant(env_, {.home = home_of(note), .words = std::move(words), .input = input, .at_most = 24h},
                    *progress_);
}

Result<Tenant> TenantGround::look_at(const TenantNote& note) {
  Tenant tenant;
  tenant.name = note.name;
  tenant.home = home_of(note);
  tenant.address = address_of(note);
  tenant.limits = {note.limits.memory_bytes, note.limits.cpus, note.limits.tasks, false};
  const bool has_user = !note.user.empty();
  tenant.limits.enforced =
      has_user && (note.limits.are_any() ? tenant::is_limited(env_, note.name) : tenant::can_limit(env_));
  if (has_user) {
    tenant.user = note.user;
  } else if (const auto account = TRY(env::find_user(env::own_user_id()))) {
    tenant.user = account->name;
  } else {
    tenant.user = std::to_string(env::own_user_id());
  }
  base::NoProgress unseen;
  const auto status = ask_tenant(env_, {.home = tenant.home, .words = {"status"}, .at_most = kLookAtMost}, unseen);
  const Json* running = status ? status->find("running") : nullptr;
  const bool runs = running != nullptr && running->boolean() != nullptr && *running->boolean();
  tenant.state = runs ? TenantState::kRunning : note.wanted || !status ? TenantState::kFailed : TenantState::kStopped;
  const std::string did = status ? text_in(*status, "did") : "";
  if (did.starts_with(kDidPrefix) && did.size() <= kDidBytesMax) tenant.did = base::escaped(did);
  return tenant;
}

void TenantGround::look_closer_at(const TenantNote& note, Tenant& tenant) {
  if (const auto bytes = bytes_below(env_, home_of(note), note.user)) tenant.bytes = *bytes;
  base::NoProgress unseen;
  const auto backups =
      ask_tenant(env_, {.home = home_of(note), .words = {"backup", "list"}, .at_most = kLookAtMost}, unseen);
  if (!backups || backups->array() == nullptr || backups->array()->empty()) return;
  // The newest first.
  const std::string made_at = text_in(backups->array()->front(), "created_at");
  if (!made_at.empty()) tenant.last_backup_at = base::escaped(made_at, 64);
}

Result<void> TenantGround::begin(const TenantNote& note) {
  TenantCall call{.home = home_of(note), .words = {"serve", "--daemon", "--port", "0"}};
  if (!note.user.empty() && note.limits.are_any() && tenant::limit(env_, note.name, note.limits))
    call.group = tenant::members_file(note.name);
  const auto begun = ask_tenant(env_, call, *progress_);
  return begun || begun.error().cause == Cause::kDaemonRuns ? Result<void>() : std::unexpected(begun.error());
}

void TenantGround::begin_router(const TenantNote& note) {
  const auto status = ask(note, {"router", "status"});
  const Json* routes = status ? status->find("routes") : nullptr;
  if (routes == nullptr || routes->array() == nullptr || routes->array()->empty()) return;
  if (const auto begun = ask(note, {"router", "start"}); !begun)
    env_.log.write(env::LogLevel::kWarn, "a tenant's services are not shown",
                   {{"tenant", note.name}, {"error", begun.error().message}});
}

Result<std::vector<std::string>> TenantGround::end(const TenantNote& note) {
  std::vector<std::string> ran;
  base::NoProgress unseen;
  const auto tell = [&](std::vector<std::string> words) {
    return ask_tenant(env_, {.home = home_of(note), .words = std::move(words), .at_most = kEndAtMost}, unseen);
  };
  const auto said = tell({"service", "all", "status"});
  const Json* services = said ? said->find("services") : nullptr;
  for (const Json& service : services != nullptr && services->array() != nullptr ? *services->array() : Json::Array()) {
    const std::string state = text_in(service, "state");
    std::string name = text_in(service, "name");
    if (base::is_name(name) && (state == "running" || state == "paused" || state == "failing"))
      ran.push_back(std::move(name));
  }
  const auto stopped = tell({"service", "all", "stop"});
  const auto unrouted = tell({"router", "stop"});
  const auto ended = tell({"stop"});
  // Its own user's processes are the tenant's, whatever they are. Another's are what it has said.
  if (!note.user.empty()) {
    TRY(tenant::end_processes(env_, note.user));
    return ran;
  }
  // A home that was not whole yet has neither.
  for (const auto* told : {&stopped, &unrouted, &ended}) {
    if (!*told && told->error().cause != Cause::kNoInstance) return std::unexpected(told->error());
  }
  return ran;
}

Result<void> TenantGround::take_away(TenantNote note) {
  const bool was_made = note.standing == Standing::kMade;
  note.standing = Standing::kLeaving;
  TRY(notes_.write(note));
  if (was_made) (void)tell_router();
  progress_->step("taking away tenant " + note.name);
  const std::string home = home_of(note);
  // In good order where it was made; what a maker has left that was killed is killed, too.
  if (!was_made) TRY(tenant::end_programs(env_, home));
  if (TRY(env_.fs.info(home))) TRY(end(note));
  TRY(tenant::end_programs(env_, home));
  if (!note.user.empty()) {
    TRY(tenant::end_processes(env_, note.user));
    TRY(tenant::remove_limits(env_, note.name));
    TRY(env::remove_tree(env_.fs, tenant::user_directory_of(note)));
  }
  TRY(env::remove_tree(env_.fs, home));
  // Last, for its number may be another's next.
  if (!note.user.empty()) TRY(tenant::remove_user(env_, note.user));
  return notes_.forget(note.name);
}

Result<OwnerLink> TenantGround::make_link(const TenantNote& note) {
  const Json made = TRY_IN("tenant " + note.name, ask(note, {"owner", "link"}));
  const std::string url = text_in(made, "url");
  const std::size_t code = url.find('#');
  if (code == std::string::npos || url.size() - code > kCodeBytesMax ||
      url.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-", code + 1) != std::string::npos)
    return fail("tenant " + note.name + " has given no link");
  OwnerLink link;
  // Where it is the machine says, and the code alone is the tenant's.
  link.url = SecretBytes(address_of(note) + "-/enter" + url.substr(code));
  const Json* claims = made.find("claims");
  link.claims = claims != nullptr && claims->boolean() != nullptr && *claims->boolean();
  link.expires_at = base::escaped(text_in(made, "expires_at"), 64);
  return link;
}

Result<void> TenantGround::settle() {
  for (const TenantNote& note : TRY(notes_.all())) {
    if (note.standing != Standing::kMade) TRY_IN("tenant " + note.name, take_away(note));
  }
  return {};
}

Result<void> TenantGround::tell_router() {
  const std::scoped_lock lock(instance_->service_work());
  return keep_router(*instance_, *progress_);
}

}  // namespace spl::operation
