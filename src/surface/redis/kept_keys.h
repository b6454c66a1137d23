// Keys of a live server that a restore has replaced, in a file of our own, so that they cost no memory until they are
// discarded or wanted back. The format is this file's alone: each key as three numbers (octets of the key, octets of
// the body, milliseconds of its end or -1), the key, the body of DUMP. One thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "env/file_system.h"
#include "surface/redis/redis_connection.h"

namespace spl::surface {

// Calls `each` with some keys at a time, until there are no more: those that begin with `prefix`.
Result<void> scan_keys(RedisConnection& connection, std::string_view prefix,
                       const std::function<Result<void>(const std::vector<std::string>&)>& each);

// All keys of the selected database that begin with `prefix`, without it, but for `passed_over`. Durable. Gives how
// many.
Result<std::uint64_t> keep_keys(RedisConnection& connection, std::string_view prefix,
                                const std::vector<std::string>& passed_over, env::FileSystem& fs,
                                const std::string& path);
// The keys of such a file into the selected database, with `prefix` before each.
Result<void> bring_back_keys(RedisConnection& connection, std::string_view prefix, env::FileSystem& fs,
                             const std::string& path);

// The files of what one part's restore has replaced: in a directory of their own, which is there when all of them are
// whole and durable. Where the directory is "", nothing is kept.
class KeptFiles {
 public:
  KeptFiles(env::FileSystem& fs, std::string directory) : fs_(fs), directory_(std::move(directory)) {}
  [[nodiscard]] Result<bool> are_there() const;
  [[nodiscard]] Result<std::vector<std::string>> list() const;
  [[nodiscard]] std::string path_of(std::string_view name) const { return env::join(directory_, name); }
  // `write` puts them into the directory that it is given, and says how many keys they have. Of none there are no
  // files.
  Result<void> make(const std::function<Result<std::uint64_t>(const std::string& directory)>& write);
  Result<void> remove();

 private:
  [[nodiscard]] std::string unfinished() const { return directory_ + ".part"; }
  env::FileSystem& fs_;
  std::string directory_;
};

}  // namespace spl::surface
