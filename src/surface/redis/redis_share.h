// Which keys of its server a place means. Pure.
#pragma once

#include <vector>

#include "surface/part.h"
#include "surface/redis/part_keys.h"
#include "surface/redis/redis_connection.h"

namespace spl::surface {

// Code kUsage where a split names a database by no number.
Result<RedisShare> redis_share_of(const Place& place, const RedisAddress& address);
// Of those places that are on the server at this address; one whose url or number is wrong is passed over.
std::vector<RedisShare> shares_of_server(const std::vector<Place>& places, const RedisAddress& address);

}  // namespace spl::surface
