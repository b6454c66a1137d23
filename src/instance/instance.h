// An open instance: its home, store and identity. The operations on it (export.h, import.h, ingest.h, access.h) are the
// same whether a daemon runs them or a command on a home without one.
//
// Any thread may use an open Instance. Who writes holds the home's lock from open() to the end.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"
#include "home/home.h"
#include "instance/committer.h"
#include "instance/permissions.h"
#include "store/open_store.h"
#include "store/record_store.h"
#include "substrate/authority.h"
#include "substrate/identity.h"

namespace spl::instance {

enum class OpenFor : std::uint8_t {
  kReading,   // no lock; an error with code kFailed and a hint where there is no store. Without its key, too
  kWriting,   // takes the lock; the same error
  kCreating,  // takes the lock; makes what is missing of the home and the store: init, serve, import
};

struct InstanceOptions {
  std::string home;
  std::string store_url;           // as store/open_store.h has it; "" is what config.toml says, or hub.db
  std::string ca_file = {};        // of spl serve --ca-file; "" is what config.toml says
  store::StoreTuning tuning = {};  // for tests
};

// What `spl identity show` tells.
struct IdentitySummary {
  std::string did;
  std::string public_key_multibase;
  std::string created_at;

  static constexpr auto shape() {
    return codec::shape(codec::member("did", &IdentitySummary::did, "the instance's name: a did:key"),
                        codec::member("public_key_multibase", &IdentitySummary::public_key_multibase, "its key"),
                        codec::member("created_at", &IdentitySummary::created_at, "when it came into this home"));
  }
};

struct Status {
  std::optional<std::string> did;
  store::StoreCounts counts;
  substrate::AuthorityCounts authority;
  std::uint64_t redacted_records = 0;
  std::string store;
  std::string home;
  std::optional<std::string> moved_at;  // move.h
};

// The lock of a store that does not lie in its home.
std::string store_lock_file(const std::string& store_file);

class Instance {
 public:
  // Code kUnavailable where another process holds the lock.
  static Result<std::unique_ptr<Instance>> open(env::Env env, const InstanceOptions& options, OpenFor how);

  // Code kFailed, with what to do, where there is none to be opened.
  static Result<void> require(env::Env env, const InstanceOptions& options);
  // Where the store is, or would be made.
  static Result<store::StoreLocation> store_location(env::Env env, const InstanceOptions& options);
  // Closes the instance and removes what its open() made: for an operation that was to fill a new home and failed.
  static Result<void> close_and_unmake(std::unique_ptr<Instance> instance);
  // The same after `error`, which is given back: an error of the clean-up comes into its hint.
  static Error unmade_after(std::unique_ptr<Instance> instance, Error error);

  // Whether it holds the home's lock: it is not open for reading alone.
  [[nodiscard]] bool takes_writes() const { return lock_ != nullptr; }
  [[nodiscard]] env::Env env() const { return env_; }
  [[nodiscard]] const home::HomePaths& paths() const { return paths_; }
  // As config.toml says now: a daemon follows it without a new start. While it is broken nothing is done by what it
  // said before: it may have been to say whom a bundle is encrypted for.
  [[nodiscard]] Result<home::Config> config() const { return home::load_config(env_, paths_); }
  // Certificates that peers' are to be from, where something else was given than config.toml says; "" where not.
  [[nodiscard]] const std::string& given_ca_file() const { return ca_file_; }
  [[nodiscard]] store::RecordStore& store() { return *store_; }
  [[nodiscard]] Committer& committer() { return *committer_; }
  // What the permission rules that are committed say of records that are to be written.
  [[nodiscard]] Result<std::shared_ptr<const Permissions>> permissions() { return permission_rules_->current(did()); }
  // Held by who changes services, or takes their moment: one at a time.
  [[nodiscard]] std::mutex& service_work() { return service_work_; }

  // The identity in force now; null where there is none, and in kReading where its files cannot be had. It stays valid
  // while the pointer is held.
  [[nodiscard]] std::shared_ptr<const substrate::Identity> identity() const;
  // The store's, also where the files cannot be had.
  [[nodiscard]] std::optional<std::string> did() const;
  // After the setting "did" was committed, by who still holds the store's writer: the identity is the one in force, and
  // its files go to their place. An error says only that they did not get there yet; the next start does it.
  Result<void> adopt_committed_identity(substrate::Identity identity);
  // After a transaction that was to bring a staged identity into force and did not come; nobody holds the writer. What
  // was staged does not stay on the disk, as far as that goes.
  void drop_staged_identity();

  Result<Status> status();
  Result<std::optional<IdentitySummary>> identity_summary();
  // Code kRefused where there is one already.
  Result<IdentitySummary> generate_identity();
  // Code kRefused where identity/ holds a pair and the store knows of no identity: it is another store's, and an
  // instance without identity beside it would be a trap.
  Result<void> check_files_are_known();
  // Why there is no identity, and what to do: an error for who needs one. Code kFailed.
  [[nodiscard]] Error no_identity();
  // Checks the key, the document, the DID and the files' modes against each other.
  Result<void> verify_identity();

 private:
  Instance(env::Env env, home::HomePaths paths) : env_(env), paths_(std::move(paths)) {}
  Result<void> stage_and_commit(store::StoreWriter& writer, const substrate::Identity& identity);
  Result<void> fence_and_settle();
  Result<void> open_parts(const InstanceOptions& options, OpenFor how);
  Result<void> load(OpenFor how);

  env::Env env_;
  home::HomePaths paths_;
  std::string ca_file_;
  std::vector<std::string> made_;  // by open(), in this order
  std::unique_ptr<env::Lock> lock_;
  std::unique_ptr<env::Lock> store_lock_;  // where the store is not in the home
  std::unique_ptr<store::RecordStore> store_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<PermissionRules> permission_rules_;
  std::mutex service_work_;
  mutable std::mutex identity_mutex_;  // guards identity_
  std::shared_ptr<const substrate::Identity> identity_;
  std::optional<std::string> did_without_key_;  // of kReading, and why:
  Error no_key_;
};

}  // namespace spl::instance
