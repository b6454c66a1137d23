#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/encoding.h"
#include "surface/redis/kept_keys.h"
#include "surface/redis/redis_view.h"
#include "surface/redis/staged_keys.h"

namespace spl::surface {
namespace {

constexpr std::string_view kFilePrefix = "db-";

// Where the marks of one live database are.
struct Pair {
  std::optional<std::uint32_t> fresh_at;   // what the bundle brought
  std::optional<std::uint32_t> former_at;  // what was live before
  std::optional<std::uint32_t> back_at;    // what is being brought back from the file
};

class StagedDatabases final : public StagedKeys {
 public:
  StagedDatabases(RedisConnection& connection, const Surroundings& surroundings, RedisShare share,
                  StagedKeysOptions options)
      : connection_(connection),
        surroundings_(surroundings),
        share_(std::move(share)),
        options_(std::move(options)),
        kept_(surroundings.env.fs, options_.keep_directory) {
    const std::string whose = share_.database ? std::to_string(*share_.database) : "all";
    const std::string prefix = "spl:" + options_.id + ":" + whose + ":";
    fresh_ = prefix + "new";
    former_ = prefix + "old";
    back_ = prefix + "back";
  }

  Result<void> begin() override {
    taken_.clear();
    // A part that has no key has a staged side, too.
    return share_.database ? reserve(*share_.database) : Result<void>();
  }
  Result<std::uint32_t> database_for(std::uint32_t live) override {
    live = share_.database.value_or(live);
    if (!taken_.contains(live)) TRY(reserve(live));
    return taken_.at(live);
  }
  [[nodiscard]] std::string staged_name(std::string_view live) const override { return std::string(live); }
  Result<void> end() override;
  Result<std::uint64_t> count_staged() override;
  Result<std::uint64_t> count_live() override;
  Result<void> swap() override;
  Result<void> swap_back() override;
  Result<void> retire() override;
  Result<bool> has_other() override;
  Result<void> discard() override;

 private:
  using Pairs = std::map<std::uint32_t, Pair>;  // by live database
  Result<Pairs> find();
  Result<void> reserve(std::uint32_t live);
  // One without a key that is none of `places`.
  Result<std::uint32_t> take_spare(const std::set<std::uint32_t>& places);
  Result<void> mark(std::uint32_t database, const std::string& name, std::uint32_t live);
  Result<void> unmark(std::uint32_t database, const std::string& name);
  Result<void> flush(std::uint32_t database);
  Result<void> exchange(std::uint32_t live, const std::string& marked, std::uint32_t other,
                        const std::string& unmarked);
  Result<void> load_kept();
  Result<std::uint64_t> count(std::uint32_t database);
  Result<std::uint64_t> keys_of(std::uint32_t database);
  static std::string file_of(std::uint32_t live) { return std::string(kFilePrefix) + std::to_string(live); }

  RedisConnection& connection_;
  const Surroundings& surroundings_;
  const RedisShare share_;
  const StagedKeysOptions options_;
  KeptFiles kept_;
  std::string fresh_;
  std::string former_;
  std::string back_;
  std::map<std::uint32_t, std::uint32_t> taken_;  // live to staged, while keys come
};

Result<StagedDatabases::Pairs> StagedDatabases::find() {
  Pairs pairs;
  const std::uint32_t databases = TRY(number_of_databases(connection_));
  for (std::uint32_t i = 0; i < databases; ++i) {
    TRY(connection_.tell({"SELECT", std::to_string(i)}));
    TRY(connection_.tell({"MGET", fresh_, former_, back_}));
  }
  for (std::uint32_t i = 0; i < databases; ++i) {
    const RedisReply selected = TRY(connection_.answer());
    const RedisReply marks = TRY(connection_.answer());
    if (selected.is_error()) return redis_refused(connection_.name(), "SELECT", selected.text());
    const std::array members{&Pair::fresh_at, &Pair::former_at, &Pair::back_at};
    for (std::size_t m = 0; m < members.size(); ++m) {
      const std::string_view text = marks.text(m);
      std::uint32_t live = 0;
      if (text.empty() || std::from_chars(text.begin(), text.end(), live).ec != std::errc{}) continue;
      pairs[live].*members[m] = i;
    }
  }
  return pairs;
}

Result<std::uint32_t> StagedDatabases::take_spare(const std::set<std::uint32_t>& places) {
  const auto spare = TRY(spare_databases(connection_, options_.other_databases));
  for (const std::uint32_t database : spare) {
    if (!places.contains(database)) return database;
  }
  return fail(ErrorCode::kStop, connection_.name() + " has no database left to stage keys in",
              "raise `databases` in its configuration and start it again");
}

Result<void> StagedDatabases::mark(std::uint32_t database, const std::string& name, std::uint32_t live) {
  TRY(connection_.select(database));
  TRY(connection_.ask({"SET", name, std::to_string(live)}));
  return {};
}

Result<void> StagedDatabases::unmark(std::uint32_t database, const std::string& name) {
  TRY(connection_.select(database));
  TRY(connection_.ask({"DEL", name}));
  return {};
}

Result<void> StagedDatabases::flush(std::uint32_t database) {
  TRY(connection_.select(database));
  TRY(connection_.ask({"FLUSHDB", "ASYNC"}));
  return {};
}

Result<void> StagedDatabases::reserve(std::uint32_t live) {
  if (live >= TRY(number_of_databases(connection_)))
    return fail(ErrorCode::kStop,
                connection_.name() + " has no database " + std::to_string(live) + ", in which the bundle has keys",
                "raise `databases` in its configuration and start it again");
  std::set<std::uint32_t> places{live};
  for (const auto& [place, staged] : taken_) places.insert(place);
  // What was staged here, since nothing was known to be for here, moves on with its mark.
  for (auto& [place, staged] : taken_) {
    if (staged != live) continue;
    const std::uint32_t other = TRY(take_spare(places));
    TRY(connection_.ask({"SWAPDB", std::to_string(live), std::to_string(other)}));
    staged = other;
  }
  const std::uint32_t spare = TRY(take_spare(places));
  TRY(mark(spare, fresh_, live));
  taken_[live] = spare;
  return {};
}

// A live database of which the bundle has nothing is to be empty.
Result<void> StagedDatabases::end() {
  if (share_.database) return {};
  for (const auto& [database, keys] : TRY(facts_of(connection_)).keys) {
    const bool is_staged = std::ranges::any_of(taken_, [&](const auto& pair) { return pair.second == database; });
    if (is_staged || taken_.contains(database)) continue;
    TRY(connection_.select(database));
    bool is_of_a_restore = false;
    TRY(scan_keys(connection_, "spl:" + options_.id + ":", [&](const auto&) -> Result<void> {
      is_of_a_restore = true;
      return {};
    }));
    if (!is_of_a_restore) TRY(reserve(database));
  }
  return {};
}

// Those without an end; the marks have none.
Result<std::uint64_t> StagedDatabases::count(std::uint32_t database) {
  const auto keyspace = TRY(connection_.info("keyspace"));
  const auto found = keyspace.find("db" + std::to_string(database));
  if (found == keyspace.end()) return std::uint64_t{0};
  const auto number = [&](std::string_view name) {
    std::uint64_t value = 0;
    const std::size_t at = found->second.find(name);
    if (at != std::string::npos)
      std::from_chars(found->second.data() + at + name.size(), found->second.data() + found->second.size(), value);
    return value;
  };
  std::uint64_t keys = number("keys=") - number("expires=");
  TRY(connection_.select(database));
  const RedisReply marks = TRY(connection_.ask({"EXISTS", fresh_, former_, back_}));
  keys -= static_cast<std::uint64_t>(marks.integer());
  return keys;
}

// All but marks.
Result<std::uint64_t> StagedDatabases::keys_of(std::uint32_t database) {
  TRY(connection_.select(database));
  const RedisReply all = TRY(connection_.ask({"DBSIZE"}));
  const RedisReply marks = TRY(connection_.ask({"EXISTS", fresh_, former_, back_}));
  return static_cast<std::uint64_t>(all.integer() - marks.integer());
}

Result<std::uint64_t> StagedDatabases::count_staged() {
  std::uint64_t sum = 0;
  for (const auto& [live, pair] : TRY(find())) {
    if (pair.fresh_at) sum += TRY(count(*pair.fresh_at));
  }
  return sum;
}

Result<std::uint64_t> StagedDatabases::count_live() {
  if (share_.database) return count(*share_.database);
  const Pairs pairs = TRY(find());
  std::uint64_t sum = 0;
  for (const auto& [database, keys] : TRY(facts_of(connection_)).keys) {
    const bool is_other = std::ranges::any_of(pairs, [&](const auto& entry) {
      const auto& [live, pair] = entry;
      return live != database && (pair.fresh_at == database || pair.former_at == database || pair.back_at == database);
    });
    if (!is_other) sum += TRY(count(database));
  }
  return sum;
}

// The content of both, in one step: the mark goes into what is live before, and another one out of what is live then.
Result<void> StagedDatabases::exchange(std::uint32_t live, const std::string& marked, std::uint32_t other,
                                       const std::string& unmarked) {
  const std::string number = std::to_string(live);
  TRY(connection_.tell({"MULTI"}));
  TRY(connection_.tell({"SELECT", number}));
  TRY(connection_.tell({"SET", marked, number}));
  TRY(connection_.tell({"SWAPDB", number, std::to_string(other)}));
  TRY(connection_.tell({"DEL", unmarked}));
  // Also after a command that was refused: EXEC does nothing then, and no later command waits for it.
  TRY(connection_.tell({"EXEC"}));
  constexpr int kAnswers = 6;
  std::optional<std::string> refused;
  for (int i = 0; i < kAnswers; ++i) {
    const RedisReply reply = TRY(connection_.answer());
    if (reply.is_error() && !refused) refused = std::string(reply.text());
  }
  return refused ? Result<void>(redis_refused(connection_.name(), "SWAPDB", *refused)) : Result<void>();
}

Result<void> StagedDatabases::swap() {
  for (const auto& [live, pair] : TRY(find())) {
    if (!pair.fresh_at || *pair.fresh_at == live) continue;
    // What is live gets the mark of what was; there is none to be taken away.
    TRY(exchange(live, former_, *pair.fresh_at, back_));
  }
  return make_durable(connection_, surroundings_.env.clock);
}

Result<void> StagedDatabases::swap_back() {
  TRY(load_kept());
  for (const auto& [live, pair] : TRY(find())) {
    if (pair.back_at && *pair.back_at != live) {
      TRY(exchange(live, fresh_, *pair.back_at, back_));
    } else if (pair.fresh_at == live && pair.former_at && *pair.former_at != live) {
      TRY(exchange(live, fresh_, *pair.former_at, former_));
    }
  }
  TRY(make_durable(connection_, surroundings_.env.clock));
  return kept_.remove();
}

// What retire() has put into files is staged again, beside what is live.
Result<void> StagedDatabases::load_kept() {
  if (!TRY(kept_.are_there())) return {};
  const Pairs pairs = TRY(find());
  std::set<std::uint32_t> places;
  for (const std::string& name : TRY(kept_.list())) {
    if (!name.starts_with(kFilePrefix)) continue;
    std::uint32_t live = 0;
    std::from_chars(name.data() + kFilePrefix.size(), name.data() + name.size(), live);
    places.insert(live);
  }
  for (const std::uint32_t live : places) {
    const auto found = pairs.find(live);
    const Pair pair = found == pairs.end() ? Pair{} : found->second;
    // Swapped back already, or never put aside.
    if (pair.fresh_at) continue;
    if (pair.back_at) TRY(flush(*pair.back_at));
    const std::uint32_t spare = TRY(take_spare(places));
    TRY(mark(spare, back_, live));
    TRY(bring_back_keys(connection_, "", surroundings_.env.fs, kept_.path_of(file_of(live))));
  }
  return {};
}

Result<void> StagedDatabases::retire() {
  const Pairs pairs = TRY(find());
  if (!TRY(kept_.are_there())) {
    TRY(kept_.make([&](const std::string& directory) -> Result<std::uint64_t> {
      std::uint64_t kept = 0;
      for (const auto& [live, pair] : pairs) {
        if (pair.fresh_at != live || !pair.former_at) continue;
        TRY(connection_.select(*pair.former_at));
        kept += TRY(keep_keys(connection_, "", {fresh_, former_, back_}, surroundings_.env.fs,
                              env::join(directory, file_of(live))));
      }
      return kept;
    }));
  }
  for (const auto& [live, pair] : pairs) {
    if (pair.fresh_at != live) continue;
    if (pair.former_at) TRY(flush(*pair.former_at));
    TRY(unmark(live, fresh_));
  }
  return {};
}

Result<bool> StagedDatabases::has_other() {
  if (TRY(kept_.are_there())) return true;
  for (const auto& [live, pair] : TRY(find())) {
    if (pair.fresh_at && *pair.fresh_at != live) return true;
    if (pair.former_at && *pair.former_at != live && TRY(keys_of(*pair.former_at)) > 0) return true;
  }
  return false;
}

Result<void> StagedDatabases::discard() {
  for (const auto& [live, pair] : TRY(find())) {
    const std::array marks{std::pair{pair.fresh_at, fresh_}, std::pair{pair.former_at, former_},
                           std::pair{pair.back_at, back_}};
    for (const auto& [at, name] : marks) {
      if (!at) continue;
      TRY(*at == live ? unmark(live, name) : flush(*at));
    }
  }
  return kept_.remove();
}

}  // namespace

std::unique_ptr<StagedKeys> staged_databases(RedisConnection& connection, const Surroundings& surroundings,
                                             RedisShare share, StagedKeysOptions options) {
  return std::make_unique<StagedDatabases>(connection, surroundings, std::move(share), std::move(options));
}

}  // namespace spl::surface
