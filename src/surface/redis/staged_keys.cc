#include "surface/redis/staged_keys.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "surface/redis/redis_view.h"

namespace spl::surface {
namespace {

constexpr std::uint32_t kDatabasesMax = 1u << 16;
constexpr std::chrono::milliseconds kLookEvery{20};
constexpr int kLooksMax = 30'000;  // ten minutes
constexpr std::string_view kFsync = "appendfsync";
constexpr std::string_view kDurable = "spl:0000000000000000:durable";  // a name that no client has

}  // namespace

Result<std::uint32_t> number_of_databases(RedisConnection& connection) {
  if (const auto text = connection.parameter("databases")) {
    std::uint32_t number = 0;
    std::from_chars(text->data(), text->data() + text->size(), number);
    if (number > 0) return std::min(number, kDatabasesMax);
  }
  // Where CONFIG is not for us: the first that cannot be selected.
  std::uint32_t least = 1;
  std::uint32_t most = kDatabasesMax;
  while (least < most) {
    const std::uint32_t middle = least + ((most - least) / 2);
    TRY(connection.tell({"SELECT", std::to_string(middle)}));
    const RedisReply reply = TRY(connection.answer());
    if (reply.is_error()) {
      most = middle;
    } else {
      least = middle + 1;
    }
  }
  return least;
}

Result<std::vector<std::uint32_t>> spare_databases(RedisConnection& connection,
                                                   const std::vector<std::uint32_t>& others) {
  const RedisServerFacts facts = TRY(facts_of(connection));
  std::vector<std::uint32_t> spare;
  for (std::uint32_t i = TRY(number_of_databases(connection)); i > 0; --i) {
    if (!facts.keys.contains(i - 1) && std::ranges::find(others, i - 1) == others.end()) spare.push_back(i - 1);
  }
  return spare;
}

Result<void> make_durable(RedisConnection& connection, env::Clock& clock) {
  const auto persistence = TRY(connection.info("persistence"));
  const auto says = [&](const std::string& name, const std::string& value) {
    const auto found = persistence.find(name);
    return found != persistence.end() && found->second == value;
  };
  if (says("aof_enabled", "1")) {
    // A write under this rule is answered when it, and all before it, is on the disk.
    const auto was = connection.parameter(kFsync);
    if (!was) return {};
    TRY(connection.ask({"CONFIG", "SET", kFsync, "always"}));
    auto written = connection.ask({"SET", kDurable, "1"});
    auto removed = connection.ask({"DEL", kDurable});
    TRY(connection.ask({"CONFIG", "SET", kFsync, *was}));
    TRY(std::move(written));
    TRY(std::move(removed));
    return {};
  }
  const auto save = connection.parameter("save");
  if ((save && save->empty()) || says("rdb_changes_since_last_save", "0")) return {};
  // Not BGSAVE: where that fails, the server takes no more writes.
  for (int looks = 0;; ++looks) {
    TRY(connection.tell({"SAVE"}));
    const RedisReply reply = TRY(connection.answer());
    if (!reply.is_error()) return {};
    const bool is_busy = reply.text().contains("in progress");
    if (!is_busy || looks == kLooksMax) return redis_refused(connection.name(), "SAVE", reply.text());
    clock.sleep_for(kLookEvery);
  }
}

}  // namespace spl::surface
