// The schedules of a home and the recipients of its backups, in schedules.db: in no bundle. Any thread, any process.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/sqlite.h"
#include "env/env.h"
#include "home/home.h"
#include "schedule/calendar.h"
#include "schedule/schedule.h"

namespace spl::schedule {

// Cause kNotFound.
std::unexpected<Error> no_such_schedule(const std::string& name);

// With what the daemon has to know of it.
struct StoredSchedule {
  Schedule settings;
  Moment served;    // runs up to it are done, handed out or missed for good
  std::string job;  // that a run was handed out to, and that has not been heard of; "": none
  std::optional<std::string> last_at;
  std::optional<Failure> failure;
};

// A key for which backups can be encrypted: its owner has the other half.
struct StoredRecipient {
  std::string recipient;
  std::string label;
  std::string created_at;
  std::optional<std::string> confirmed_at;  // the other half was shown to be there

  static constexpr auto shape() {
    using R = StoredRecipient;
    return codec::shape(codec::member("recipient", &R::recipient, "age's, public"),
                        codec::member("label", &R::label, "for people"),
                        codec::member("created_at", &R::created_at, "when it was added"),
                        codec::member("confirmed_at", &R::confirmed_at, "when its key was shown to be there"));
  }
};

class ScheduleStore {
 public:
  static Result<std::unique_ptr<ScheduleStore>> open(env::Env env, const home::HomePaths& paths);
  // Null where the home never had one: looking makes none. In a home that cannot be written only to be read.
  static Result<std::unique_ptr<ScheduleStore>> open_if_there(env::Env env, const home::HomePaths& paths);

  // By name.
  Result<std::vector<StoredSchedule>> all();
  Result<StoredSchedule> find(const std::string& name);  // cause kNotFound
  // Anew or in place of that of its name, from now on. Code kRefused where there are too many.
  Result<void> set(const Schedule& schedule);
  Result<void> remove(const std::string& name);

  // Its runs up to `served` are done: the clock was wrong.
  Result<void> correct(const std::string& name, Moment served);
  // Its runs up to `served` are handed out to a job.
  Result<void> hand_out(const std::string& name, Moment served, const std::string& job);
  // The job has ended, and whoever did it has said how; or its run is due again.
  enum class Then : bool { kDone, kDueAgain };
  Result<void> take_back(const std::string& name, const std::string& job, Then then);
  // A backup was made, or none. One that was removed meanwhile is no failure.
  Result<void> note_made(const std::string& name);
  Result<void> note_failure(const std::string& name, const Failure& failure);
  Result<void> note_read(const std::string& name);

  // In the order in which they came.
  Result<std::vector<StoredRecipient>> recipients();
  Result<void> add_recipient(const std::string& recipient, const std::string& label);
  Result<void> confirm_recipient(const std::string& recipient);  // cause kNotFound
  Result<void> remove_recipient(const std::string& recipient);   // the same; code kRefused where a schedule wants it

 private:
  ScheduleStore(env::Env env, db::Connection database) : env_(env), database_(std::move(database)) {}
  template <class Work>
  auto change(const Work& work);
  Result<std::vector<StoredSchedule>> read();
  // A value of one schedule. One that is not there has none.
  Result<void> update(const std::string& column, const std::string& value, const std::string& name);

  env::Env env_;
  std::mutex mutex_;  // guards database_
  db::Connection database_;
};

}  // namespace spl::schedule
