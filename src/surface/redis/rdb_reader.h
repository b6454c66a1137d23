// Redis's own file of a whole server, RDB, cut into its keys. The octets of a value in it are those of DUMP, but for
// DUMP's last ten, which are added here: so a value is never understood, only measured. Versions 9 to 11 (Redis 5 to
// 7.2). A server is believed to be what it says, its octets are not: every length is checked. One thread.
//
// Sources: redis/src/rdb.c and rdb.h of 7.0; LZF by liblzf.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stream.h"
#include "surface/redis/redis_type.h"

namespace spl::surface {

inline constexpr unsigned kRdbVersionMin = 9;
inline constexpr unsigned kRdbVersionMax = 11;

struct RdbKey {
  std::uint32_t database = 0;
  std::string key;
  RedisType type = RedisType::kString;
  std::optional<std::int64_t> expires_at_ms = {};  // since 1970
};

class RdbSink {
 public:
  virtual ~RdbSink() = default;
  // A key, then its body as DUMP gives it, in pieces, then its end.
  virtual Result<void> begin_key(const RdbKey& key) = 0;
  virtual Result<void> body(std::string_view piece) = 0;
  virtual Result<void> end_key() = 0;
};

// What there was besides keys.
struct RdbSummary {
  unsigned version = 0;
  bool has_functions = false;
};

class RdbReader {
 public:
  explicit RdbReader(Source& source);
  RdbReader(const RdbReader&) = delete;
  RdbReader& operator=(const RdbReader&) = delete;
  ~RdbReader();

  // From the first octet to the checksum, which is compared. Cause kMalformed where the octets are no RDB, code kUsage
  // where it holds what cannot be carried.
  Result<RdbSummary> read(RdbSink& out);
  // What comes after it.
  Result<void> read_rest(std::string& out, std::size_t bytes);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// DUMP's last ten octets: the version and the checksum of what came before.
std::string dump_end(unsigned version, std::string_view body);

}  // namespace spl::surface
