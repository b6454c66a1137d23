// Keys of a live server that a restore has replaced, in a file of our own, so that they cost no memory until they are
// discarded or wanted back. The format is this file's alone: each key as three numbers (octets of the key, octets of
// the body, milliseconds of its end or -1), the key, the body of DUMP. One thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

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

}  // namespace spl::surface
