#include "operation/tenants.h"

#include "base/encoding.h"
#include "operation/tenant_ground.h"
#include "operation/tenant_program.h"

namespace spl::operation {
namespace {

using tenant::Standing;
using tenant::TenantNote;

// Those that only look wait for nobody, and what they may not change stays.
void settle_unless_locked(TenantGround& ground) {
  const auto settled = [&]() -> Result<void> {
    const auto notes = TRY(ground.notes().all());
    bool is_whole = true;
    for (const TenantNote& note : notes) is_whole = is_whole && note.standing == Standing::kMade;
    if (is_whole) return {};
    const auto lock = TRY(ground.notes().try_lock());
    return lock ? ground.settle() : Result<void>();
  }();
  if (!settled)
    ground.env().log.write(env::LogLevel::kWarn, "a tenant that was cut off is still there",
                           {{"error", settled.error().message}});
}

Result<void> start_services(TenantGround& ground, TenantNote& note) {
  std::string failure;
  for (const std::string& service : note.services) {
    if (const auto started = ground.ask(note, {"service", service, "start"}); !started && failure.empty())
      failure = started.error().message;
  }
  if (!failure.empty())
    return fail(ErrorCode::kUnavailable, "tenant " + note.name + " runs, but not all of its services: " + failure,
                "see their logs");
  note.services.clear();
  return ground.notes().write(note);
}

}  // namespace

Result<std::vector<Tenant>> list_tenants(instance::Instance& instance, base::Progress& progress) {
  TenantGround ground = TRY(TenantGround::of(instance, progress));
  settle_unless_locked(ground);
  std::vector<Tenant> tenants;
  for (const TenantNote& note : TRY(ground.notes().all())) {
    if (note.standing != Standing::kMade) continue;
    tenants.push_back(TRY(ground.look_at(note)));
    ground.look_closer_at(note, tenants.back());
  }
  return tenants;
}

Result<Tenant> start_tenant(instance::Instance& instance, const TenantName& tenant, base::Progress& progress) {
  TenantGround ground = TRY(TenantGround::of(instance, progress));
  const auto lock = TRY(ground.lock());
  TenantNote note = TRY(ground.require(tenant.name));
  progress.step("starting tenant " + note.name);
  note.wanted = true;
  TRY(ground.notes().write(note));
  TRY_IN("tenant " + note.name, ground.begin(note));
  ground.begin_router(note);
  TRY(start_services(ground, note));
  return ground.look_at(note);
}

Result<Tenant> stop_tenant(instance::Instance& instance, const TenantName& tenant, base::Progress& progress) {
  TenantGround ground = TRY(TenantGround::of(instance, progress));
  const auto lock = TRY(ground.lock());
  TenantNote note = TRY(ground.require(tenant.name));
  progress.step("stopping tenant " + note.name);
  note.wanted = false;
  TRY(ground.notes().write(note));
  const auto ran = TRY_IN("tenant " + note.name, ground.end(note));
  if (!ran.empty()) note.services = ran;
  TRY(ground.notes().write(note));
  return ground.look_at(note);
}

Result<OwnerLink> link_tenant(instance::Instance& instance, const TenantName& tenant, base::Progress& progress) {
  TenantGround ground = TRY(TenantGround::of(instance, progress));
  return ground.make_link(TRY(ground.require(tenant.name)));
}

Result<TenantName> remove_tenant(instance::Instance& instance, const RemovedTenant& tenant, base::Progress& progress) {
  TenantGround ground = TRY(TenantGround::of(instance, progress));
  const auto lock = TRY(ground.lock());
  TenantNote note = TRY(ground.require(tenant.name));
  if (tenant.backup_to) {
    progress.step("writing the backup of tenant " + note.name);
    std::vector<std::string> words{"export", "--out", *tenant.backup_to};
    words.insert(words.end(), tenant.export_words.begin(), tenant.export_words.end());
    TRY_IN("backup of tenant " + note.name, ground.ask(note, std::move(words)));
  }
  TRY(ground.take_away(std::move(note)));
  return TenantName{tenant.name};
}

Result<void> keep_tenants(instance::Instance& instance, base::Progress& progress) {
  TenantGround ground = TRY(TenantGround::of(instance, progress));
  if (TRY(ground.notes().all()).empty()) return {};
  settle_unless_locked(ground);
  const auto lock = TRY(ground.lock());
  for (const TenantNote& note : TRY(ground.notes().all())) {
    if (note.standing != Standing::kMade || !note.wanted) continue;
    if (const auto begun = ground.begin(note); !begun)
      ground.env().log.write(env::LogLevel::kError, "tenant not started",
                             {{"tenant", note.name}, {"error", begun.error().message}});
  }
  return {};
}

}  // namespace spl::operation
