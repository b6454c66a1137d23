// What the operations on tenants have in common: where a tenant lies, what is asked of it, how it begins and ends. One
// thread: who has the register's lock, or only looks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "instance/instance.h"
#include "operation/tenants.h"
#include "router/plan.h"
#include "tenant/register.h"

namespace spl::operation {

class TenantGround {
 public:
  static Result<TenantGround> of(instance::Instance& instance, base::Progress& progress);

  [[nodiscard]] tenant::Register& notes() { return notes_; }
  // Whether tenants get users of their own: this process is root's, and the machine's home is, too.
  [[nodiscard]] bool has_users() const { return plan_.as_root; }
  [[nodiscard]] const router::RouterPlan& plan() const { return plan_; }
  [[nodiscard]] std::optional<std::string> own_did() const { return instance_->did(); }
  [[nodiscard]] Result<home::Config> config() const { return instance_->config(); }
  [[nodiscard]] env::Env env() const { return env_; }
  [[nodiscard]] base::Progress& progress() const { return *progress_; }

  // Waits a while for who has it. Cause kLocked.
  Result<std::unique_ptr<env::Lock>> lock();
  // Cause kNotFound where there is none, or none yet.
  Result<tenant::TenantNote> require(const std::string& name);
  [[nodiscard]] std::string home_of(const tenant::TenantNote& note) const { return notes_.home_of(note); }
  [[nodiscard]] std::string address_of(const tenant::TenantNote& note) const;

  // What its home says; with an answer of -o json.
  Result<codec::Json> ask(const tenant::TenantNote& note, std::vector<std::string> words, std::string_view input = {});
  // How it is now. One that does not answer is kFailed.
  Result<Tenant> look_at(const tenant::TenantNote& note);
  // Adds what takes longer to see: its bytes, and when it made its last backup.
  void look_closer_at(const tenant::TenantNote& note, Tenant& tenant);
  // Its daemon runs afterwards, within its limits as far as there are any; no error where it ran.
  Result<void> begin(const tenant::TenantNote& note);
  // Where its services have routes its own router shows them. What keeps that from it is in the log.
  void begin_router(const tenant::TenantNote& note);
  // None of it runs afterwards. The services that ran.
  Result<std::vector<std::string>> end(const tenant::TenantNote& note);
  // A link of its door.
  Result<OwnerLink> make_link(const tenant::TenantNote& note);
  // Takes away all that there is of it, as far as it came, and its note. May be done again after it was cut off.
  Result<void> take_away(tenant::TenantNote note);
  // What was cut off before, by a crash or a kill, is taken away.
  Result<void> settle();
  // The router serves those that are there, if it is to serve. What keeps it from it is an error.
  Result<void> tell_router();

 private:
  TenantGround(instance::Instance& instance, router::RouterPlan plan, base::Progress& progress)
      : instance_(&instance),
        env_(instance.env()),
        notes_(instance.env(), instance.paths()),
        plan_(std::move(plan)),
        progress_(&progress) {}

  instance::Instance* instance_;
  env::Env env_;
  tenant::Register notes_;
  router::RouterPlan plan_;
  base::Progress* progress_;
};

// A name that is shown to people.
std::string shown_tenant(const std::string& name);

}  // namespace spl::operation
