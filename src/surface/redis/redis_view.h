// One Redis server at one moment: its clients' writes wait while it forks for a replica, which is this program; what
// the fork sends is cut into keys and given to the parts that want them. One view for all parts of a server, since a
// server forks once at a time. Any thread, where not said otherwise.
// Sources: redis/src/replication.c of 7.0; measured on Debian 12.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/progress.h"
#include "surface/part.h"
#include "surface/redis/part_keys.h"
#include "surface/redis/redis_connection.h"

namespace spl::surface {

struct RedisServerFacts {
  std::string version;
  unsigned rdb_version = 0;
  std::uint64_t data_bytes = 0;                 // of memory
  std::map<std::uint32_t, std::uint64_t> keys;  // by database; of those that have some
  bool has_functions = false;
  [[nodiscard]] std::uint64_t all_keys() const;
};

// The version of RDB that a server of this version writes.
unsigned rdb_version_of(std::string_view redis_version);
Result<RedisServerFacts> facts_of(RedisConnection& connection);
// Code kUnavailable where it is too old for what spl asks of it.
Result<void> check_age(const RedisConnection& connection, const RedisServerFacts& facts);

class RedisView {
 public:
  explicit RedisView(env::Env machine);
  RedisView(const RedisView&) = delete;
  RedisView& operator=(const RedisView&) = delete;
  ~RedisView();

  // Before the moment, by one thread. The first call connects; each waits until the server is at rest.
  Result<RedisServerFacts> plan(const RedisAddress& address, base::Progress& progress);
  // `keys` outlives the view's moment: it gets what its share has.
  void add(std::shared_ptr<PartKeys> keys) { parts_.push_back(std::move(keys)); }

  Result<void> hold(std::chrono::milliseconds at_most);
  // The fork. Called by each part; the first one does it.
  Result<void> open(std::chrono::nanoseconds deadline);
  void release();
  // Until all has come. Gives what there was besides keys.
  Result<RdbSummary> wait(base::Progress& progress);

 private:
  class Incoming;
  Result<void> wait_until_at_rest(base::Progress& progress);
  Result<void> fork(std::chrono::nanoseconds deadline);
  Result<void> await_fork(std::chrono::nanoseconds deadline);
  Result<RdbSummary> receive();

  env::Env env_;
  std::optional<RedisConnection> control_;
  std::optional<RedisConnection> replica_;  // until its socket is incoming_'s
  std::unique_ptr<Incoming> incoming_;
  std::vector<std::shared_ptr<PartKeys>> parts_;
  std::mutex mutex_;
  std::condition_variable received_condition_;
  std::optional<Result<void>> opened_;
  std::optional<Result<RdbSummary>> received_;
  std::optional<std::chrono::nanoseconds> held_until_;
  std::jthread receiver_;
};

}  // namespace spl::surface
