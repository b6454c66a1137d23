// A Redis server of our own, without data, files, modules or network, that tries values before the live server sees
// them: it looks through each as `sanitize-dump-payload yes` asks it to. One thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/progress.h"
#include "env/child_process.h"
#include "surface/part.h"
#include "surface/redis/key_line.h"
#include "surface/redis/redis_connection.h"

namespace spl::surface {

class ScratchServer {
 public:
  // Whether there is the program for it, and which version it is.
  static Result<std::string> version();
  // Answers when this returns. Code kUnavailable where there is no redis-server. It ends with the object.
  static Result<ScratchServer> start(const Surroundings& surroundings, base::Progress& progress);

  // Whether it takes each, and says of it the type that the line says. Code kVerification where it does not.
  Result<void> try_keys(std::span<const KeyLine> keys);
  // The same of one whose body comes in pieces: `body` is read to its end.
  Result<void> try_large(RedisType type, Source& body, std::uint64_t bytes);

 private:
  ScratchServer(std::unique_ptr<env::ChildProcess> process, RedisConnection connection, RedisAddress address)
      : process_(std::move(process)), connection_(std::move(connection)), address_(std::move(address)) {}
  Result<void> tell_keys(std::span<const KeyLine> keys);
  Result<void> tell_large(RedisType type, Source& body, std::uint64_t bytes);
  [[nodiscard]] Result<void> told_of_end(Result<void> tried) const;

  std::unique_ptr<env::ChildProcess> process_;
  RedisConnection connection_;
  RedisAddress address_;
};

// A RESTORE whose body is read from `body`, to its answer.
Result<RedisReply> restore_long(RedisConnection& connection, std::string_view key,
                                std::optional<std::int64_t> expires_at_ms, Source& body, std::uint64_t bytes);
// Tells it to RESTORE a key in place of one of its name; the answer is still to come.
Result<void> tell_restore(RedisConnection& connection, std::string_view key, std::optional<std::int64_t> expires_at_ms,
                          std::string_view body);

}  // namespace spl::surface
