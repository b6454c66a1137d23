#include <algorithm>

#include "spool/sorted_runs.h"
#include "surface/redis/kept_keys.h"
#include "surface/redis/staged_keys.h"

namespace spl::surface {
namespace {

constexpr std::string_view kFileName = "keys";
constexpr std::size_t kSeenBytesMax = 4u << 20;

// Three names for a key: live it has its own; "spl:<id>:<prefix>:n:" before it is what the bundle brought and is not
// live, "...:o:" what was live before. One mark says that something is staged, a second one that what the bundle
// brought is live, or on its way there.
class StagedNames final : public StagedKeys {
 public:
  StagedNames(RedisConnection& connection, const Surroundings& surroundings, RedisShare share,
              StagedKeysOptions options)
      : connection_(connection),
        surroundings_(surroundings),
        share_(std::move(share)),
        options_(std::move(options)),
        kept_(surroundings.env.fs, options_.keep_directory) {
    const std::string prefix = "spl:" + options_.id + ":" + share_.prefix;
    fresh_ = prefix + ":n:";
    former_ = prefix + ":o:";
    staged_mark_ = prefix + ":staged";
    swapped_mark_ = prefix + ":swapped";
  }

  Result<void> begin() override {
    TRY(select());
    TRY(connection_.ask({"SET", staged_mark_, "1"}));
    return {};
  }
  Result<std::uint32_t> database_for(std::uint32_t /*live*/) override { return share_.database.value_or(0); }
  [[nodiscard]] std::string staged_name(std::string_view live) const override { return fresh_ + std::string(live); }
  Result<void> end() override { return {}; }
  Result<std::uint64_t> count_staged() override { return count(fresh_); }
  Result<std::uint64_t> count_live() override { return count(share_.prefix); }
  Result<void> swap() override;
  Result<void> swap_back() override;
  Result<void> retire() override;
  Result<bool> has_other() override;
  Result<void> discard() override;

 private:
  Result<void> select() { return connection_.select(share_.database.value_or(0)); }
  Result<bool> has(const std::string& key) {
    const RedisReply reply = TRY(connection_.ask({"EXISTS", key}));
    return reply.integer() == 1;
  }
  // As scan_keys(), but a context's own prefix may be "spl:": what a restore has staged is none of its keys.
  Result<void> scan(const std::string& prefix,
                    const std::function<Result<void>(const std::vector<std::string>&)>& each) {
    if (is_of_a_restore(prefix)) return scan_keys(connection_, prefix, each);
    return scan_keys(connection_, prefix, [&each](std::vector<std::string> keys) -> Result<void> {
      std::erase_if(keys, [](const std::string& key) { return is_of_a_restore(key); });
      return each(keys);
    });
  }
  Result<bool> has_any(const std::string& prefix);
  Result<std::uint64_t> count(const std::string& prefix);
  // Each key with one beginning gets another one.
  Result<void> move(const std::string& from, const std::string& to);
  Result<void> remove(const std::string& prefix);

  RedisConnection& connection_;
  const Surroundings& surroundings_;
  const RedisShare share_;
  const StagedKeysOptions options_;
  KeptFiles kept_;
  std::string fresh_;
  std::string former_;
  std::string staged_mark_;
  std::string swapped_mark_;
};

Result<bool> StagedNames::has_any(const std::string& prefix) {
  bool any = false;
  TRY(scan_keys(connection_, prefix, [&](const auto&) -> Result<void> {
    any = true;
    return {};
  }));
  return any;
}

// Of keys that have no end.
Result<std::uint64_t> StagedNames::count(const std::string& prefix) {
  TRY(select());
  auto seen = TRY(spool::SortedRuns::make(surroundings_.env, surroundings_.spool, kSeenBytesMax));
  TRY(scan(prefix, [&](const std::vector<std::string>& keys) -> Result<void> {
    for (const std::string& key : keys) TRY(connection_.tell({"PTTL", key}));
    for (const std::string& key : keys) {
      const RedisReply left = TRY(connection_.answer());
      if (left.integer() == -1) TRY(seen.add(key, ""));
    }
    return {};
  }));
  // A key may come twice.
  TRY(seen.rewind());
  std::uint64_t number = 0;
  std::optional<std::string> last;
  for (std::string_view key, content; TRY(seen.next(key, content));) {
    if (last == key) continue;
    ++number;
    last = key;
  }
  return number;
}

Result<void> StagedNames::move(const std::string& from, const std::string& to) {
  return scan(from, [&](const std::vector<std::string>& keys) -> Result<void> {
    for (const std::string& key : keys) TRY(connection_.tell({"RENAME", key, to + key.substr(from.size())}));
    std::optional<std::string> refused;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const RedisReply reply = TRY(connection_.answer());
      // A key whose time was over, or one that came twice.
      if (reply.is_error() && !reply.text().starts_with("ERR no such key")) refused = std::string(reply.text());
    }
    if (refused) return redis_refused(connection_.name(), "RENAME", *refused);
    return {};
  });
}

Result<void> StagedNames::remove(const std::string& prefix) {
  return scan_keys(connection_, prefix, [&](const std::vector<std::string>& keys) -> Result<void> {
    for (const std::string& key : keys) TRY(connection_.tell({"UNLINK", key}));
    for (std::size_t i = 0; i < keys.size(); ++i) TRY(connection_.answer());
    return {};
  });
}

Result<void> StagedNames::swap() {
  TRY(select());
  if (!TRY(has(staged_mark_))) return {};
  if (!TRY(has(swapped_mark_))) {
    TRY(move(share_.prefix, former_ + share_.prefix));
    TRY(connection_.ask({"SET", swapped_mark_, "1"}));
  }
  TRY(move(fresh_, ""));
  return make_durable(connection_, surroundings_.env.clock);
}

Result<void> StagedNames::swap_back() {
  TRY(select());
  const bool is_kept = TRY(kept_.are_there());
  if (is_kept && !TRY(has(staged_mark_))) {
    TRY(remove(former_));
    TRY(bring_back_keys(connection_, former_, surroundings_.env.fs, kept_.path_of(kFileName)));
    TRY(connection_.ask({"MSET", staged_mark_, "1", swapped_mark_, "1"}));
  }
  if (!TRY(has(staged_mark_))) return {};
  if (TRY(has(swapped_mark_))) {
    TRY(move(share_.prefix, fresh_ + share_.prefix));
    TRY(connection_.ask({"DEL", swapped_mark_}));
  }
  TRY(move(former_, ""));
  TRY(make_durable(connection_, surroundings_.env.clock));
  return is_kept ? kept_.remove() : Result<void>();
}

Result<void> StagedNames::retire() {
  TRY(select());
  if (!TRY(has(swapped_mark_))) return {};
  if (!TRY(kept_.are_there()) && TRY(has_any(former_)))
    TRY(kept_.make([this](const std::string& directory) {
      return keep_keys(connection_, former_, {}, surroundings_.env.fs, env::join(directory, kFileName));
    }));
  TRY(remove(former_));
  TRY(connection_.ask({"DEL", staged_mark_, swapped_mark_}));
  return {};
}

Result<bool> StagedNames::has_other() {
  if (TRY(kept_.are_there())) return true;
  TRY(select());
  if (!TRY(has(staged_mark_))) return false;
  return TRY(has(swapped_mark_)) ? has_any(former_) : Result<bool>(true);
}

Result<void> StagedNames::discard() {
  TRY(select());
  if (TRY(has(swapped_mark_))) {
    TRY(remove(former_));
  } else {
    TRY(remove(fresh_));
  }
  TRY(connection_.ask({"DEL", staged_mark_, swapped_mark_}));
  return kept_.remove();
}

}  // namespace

std::unique_ptr<StagedKeys> staged_names(RedisConnection& connection, const Surroundings& surroundings,
                                         RedisShare share, StagedKeysOptions options) {
  return std::make_unique<StagedNames>(connection, surroundings, std::move(share), std::move(options));
}

}  // namespace spl::surface
