// What a restore stages in a live Redis server beside the keys that are live, and how both change places. Two ways: a
// spare database and SWAPDB, or keys under names of their own and RENAME. Marks are keys of the server, so they are on
// the side on which their data is; all begin with "spl:<id>:". As RestorePart has it, every call can be repeated. One
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "surface/part.h"
#include "surface/redis/part_keys.h"
#include "surface/redis/redis_connection.h"

namespace spl::surface {

struct StagedKeysOptions {
  std::string id;              // of the restore
  std::string keep_directory;  // of `previous`, after retire()
  std::vector<std::uint32_t> other_databases;
};

class StagedKeys {
 public:
  virtual ~StagedKeys() = default;
  // Nothing is staged; from now on keys may be.
  virtual Result<void> begin() = 0;
  // The database to select for keys of the live database `live`; of a split `live` is 0.
  virtual Result<std::uint32_t> database_for(std::uint32_t live) = 0;
  // What a key of the live side is called while it is staged.
  [[nodiscard]] virtual std::string staged_name(std::string_view live) const = 0;
  // All keys are staged.
  virtual Result<void> end() = 0;
  // Of keys that have no end: those that have one may go at any time.
  virtual Result<std::uint64_t> count_staged() = 0;
  virtual Result<std::uint64_t> count_live() = 0;

  virtual Result<void> swap() = 0;
  virtual Result<void> swap_back() = 0;
  virtual Result<void> retire() = 0;
  virtual Result<bool> has_other() = 0;
  virtual Result<void> discard() = 0;
};

// `connection` and `surroundings` outlive it.
std::unique_ptr<StagedKeys> staged_databases(RedisConnection& connection, const Surroundings& surroundings,
                                             RedisShare share, StagedKeysOptions options);
std::unique_ptr<StagedKeys> staged_names(RedisConnection& connection, const Surroundings& surroundings,
                                         RedisShare share, StagedKeysOptions options);

// Of the server.
Result<std::uint32_t> number_of_databases(RedisConnection& connection);
// Databases without a key, the last one first, but for `others`.
Result<std::vector<std::uint32_t>> spare_databases(RedisConnection& connection,
                                                   const std::vector<std::uint32_t>& others);
// What was written is on the disk, as far as the server keeps anything there.
Result<void> make_durable(RedisConnection& connection, env::Clock& clock);

}  // namespace spl::surface
