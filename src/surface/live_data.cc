#include "surface/live_data.h"

#include "codec/enum_names.h"
#include "surface/mariadb/mariadb.h"
#include "surface/postgres/postgres.h"
#include "surface/redis/redis.h"

namespace spl::surface {

Result<std::unique_ptr<LiveData>> live_data(env::Env machine, const Place& place, const std::vector<Place>& others) {
  if (place.kind == bundle::SurfaceKind::kRedis) return redis_data(machine, place, others);
  if (place.kind == bundle::SurfaceKind::kPostgres) return postgres_data(machine, place);
  if (place.kind == bundle::SurfaceKind::kMariadb) return mariadb_data(machine, place);
  return fail(ErrorCode::kRefused, Cause::kNotImplemented,
              place.subject + ": this version cannot change what is in " + std::string(codec::enum_name(place.kind)));
}

}  // namespace spl::surface
