// Does the jobs of a daemon, one at a time, in the order in which they were asked for, and tells whoever listens how
// far they are. Any thread; it has one of its own, which ends with it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"
#include "job/job_store.h"

namespace spl::job {

inline constexpr std::size_t kEventsKeptMax = 2000;  // of one job; the oldest go
inline constexpr std::size_t kJobsToldMax = 64;      // whose events are kept; those that ended first go
inline constexpr std::chrono::milliseconds kEventEvery{100};

// One line of what happened: {"seq","at","phase",..}, the last one {"seq","state",..}.
struct JobEvent {
  std::uint64_t seq = 0;
  std::string json;
  bool is_last = false;
};

class JobQueue {
 public:
  // Does a job; what it gives is the job's result.
  using Work = std::function<Result<codec::Json>(const std::string& id, const JobRequest&, base::Progress&)>;
  // Jobs that a daemon before has left are noted as interrupted; `recovered` says what became of what they did.
  static Result<std::unique_ptr<JobQueue>> open(env::Env env, const home::HomePaths& paths, Work work,
                                                const std::string& recovered);
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;
  // The job that runs is asked to end, and waited for.
  ~JobQueue();

  // Nothing begins any more, and what runs is asked to end.
  void end();
  [[nodiscard]] bool is_ending();

  Result<Job> add(JobRequest request);
  [[nodiscard]] JobStore& store() { return *store_; }
  // Events after `seq`, waited for at most so long; none where there is none yet. Of a job that ended before this
  // daemon began, its end alone. Cause kNotFound.
  Result<std::vector<JobEvent>> events(const std::string& id, std::uint64_t after, std::chrono::milliseconds at_most);

 private:
  class Telling;
  struct Told {
    std::deque<JobEvent> events;
    std::uint64_t next_seq = 1;
    bool has_ended = false;
  };
  JobQueue(env::Env env, std::unique_ptr<JobStore> store, Work work);
  void run() noexcept;
  void do_job(const std::string& id, const JobRequest& request);
  void tell(const std::string& id, const codec::Json& event, bool is_last);

  env::Env env_;
  std::unique_ptr<JobStore> store_;
  const Work work_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<std::pair<std::string, JobRequest>> waiting_;
  std::map<std::string, Told> told_;
  std::deque<std::string> ended_;  // whose events are kept still, oldest first
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace spl::job
