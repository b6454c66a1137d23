// The jobs of a home, in jobs.db: in no bundle. Any thread, any process: a wish to cancel reaches the daemon that does
// the work through it.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/sqlite.h"
#include "env/env.h"
#include "home/home.h"
#include "job/job.h"
#include "job/jobs_database.h"

namespace spl::job {

inline constexpr std::size_t kWaitingMax = 16;
inline constexpr std::size_t kKeptMax = 1000;  // jobs that have ended; the oldest go

// Cause kNotFound.
std::unexpected<Error> no_such_job(const std::string& id);

class JobStore {
 public:
  static Result<std::unique_ptr<JobStore>> open(env::Env env, const home::HomePaths& paths);

  // Its id. Code kUnavailable, cause kBusy where too many wait.
  Result<std::string> add(const JobRequest& request);
  // False where it is to be cancelled, and is now.
  Result<bool> start(const std::string& id);
  Result<void> finish(const std::string& id, JobState state, const codec::Json& result, const codec::Json& error);
  // It ends as soon as it can; one that waits has ended now. One that has ended stays as it is.
  Result<Job> cancel(const std::string& id);
  Result<bool> is_cancelled(const std::string& id);
  // What a daemon that has ended was at: said of each, with `why`.
  Result<void> interrupt_all(const std::string& why);

  // The newest first.
  Result<std::vector<Job>> all();
  // By its id or a beginning of it of 6 digits that no other shares. Cause kNotFound.
  Result<Job> find(const std::string& id);

 private:
  JobStore(env::Env env, db::Connection database) : env_(env), database_(std::move(database)) {}
  Result<std::vector<Job>> read(const std::string& where, const std::string& value);
  env::Env env_;
  std::mutex mutex_;  // guards database_
  db::Connection database_;
};

}  // namespace spl::job
