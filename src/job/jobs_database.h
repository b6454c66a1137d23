// jobs.db of a home: its jobs, and who did what. Any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "db/sqlite.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::job {

std::string jobs_file(const home::HomePaths& paths);
// Made, or brought up to date, where it is not; in a home that cannot be written only to be read. Cause kNewerVersion.
Result<db::Connection> open_jobs_database(env::Env env, const home::HomePaths& paths);

}  // namespace spl::job
