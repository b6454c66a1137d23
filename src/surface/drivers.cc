#include "surface/drivers.h"

#include "codec/enum_names.h"
#include "surface/command/command.h"
#include "surface/files/files.h"
#include "surface/git/git.h"
#include "surface/mariadb/mariadb.h"
#include "surface/postgres/postgres.h"
#include "surface/redis/redis.h"
#include "surface/sqlite/sqlite.h"

namespace spl::surface {
namespace {

std::unexpected<Error> no_driver(const Place& place) {
  return fail(ErrorCode::kUsage, Cause::kNotImplemented,
              place.subject + ": this version has no driver for the kind " + std::string(codec::enum_name(place.kind)));
}

}  // namespace

Result<std::unique_ptr<BackupPart>> backup_part(const Surroundings& surroundings, Place place) {
  if (place.kind == bundle::SurfaceKind::kFiles) return files_backup(surroundings, std::move(place));
  if (place.kind == bundle::SurfaceKind::kGit) return git_backup(surroundings, std::move(place));
  if (place.kind == bundle::SurfaceKind::kSqlite) return sqlite_backup(surroundings, std::move(place));
  if (place.kind == bundle::SurfaceKind::kPostgres) return postgres_backup(surroundings, std::move(place));
  if (place.kind == bundle::SurfaceKind::kMariadb) return mariadb_backup(surroundings, std::move(place));
  if (place.kind == bundle::SurfaceKind::kRedis) return redis_backup(surroundings, std::move(place));
  if (place.kind == bundle::SurfaceKind::kCommand) return command_backup(surroundings, std::move(place));
  return no_driver(place);
}

Result<std::unique_ptr<RestorePart>> restore_part(const Surroundings& surroundings, Place place,
                                                  RestoreRequest request) {
  if (place.kind == bundle::SurfaceKind::kFiles)
    return files_restore(surroundings, std::move(place), std::move(request));
  if (place.kind == bundle::SurfaceKind::kGit) return git_restore(surroundings, std::move(place), std::move(request));
  if (place.kind == bundle::SurfaceKind::kSqlite)
    return sqlite_restore(surroundings, std::move(place), std::move(request));
  if (place.kind == bundle::SurfaceKind::kPostgres)
    return postgres_restore(surroundings, std::move(place), std::move(request));
  if (place.kind == bundle::SurfaceKind::kMariadb)
    return mariadb_restore(surroundings, std::move(place), std::move(request));
  if (place.kind == bundle::SurfaceKind::kRedis)
    return redis_restore(surroundings, std::move(place), std::move(request));
  if (place.kind == bundle::SurfaceKind::kCommand)
    return command_restore(surroundings, std::move(place), std::move(request));
  return no_driver(place);
}

}  // namespace spl::surface
