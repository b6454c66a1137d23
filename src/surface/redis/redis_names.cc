#include <algorithm>
#include <set>

#include "surface/redis/redis.h"
#include "surface/redis/redis_connection.h"
#include "surface/redis/redis_share.h"
#include "surface/redis/redis_view.h"

namespace spl::surface {
namespace {

constexpr std::string_view kScanCount = "2000";
constexpr std::string_view kOwn = "spl:";  // what a restore has staged
constexpr std::string_view kAnyContext = "?*";

Result<SplitNames> databases_of(RedisConnection& connection, const SplitLook& look,
                                const std::vector<RedisShare>& others) {
  SplitNames found;
  for (const auto& [database, keys] : TRY(facts_of(connection)).keys) {
    const auto is_there = [&](const RedisShare& other) { return !other.database || *other.database == database; };
    std::string name = std::to_string(database);
    if (std::ranges::any_of(others, is_there) || !context_in(look.pattern, name)) continue;
    found.is_all = found.names.size() < kSplitNamesMax;
    if (!found.is_all) break;
    found.names.push_back(std::move(name));
  }
  std::ranges::sort(found.names);
  return found;
}

Result<SplitNames> prefixes_of(RedisConnection& connection, const SplitLook& look, std::uint32_t database,
                               const std::vector<RedisShare>& others, base::Progress& progress) {
  const auto is_others = [&](const std::string& key) {
    return std::ranges::any_of(others, [&](const RedisShare& other) { return other.has({database, key}); });
  };
  // The literal ends of the pattern, and anything between.
  const std::string marked = pattern_with(look.pattern, std::string(1, '\0'));
  const std::size_t middle = marked.find('\0');
  const std::string glob = redis_glob_of(std::string_view(marked).substr(0, middle)) + std::string(kAnyContext) +
                           redis_glob_of(std::string_view(marked).substr(middle + 1)) + "*";
  std::set<std::string> names;
  SplitNames found;
  TRY(connection.select(database));
  std::string cursor = "0";
  do {
    if (progress.cancelled()) return base::fail_cancelled("nothing was changed");
    const RedisReply reply = TRY(connection.ask({"SCAN", cursor, "MATCH", glob, "COUNT", kScanCount}));
    cursor = reply.text(0);
    for (const std::string& key : reply.texts(1)) {
      const auto context = context_at_beginning(look.pattern, key);
      if (!context || key.starts_with(kOwn) || is_others(key)) continue;
      names.insert(pattern_with(look.pattern, *context));
    }
    found.is_all = names.size() <= kSplitNamesMax;
  } while (cursor != "0" && found.is_all);
  found.names.assign(names.begin(), names.end());
  return found;
}

}  // namespace

Result<SplitNames> redis_split_names(const SplitLook& look, base::Progress& progress) {
  const RedisAddress address = TRY_IN(look.place.subject, RedisAddress::parse(look.place.url.reveal()));
  RedisConnection connection = TRY_IN(look.place.subject, RedisConnection::open(address));
  const auto others = shares_of_server(look.others, address);
  if (look.place.key_prefix) return prefixes_of(connection, look, address.database, others, progress);
  return databases_of(connection, look, others);
}

}  // namespace spl::surface
