#include <algorithm>
#include <functional>
#include <set>

#include "base/encoding.h"
#include "surface/redis/redis.h"
#include "surface/redis/redis_connection.h"
#include "surface/redis/redis_share.h"
#include "surface/redis/staged_keys.h"

namespace spl::surface {
namespace {

constexpr std::size_t kKeyShown = 100;
constexpr std::string_view kScanCount = "1000";

class RedisData final : public LiveData {
 public:
  RedisData(env::Env machine, RedisConnection connection, std::string subject, RedisShare share,
            std::vector<RedisShare> others)
      : env_(machine),
        connection_(std::move(connection)),
        subject_(std::move(subject)),
        share_(std::move(share)),
        others_(std::move(others)) {}

  Result<bool> is_there() override;
  Result<void> remove() override;
  Result<std::uint64_t> move_to(const Place& to, TakenName taken, base::Progress& progress) override;

 private:
  // Some of its own keys at a time, until there are no more or `each` gives false.
  Result<void> each_own(base::Progress& progress,
                        const std::function<Result<bool>(const std::vector<std::string>&)>& each);

  env::Env env_;
  RedisConnection connection_;
  const std::string subject_;
  const RedisShare share_;
  const std::vector<RedisShare> others_;  // of the same database, that begin as this one does and go on
};

Result<void> RedisData::each_own(base::Progress& progress,
                                 const std::function<Result<bool>(const std::vector<std::string>&)>& each) {
  TRY(connection_.select(*share_.database));
  const std::string glob = redis_glob_of(share_.prefix) + "*";
  std::string cursor = "0";
  do {
    if (progress.cancelled()) return base::fail_cancelled("keys may be left");
    const RedisReply reply = TRY(connection_.ask({"SCAN", cursor, "MATCH", glob, "COUNT", kScanCount}));
    cursor = reply.text(0);
    auto keys = reply.texts(1);
    std::erase_if(keys, [this](const std::string& key) {
      return std::ranges::any_of(others_, [&key](const RedisShare& other) { return key.starts_with(other.prefix); });
    });
    if (!keys.empty() && !TRY(each(keys))) return {};
  } while (cursor != "0");
  return {};
}

Result<bool> RedisData::is_there() {
  bool any = false;
  base::NoProgress progress;
  TRY(each_own(progress, [&any](const auto&) -> Result<bool> {
    any = true;
    return false;
  }));
  return any;
}

Result<void> RedisData::remove() {
  base::NoProgress progress;
  TRY(each_own(progress, [this](const std::vector<std::string>& keys) -> Result<bool> {
    std::vector<std::string_view> words{"UNLINK"};
    words.insert(words.end(), keys.begin(), keys.end());
    TRY(connection_.ask(words));
    return true;
  }));
  return make_durable(connection_, env_.clock);
}

Result<std::uint64_t> RedisData::move_to(const Place& to, TakenName taken, base::Progress& progress) {
  if (!to.key_prefix || share_.prefix.empty())
    return fail(ErrorCode::kRefused, Cause::kNotImplemented,
                subject_ + ": keys of a whole database cannot get another name");
  constexpr std::string_view kCommand = "RENAMENX";
  std::set<std::string> behind;  // a key may come twice
  TRY(each_own(progress, [&](const std::vector<std::string>& keys) -> Result<bool> {
    for (const std::string& key : keys)
      TRY(connection_.tell({kCommand, key, *to.key_prefix + key.substr(share_.prefix.size())}));
    std::optional<std::string> refused;
    std::optional<std::string> in_the_way;
    for (const std::string& key : keys) {
      const RedisReply reply = TRY(connection_.answer());
      // A key whose time was over, or one that came twice.
      const bool is_gone = reply.is_error() && reply.text().starts_with("ERR no such key");
      if (reply.is_error() && !is_gone) refused = std::string(reply.text());
      if (reply.is_error() || !reply.text().empty() || reply.integer() != 0) continue;
      in_the_way = *to.key_prefix + key.substr(share_.prefix.size());
      behind.insert(key);
    }
    if (refused) return redis_refused(connection_.name(), kCommand, *refused);
    if (in_the_way && taken == TakenName::kStops)
      return fail(ErrorCode::kRefused, Cause::kFileExists,
                  subject_ + ": the key " + base::escaped(*in_the_way, kKeyShown) + " is in the way");
    return true;
  }));
  TRY(make_durable(connection_, env_.clock));
  return behind.size();
}

}  // namespace

Result<std::unique_ptr<LiveData>> redis_data(env::Env machine, const Place& place, const std::vector<Place>& others) {
  const RedisAddress address = TRY_IN(place.subject, RedisAddress::parse(place.url.reveal()));
  RedisShare share = TRY(redis_share_of(place, address));
  if (!share.database)
    return fail(ErrorCode::kRefused, Cause::kNotImplemented, place.subject + ": it is a whole server");
  auto connection = TRY_IN(place.subject, RedisConnection::open_loaded(address, machine.clock, nullptr));
  std::vector<RedisShare> inner;
  for (RedisShare& other : shares_of_server(others, address)) {
    if (other.database == share.database && other.prefix.size() > share.prefix.size() &&
        other.prefix.starts_with(share.prefix))
      inner.push_back(std::move(other));
  }
  return std::make_unique<RedisData>(machine, std::move(connection), place.subject, std::move(share), std::move(inner));
}

}  // namespace spl::surface
