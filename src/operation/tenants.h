// The tenants of a machine: instances beside its own, each with a home, a daemon, an owner and, as root, a Unix user of
// its own (docs/decisions/D-27-tenants.md). How each thing is done on an instance that is open in this process. One
// changes them at a time: who has the register's lock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"
#include "operation/findings.h"
#include "operation/owner_operations.h"

namespace spl::operation {

enum class TenantState : std::uint8_t { kRunning, kStopped, kFailed };
constexpr auto names_of(TenantState /*type*/) {
  using enum TenantState;
  return std::to_array<std::pair<TenantState, std::string_view>>(
      {{kRunning, "running"}, {kStopped, "stopped"}, {kFailed, "failed"}});
}

struct TenantLimits {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> cpus;
  std::optional<std::uint64_t> tasks;
  bool enforced = false;

  static constexpr auto shape() {
    using L = TenantLimits;
    return codec::shape(codec::member("memory_bytes", &L::memory_bytes, "at most; null: no limit"),
                        codec::member("cpus", &L::cpus, "processors' time; null: no limit"),
                        codec::member("tasks", &L::tasks, "processes and threads; null: no limit"),
                        codec::member("enforced", &L::enforced, "whether this machine can"));
  }
};

struct Tenant {
  std::string name;
  std::string home;
  std::string user;
  std::string address;
  std::optional<std::string> did;
  TenantState state = TenantState::kStopped;
  TenantLimits limits;
  std::optional<std::uint64_t> bytes;
  std::optional<std::string> last_backup_at;

  static constexpr auto shape() {
    using T = Tenant;
    return codec::shape(codec::member("name", &T::name, "the tenant"),
                        codec::path_member("home", &T::home, "its home, an instance's as any"),
                        codec::member("user", &T::user, "the Unix user as which all of it runs"),
                        codec::member("address", &T::address, "where its owner opens it"),
                        codec::member("did", &T::did, "its identity; null: none, or it does not answer"),
                        codec::member("state", &T::state, "running, stopped; failed: it should run and does not"),
                        codec::member("limits", &T::limits, "of what it may take of the machine"),
                        codec::member("bytes", &T::bytes, "of all in its home; null: not known"),
                        codec::member("last_backup_at", &T::last_backup_at, "null: none that it keeps"));
  }
};

struct NewTenant {
  std::string name;
  std::optional<std::string> from;  // a bundle's absolute path
  std::optional<std::string> host;  // instead of NAME below the machine's first name
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> cpus;
  std::optional<std::uint64_t> tasks;
  std::vector<std::string> import_words;    // options of spl import, as they would be typed
  std::vector<std::string> age_identities;  // absolute paths of files with keys
  std::vector<std::string> without;         // services of the bundle that are left out
  std::optional<SecretBytes> passphrase;    // that opens the bundle

  static constexpr auto shape() {
    using N = NewTenant;
    using enum codec::Presence;
    return codec::shape(
        codec::member("name", &N::name, "the tenant"),
        codec::member("from", &N::from, "a bundle that it begins with", kOmitted),
        codec::member("host", &N::host, "its host; missing: its name below the machine's", kOmitted),
        codec::member("memory_bytes", &N::memory_bytes, "at most", kOmitted),
        codec::member("cpus", &N::cpus, "processors' time, at most", kOmitted),
        codec::member("tasks", &N::tasks, "processes and threads, at most", kOmitted),
        codec::member("import_words", &N::import_words, "options of spl import", kOmitted),
        codec::member("age_identities", &N::age_identities, "files with keys that may open the bundle", kOmitted),
        codec::member("without", &N::without, "services of the bundle that are left out", kOmitted),
        codec::member("passphrase_base64", &N::passphrase, "that opens the bundle", kOmitted));
  }
};

struct MadeTenant {
  Tenant tenant;
  SecretBytes claim_url;  // shown once
  std::vector<Finding> findings;

  static constexpr auto shape() {
    using M = MadeTenant;
    return codec::shape(codec::member("tenant", &M::tenant, "what there is now"),
                        codec::member("claim_url_base64", &M::claim_url, "who opens it becomes its owner"),
                        codec::member("findings", &M::findings, "what is to be known of it"));
  }
};

struct TenantName {
  std::string name;

  static constexpr auto shape() { return codec::shape(codec::member("name", &TenantName::name, "the tenant")); }
};

struct RemovedTenant {
  std::string name;
  std::optional<std::string> backup_to;   // an absolute path; none: what it has is lost
  std::vector<std::string> export_words;  // options of spl export

  static constexpr auto shape() {
    using R = RemovedTenant;
    using enum codec::Presence;
    return codec::shape(
        codec::member("name", &R::name, "the tenant"),
        codec::member("backup_to", &R::backup_to, "where its bundle is written first; missing: nowhere", kOmitted),
        codec::member("export_words", &R::export_words, "options of spl export", kOmitted));
  }
};

// All or nothing: where it fails, or is killed, nothing of it is left, at the latest when somebody looks again. Code
// kUsage for a name that none can have; kRefused where it is in use; what the import says of the bundle.
Result<MadeTenant> create_tenant(instance::Instance& instance, const NewTenant& wanted, base::Progress& progress);
// What was cut off before is removed first, unless somebody changes something just now.
Result<std::vector<Tenant>> list_tenants(instance::Instance& instance, base::Progress& progress);
// Cause kNotFound, as the others below.
Result<Tenant> start_tenant(instance::Instance& instance, const TenantName& tenant, base::Progress& progress);
// Its services end, too, and are started by the next start.
Result<Tenant> stop_tenant(instance::Instance& instance, const TenantName& tenant, base::Progress& progress);
// The link that claims it, or signs in: shown once.
Result<OwnerLink> link_tenant(instance::Instance& instance, const TenantName& tenant, base::Progress& progress);
// Its backup first, where one is asked for: where that fails nothing is changed.
Result<TenantName> remove_tenant(instance::Instance& instance, const RemovedTenant& tenant, base::Progress& progress);

// Those that are to run are started. What keeps one from it is in the log.
Result<void> keep_tenants(instance::Instance& instance, base::Progress& progress);

}  // namespace spl::operation
