#include "instance/instance.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/did_key.h"
#include "crypto/locked.h"
#include "instance/move.h"

namespace spl::instance {
namespace {

// The error of a home whose store is not at `store`.
std::unexpected<Error> no_instance(env::Env env, const home::HomePaths& paths, const store::StoreLocation& location) {
  // Where an identity waits for its store, init would be refused.
  if (const auto did = substrate::did_of_files(env, paths.identity()))
    return fail(Cause::kNoInstance, "the store of " + *did + " is not at " + location.file,
                "set store in " + paths.config() + " to where it is, or import its bundle into another home");
  return fail(Cause::kNoInstance, "there is no instance at " + paths.root,
              "run spl init, or name another home with --home");
}

// What is asked for comes before what config.toml says.
Result<store::StoreLocation> location_of(env::Env env, const InstanceOptions& options, const home::Config& config,
                                         const home::HomePaths& paths) {
  const std::string& url = options.store_url.empty() ? config.store_url : options.store_url;
  auto location = TRY(store::locate_store(url.empty() ? paths.store() : url));
  // What lies beside a store lies beside the file that a link leads to.
  if (!location.file.empty()) location.file = TRY(env::follow_links(env.fs, location.file));
  return location;
}

store::StoreOpen store_open(OpenFor how) {
  switch (how) {
    case OpenFor::kReading:
      return store::StoreOpen::kReading;
    case OpenFor::kWriting:
      return store::StoreOpen::kExisting;
    case OpenFor::kCreating:
      break;
  }
  return store::StoreOpen::kCreate;
}

// Two homes may name one store: it is open for writing in one process, as a home is. What is another home's own store
// goes by that home's lock.
Result<std::unique_ptr<env::Lock>> lock_store(env::Env env, const std::string& path) {
  const home::HomePaths other{env::parent_of(path)};
  const bool is_of_home = path == other.store() && TRY(env.fs.info(other.run()));
  auto lock = TRY(is_of_home ? env.fs.try_lock_directory(other.root) : env.fs.try_lock(store_lock_file(path)));
  if (!lock)
    return fail(ErrorCode::kUnavailable, Cause::kLocked, "another process works on the store " + path,
                "wait for it, or end it");
  return lock;
}

Result<void> check_mode(env::Env env, const std::string& path, std::uint32_t wanted) {
  const auto info = TRY(env.fs.info(TRY(env::follow_links(env.fs, path))));
  if (!info) return fail(path + " is missing", "bring it back from a backup, or import a bundle into a new home");
  if ((info->mode & 077) != 0)
    return fail(path + " can be read by others", "chmod " + std::string(wanted == 0700 ? "700 " : "600 ") + path);
  return {};
}

// The files of the identity in force lie in identity/incoming/ still, where they are found as well.
void log_unsettled(env::Env env, const Error& error) {
  env.log.write(env::LogLevel::kWarn, "identity files not in their place", {{"error", error.message}});
}

std::shared_ptr<const substrate::Identity> held_locked(substrate::Identity identity) {
  auto held = std::make_shared<const substrate::Identity>(std::move(identity));
  crypto::lock_in_memory(held->key.seed().reveal());
  return held;
}

}  // namespace

std::string store_lock_file(const std::string& store_file) {
  return store_file + ".lock";
}

Result<std::unique_ptr<Instance>> Instance::open(env::Env env, const InstanceOptions& options, OpenFor how) {
  std::unique_ptr<Instance> instance(new Instance(env, home::HomePaths{options.home}));
  instance->ca_file_ = options.ca_file;
  const auto opened = instance->open_parts(options, how);
  if (opened) return instance;
  // What a sync that failed has lost would pass for durable when it is found the next time. Without the lock it may be
  // another's by now.
  if (instance->lock_) static_cast<void>(close_and_unmake(std::move(instance)));
  return std::unexpected(opened.error());
}

Result<void> Instance::open_parts(const InstanceOptions& options, OpenFor how) {
  if (how == OpenFor::kCreating) {
    const auto made = home::make_root(env_, paths_, made_);
    if (!made) {
      // What a sync that failed has lost would pass for durable when it is found the next time.
      static_cast<void>(home::unmake_home(env_, made_));
      return made;
    }
  } else {
    TRY(require(env_, options));
  }
  // A backup may have left it out, or it lies on a file system that a reboot empties.
  if (how == OpenFor::kWriting && !TRY(env_.fs.info(TRY(env::follow_links(env_.fs, paths_.run())))))
    TRY(home::make_run_directory(env_, paths_));
  if (how != OpenFor::kReading) {
    lock_ = TRY(env_.fs.try_lock_directory(paths_.root));
    if (!lock_)
      return fail(ErrorCode::kUnavailable, Cause::kLocked, "another process works on " + paths_.root,
                  "wait for it, or end it with spl stop");
  }
  if (how == OpenFor::kCreating) TRY(home::make_home(env_, paths_, made_));
  const store::StoreLocation location = TRY(location_of(env_, options, TRY(config()), paths_));
  const std::string& path = location.file;
  if (how != OpenFor::kReading && !path.empty() && path != paths_.store()) store_lock_ = TRY(lock_store(env_, path));
  // Asked under the lock: a home whose store another process has made meanwhile is not this one's to take away.
  const bool there = TRY(store::store_exists(env_, location));
  if (!path.empty() && there) {
    made_.clear();
  } else if (how == OpenFor::kCreating) {
    for (std::string& file : store::store_files(location)) made_.push_back(std::move(file));
  }
  if (!there && how != OpenFor::kCreating) return no_instance(env_, paths_, location);
  store_ = TRY(store::open_store(env_, location, store_open(how), options.tuning));
  committer_ = std::make_unique<Committer>(*store_);
  permission_rules_ = std::make_unique<PermissionRules>(*store_);
  if (how != OpenFor::kReading) {
    // The store's file is durable before its name can be relied on; and that a log is gone, which would be replayed.
    TRY(env_.fs.sync_directory(paths_.root));
    if (store_lock_) TRY(env_.fs.sync_directory(env::parent_of(path)));
    const auto did = TRY(TRY(store_->reader())->setting(store::kDidSetting));
    auto settled = substrate::settle_identity(env_, paths_.identity(), did);
    auto loaded = load(how);
    if (!settled && !loaded) return settled;
    if (!settled) log_unsettled(env_, settled.error());
    return loaded;
  }
  return load(how);
}

Result<void> Instance::require(env::Env env, const InstanceOptions& options) {
  const home::HomePaths paths{options.home};
  const store::StoreLocation location = TRY(store_location(env, options));
  const bool there = TRY(env.fs.info(paths.root)) && TRY(store::store_exists(env, location));
  return there ? Result<void>() : no_instance(env, paths, location);
}

Result<store::StoreLocation> Instance::store_location(env::Env env, const InstanceOptions& options) {
  const home::HomePaths paths{options.home};
  return location_of(env, options, TRY(home::load_config(env, paths)), paths);
}

Result<void> Instance::close_and_unmake(std::unique_ptr<Instance> instance) {
  instance->permission_rules_.reset();
  instance->committer_.reset();
  instance->store_.reset();
  // Under the lock to the end, so that nobody moves in meanwhile.
  const env::Env env = instance->env_;
  // What was staged in a directory that open() made, and did not come into force.
  const std::string directory = instance->paths_.identity();
  const bool drops = std::ranges::find(instance->made_, directory) != instance->made_.end() && !instance->identity();
  const auto dropped =
      drops ? env::remove_tree(env.fs, env::join(directory, substrate::kIncomingDirectory)) : Result<void>();
  const auto unmade = home::unmake_home(env, instance->made_);
  return dropped ? unmade : dropped;
}

Error Instance::unmade_after(std::unique_ptr<Instance> instance, Error error) {
  const auto unmade = close_and_unmake(std::move(instance));
  if (unmade) return error;
  if (!error.hint.empty()) error.hint += "; ";
  error.hint += "the home that was made for it is not all gone: " + unmade.error().message;
  return error;
}

Result<void> Instance::load(OpenFor how) {
  const auto did = TRY(TRY(store_->reader())->setting(store::kDidSetting));
  if (!did) return {};
  auto identity = substrate::load_identity(env_, paths_.identity(), *did);
  if (identity) {
    identity_ = held_locked(std::move(*identity));
    return {};
  }
  if (how != OpenFor::kReading) return std::unexpected(std::move(identity).error());
  // Records can be read without it; who asks for the key is told.
  did_without_key_ = did;
  no_key_ = std::move(identity).error();
  return {};
}

std::shared_ptr<const substrate::Identity> Instance::identity() const {
  const std::scoped_lock lock(identity_mutex_);
  return identity_;
}

std::optional<std::string> Instance::did() const {
  const auto held = identity();
  return held ? std::optional(held->did) : did_without_key_;
}

Result<void> Instance::adopt_committed_identity(substrate::Identity identity) {
  const std::string did = identity.did;
  {
    const std::scoped_lock lock(identity_mutex_);
    identity_ = held_locked(std::move(identity));
  }
  const auto settled = substrate::settle_identity(env_, paths_.identity(), did);
  if (!settled) log_unsettled(env_, settled.error());
  return settled;
}

Result<Status> Instance::status() {
  const auto reader = TRY(store_->reader());
  Status status;
  status.did = did();
  status.counts = TRY(reader->counts());
  status.authority = TRY(substrate::authority_counts(*reader, status.did));
  status.redacted_records = TRY(reader->redacted_count());
  status.store = store_->name();
  status.home = paths_.root;
  status.moved_at = TRY(moved_at(*reader));
  return status;
}

Result<std::optional<IdentitySummary>> Instance::identity_summary() {
  const auto held = identity();
  if (!held && did_without_key_) return std::unexpected(no_key_);
  if (!held) return std::nullopt;
  IdentitySummary summary;
  summary.did = held->did;
  summary.public_key_multibase = crypto::multibase_of(held->key.public_key());
  summary.created_at = TRY(TRY(store_->reader())->setting(store::kIdentityCreatedAtSetting)).value_or("");
  return std::optional(std::move(summary));
}

Result<IdentitySummary> Instance::generate_identity() {
  const auto refused = [](const std::string& did) {
    return fail(ErrorCode::kRefused, Cause::kIdentityExists, "this instance has an identity already: " + did,
                "an identity is made once; spl identity show prints it");
  };
  if (const auto held = identity()) return refused(held->did);
  TRY(check_files_are_known());
  substrate::Identity fresh = TRY(substrate::generate_identity(env_));
  auto writer = TRY(store_->writer());
  if (const auto there = TRY(writer->setting(store::kDidSetting))) return refused(*there);
  const auto committed = stage_and_commit(*writer, fresh);
  if (committed) static_cast<void>(adopt_committed_identity(std::move(fresh)));
  writer.reset();
  if (!committed) {
    drop_staged_identity();
    return std::unexpected(committed.error());
  }
  return *TRY(identity_summary());
}

Result<void> Instance::check_files_are_known() {
  if (TRY(TRY(store_->reader())->setting(store::kDidSetting))) return {};
  const auto lying = substrate::did_of_files(env_, paths_.identity());
  if (!lying) return {};
  return fail(
      ErrorCode::kRefused,
      paths_.identity() + " holds the identity " + *lying + ", of which the store " + store_->name() + " knows nothing",
      "bring its store back or import its bundle; for a new identity, move the directory away");
}

Result<void> Instance::stage_and_commit(store::StoreWriter& writer, const substrate::Identity& identity) {
  TRY(substrate::stage_identity(env_, paths_.identity(), std::nullopt, identity));
  TRY(writer.set_setting(store::kDidSetting, identity.did));
  TRY(writer.set_setting(store::kIdentityCreatedAtSetting, env::rfc3339(env_.clock.now())));
  return writer.commit();
}

void Instance::drop_staged_identity() {
  if (const auto dropped = fence_and_settle(); !dropped)
    env_.log.write(env::LogLevel::kWarn, "staged identity not dropped", {{"error", dropped.error().message}});
}

// What a commit that failed has written may be taken for a commit after a power cut, and would want the staged key: so
// a transaction takes its place in the log first. Where that fails too, the next start drops the key.
Result<void> Instance::fence_and_settle() {
  if (!TRY(env_.fs.info(env::join(paths_.identity(), substrate::kIncomingDirectory)))) return {};
  const auto writer = TRY(store_->writer());
  const auto did = TRY(writer->setting(store::kDidSetting));
  TRY(writer->fence());
  TRY(writer->commit());
  return substrate::settle_identity(env_, paths_.identity(), did);
}

Error Instance::no_identity() {
  const auto known = check_files_are_known();
  if (known)
    return {ErrorCode::kFailed, "this instance has no identity", "spl identity generate makes one", Cause::kNoIdentity};
  return {ErrorCode::kFailed, known.error().message, known.error().hint, Cause::kNoIdentity};
}

Result<void> Instance::verify_identity() {
  const auto did = TRY(TRY(store_->reader())->setting(store::kDidSetting));
  if (!did) return std::unexpected(no_identity());
  const substrate::Identity identity = TRY(substrate::load_identity(env_, paths_.identity(), *did));
  constexpr std::string_view kProbe = "spl identity verify";
  if (!crypto::verify(identity.key.public_key(), kProbe, identity.key.sign(kProbe)))
    return fail("the key's signatures do not verify",
                "bring identity/ back from a backup, or import a bundle into a new home");
  TRY(check_mode(env_, paths_.identity(), 0700));
  return check_mode(env_, env::join(paths_.identity(), "private_key.bin"), 0600);
}

}  // namespace spl::instance
