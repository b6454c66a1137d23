// Which tenants a machine has: a note for each, <home>/tenants/NAME.json (0600), written in one step. A tenant is an
// instance with a home of its own; what is in that only its own programs say. docs/decisions/D-27-tenants.md
// Any thread; who changes something holds the lock.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::tenant {

// How far it is. What is not kMade when nobody has the lock was cut off, and is to be removed.
enum class Standing : std::uint8_t { kMaking, kMade, kLeaving };
constexpr auto names_of(Standing /*type*/) {
  using enum Standing;
  return std::to_array<std::pair<Standing, std::string_view>>(
      {{kMaking, "making"}, {kMade, "made"}, {kLeaving, "leaving"}});
}

struct Limits {
  std::optional<std::uint64_t> memory_bytes = {};
  std::optional<double> cpus = {};  // 1.5: one and a half of the machine's
  std::optional<std::uint64_t> tasks = {};

  [[nodiscard]] bool are_any() const { return memory_bytes || cpus || tasks; }
  static constexpr auto shape() {
    using L = Limits;
    return codec::shape(codec::member("memory_bytes", &L::memory_bytes, "at most"),
                        codec::member("cpus", &L::cpus, "processors' time, at most"),
                        codec::member("tasks", &L::tasks, "processes and threads, at most"));
  }
};

struct TenantNote {
  std::string name;
  std::string host;  // where the machine's router shows it
  std::string user;  // its own; "": that of the machine's instance
  Standing standing = Standing::kMaking;
  bool wanted = false;                // it is to run
  std::vector<std::string> services;  // that ran when it was stopped
  Limits limits;

  static constexpr auto shape() {
    using N = TenantNote;
    return codec::shape(codec::member("name", &N::name, "the tenant"),
                        codec::member("host", &N::host, "where the router shows it"),
                        codec::member("user", &N::user, "its own Unix user; missing: none", codec::Presence::kOmitted),
                        codec::member("standing", &N::standing, "how far it is"),
                        codec::member("wanted", &N::wanted, "whether it is to run"),
                        codec::member("services", &N::services, "that ran when it was stopped"),
                        codec::member("limits", &N::limits, "of what it may take"));
  }
};

// Where tenants with users of their own have their homes.
inline constexpr const char* kTenantsDirectory = "/var/lib/spl/tenants";
// Such a user's own directory, where the key of its secrets is: beside the home, and not in it.
std::string user_directory_of(const TenantNote& note);

inline constexpr std::size_t kNameBytesMax = 28;  // "spl-" before it makes a user's name of 32
// A label of a host's name, and with "spl-" before it a user's: [a-z][a-z0-9-]*, not ending in "-".
bool is_tenant_name(std::string_view name);

class Register {
 public:
  Register(env::Env env, const home::HomePaths& paths) : env_(env), directory_(env::join(paths.root, "tenants")) {}

  [[nodiscard]] const std::string& directory() const { return directory_; }
  // Nothing where somebody else changes something just now.
  Result<std::unique_ptr<env::Lock>> try_lock();
  [[nodiscard]] std::string home_of(const TenantNote& note) const;
  // By name.
  Result<std::vector<TenantNote>> all() const;
  Result<std::optional<TenantNote>> find(const std::string& name) const;
  Result<void> write(const TenantNote& note);
  Result<void> forget(const std::string& name);

 private:
  [[nodiscard]] std::string file_of(const std::string& name) const { return env::join(directory_, name + ".json"); }

  env::Env env_;
  std::string directory_;
};

}  // namespace spl::tenant
