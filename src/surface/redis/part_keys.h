// The keys of one part, taken from an RDB in whatever order they come and given to a bundle in the order of their
// names. Values wait in the spool. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "crypto/sha256.h"
#include "spool/sorted_runs.h"
#include "surface/part.h"
#include "surface/part_stream.h"
#include "surface/redis/key_line.h"
#include "surface/redis/rdb_reader.h"

namespace spl::surface {

// Whether a key is one that a restore has staged, or a mark of its own: "spl:", 16 hexadecimal digits, ":".
bool is_of_a_restore(std::string_view key);

// Which keys of a server are a part's.
struct RedisShare {
  std::optional<std::uint32_t> database;  // none: all
  std::string prefix;
  [[nodiscard]] bool has(const RdbKey& key) const {
    return (!database || *database == key.database) && key.key.starts_with(prefix) && !is_of_a_restore(key.key);
  }
};

class PartKeys final : public RdbSink {
 public:
  static Result<PartKeys> make(const Surroundings& surroundings, RedisShare share);

  [[nodiscard]] const RedisShare& share() const { return share_; }
  // Only keys of its share.
  Result<void> begin_key(const RdbKey& key) override;
  Result<void> body(std::string_view piece) override;
  Result<void> end_key() override;

  // All are there.
  Result<void> stream(PartSink& out, base::Progress& progress);

 private:
  struct Database {
    std::uint64_t line_bytes = 0;
    std::uint64_t keys = 0;
  };
  struct Body {
    std::uint64_t at = 0;  // in bodies_
    std::uint64_t bytes = 0;
  };
  PartKeys(RedisShare share, spool::SortedRuns keys, spool::Spool bodies)
      : share_(std::move(share)), keys_(std::move(keys)), bodies_(std::move(bodies)) {}
  Result<void> spool_held();
  Result<void> write_line(std::string_view key, std::string_view octets, PartSink& out);
  Result<void> write_body(Body body, PartSink& out);

  RedisShare share_;
  spool::SortedRuns keys_;
  spool::Spool bodies_;                        // those that are not short
  std::map<std::string, Database> databases_;  // "0": of db-0.ndjson
  std::map<Digest, Body> large_;
  // The key that is coming.
  std::string database_;
  KeyHead head_;
  std::string held_;
  Body body_;
  std::optional<crypto::Sha256> digest_;
  std::string buffer_;
};

}  // namespace spl::surface
