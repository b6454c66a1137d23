// What is in a dump of PostgreSQL, whenever and in whatever order of rows it was made: the SQL that pg_restore makes of
// it, without what a restore passes over, each table's rows in the order of their digests. One thread.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "env/env.h"
#include "spool/spool.h"
#include "surface/postgres/dump_program.h"

namespace spl::surface {

class DumpContent {
 public:
  // `spool`: where digests of rows and the beginning of a dump wait. `progress` outlives it.
  DumpContent(env::Env env, spool::SpoolOptions spool, base::Progress& progress)
      : env_(env), spool_(std::move(spool)), progress_(progress) {}

  // Of a dump.pgc, which nobody has looked at. Two of one content have one digest. `name` is what errors about it call
  // it: code kVerification where it is no archive. Code kUnavailable where there is no pg_restore.
  Result<Digest> digest(Source& dump, std::string_view name);

 private:
  Result<const DumpProgram*> program();

  env::Env env_;
  spool::SpoolOptions spool_;
  base::Progress& progress_;
  std::optional<DumpProgram> program_ = {};
};

}  // namespace spl::surface
