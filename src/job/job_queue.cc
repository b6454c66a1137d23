#include "job/job_queue.h"

#include <atomic>

#include "base/encoding.h"
#include "base/guarded.h"
#include "codec/enum_names.h"

namespace spl::job {
namespace {

using codec::Json;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kWishLook{200};  // a wish to cancel is looked for that often

Json number_or_null(std::uint64_t number) {
  return number == 0 ? Json() : Json(number);
}
Json text_or_null(std::string_view text) {
  return text.empty() ? Json() : Json(text);
}

// The last event of a job that has ended: 100 % is said with it alone.
Json end_of(const Job& job) {
  Json end = Json::Object{};
  end.add("state", codec::enum_name(job.state));
  if (job.error) {
    end.add("error", *job.error);
  } else {
    end.add("result", job.result.value_or(Json()));
  }
  return end;
}

}  // namespace

// What the work says, as events: of each phase one in a tenth of a second.
class JobQueue::Telling final : public base::Progress {
 public:
  Telling(JobQueue& queue, std::string id) : queue_(queue), id_(std::move(id)) {}

  void update(std::string_view phase, std::uint64_t done, std::uint64_t total, std::string_view unit) override {
    const auto now = queue_.env_.clock.steady();
    if (phase != phase_) {
      phase_ = phase;
      begun_ = now;
      done_before_ = done;
      next_ = now;
    }
    if (now < next_) return;
    next_ = now + kEventEvery;
    Json eta;
    if (total > done && done > done_before_) {
      const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - begun_).count();
      eta = Json(static_cast<std::uint64_t>(static_cast<double>(passed) * static_cast<double>(total - done) /
                                            static_cast<double>(done - done_before_)));
    }
    send(phase, Json(done), number_or_null(total), text_or_null(unit), std::move(eta), Json());
  }
  void step(std::string_view what) override { send({}, Json(), Json(), Json(), Json(), Json(base::escaped(what))); }
  void enter(std::string_view service, std::string_view surface) override {
    service_ = service;
    surface_ = surface;
  }
  bool cancelled() override {
    if (cancelled_) return true;
    const auto now = queue_.env_.clock.steady();
    if (now < next_look_) return false;
    next_look_ = now + kWishLook;
    {
      const std::scoped_lock lock(queue_.mutex_);
      cancelled_ = queue_.ends_;
    }
    const auto wished = queue_.store_->is_cancelled(id_);
    cancelled_ = cancelled_ || (wished && *wished);
    return cancelled_;
  }

 private:
  void send(std::string_view phase, Json done, Json total, Json unit, Json eta, Json message) {
    queue_.tell(id_,
                Json::Object{{"at", env::rfc3339(queue_.env_.clock.now())},
                             {"phase", text_or_null(phase)},
                             {"service", text_or_null(service_)},
                             {"surface", text_or_null(surface_)},
                             {"done", std::move(done)},
                             {"total", std::move(total)},
                             {"unit", std::move(unit)},
                             {"eta_ms", std::move(eta)},
                             {"message", std::move(message)}},
                false);
  }

  JobQueue& queue_;
  const std::string id_;
  std::string phase_;
  std::string service_;
  std::string surface_;
  std::uint64_t done_before_ = 0;
  steady_clock::time_point begun_;
  steady_clock::time_point next_;
  steady_clock::time_point next_look_;
  bool cancelled_ = false;
};

JobQueue::JobQueue(env::Env env, std::unique_ptr<JobStore> store, Work work)
    : env_(env), store_(std::move(store)), work_(std::move(work)), thread_([this] { run(); }) {}

Result<std::unique_ptr<JobQueue>> JobQueue::open(env::Env env, const home::HomePaths& paths, Work work,
                                                 const std::string& recovered) {
  auto store = TRY(JobStore::open(env, paths));
  TRY(store->interrupt_all(recovered));
  return base::guarded("the jobs", [&]() -> Result<std::unique_ptr<JobQueue>> {
    return std::unique_ptr<JobQueue>(new JobQueue(env, std::move(store), std::move(work)));
  });
}

JobQueue::~JobQueue() {
  end();
  thread_.join();
}

void JobQueue::end() {
  {
    const std::scoped_lock lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
}

bool JobQueue::is_ending() {
  const std::scoped_lock lock(mutex_);
  return ends_;
}

Result<Job> JobQueue::add(JobRequest request) {
  const std::string id = TRY(store_->add(request));
  Job job = TRY(store_->find(id));
  {
    const std::scoped_lock lock(mutex_);
    told_[id];
    waiting_.emplace_back(id, std::move(request));
  }
  changed_.notify_all();
  return job;
}

void JobQueue::run() noexcept {
  for (;;) {
    std::pair<std::string, JobRequest> next;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
      if (ends_) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      do_job(next.first, next.second);
    } catch (const std::exception&) {
      // Out of memory where it was to be told: what is stored says what became of it.
    }
  }
}

void JobQueue::do_job(const std::string& id, const JobRequest& request) {
  const auto started = store_->start(id);
  if (started && *started) {
    Telling telling(*this, id);
    const auto outcome = base::guarded("the job", [&] { return work_(id, request, telling); });
    const bool is_cancelled = !outcome && outcome.error().cause == Cause::kCancelled;
    bool ends = false;
    {
      const std::scoped_lock lock(mutex_);
      ends = ends_;
    }
    const JobState state = outcome         ? JobState::kDone
                           : !is_cancelled ? JobState::kFailed
                           : ends          ? JobState::kInterrupted
                                           : JobState::kCancelled;
    const auto noted =
        store_->finish(id, state, outcome ? *outcome : Json(), outcome ? Json() : error_of_job(outcome.error()));
    if (!noted) env_.log.write(env::LogLevel::kError, "job not noted", {{"job", id}, {"error", noted.error().message}});
    env_.log.write(outcome ? env::LogLevel::kInfo : env::LogLevel::kWarn, "job",
                   {{"job", id},
                    {"kind", std::string(codec::enum_name(request.kind))},
                    {"state", std::string(codec::enum_name(state))},
                    {"error", outcome ? "" : outcome.error().message}});
  }
  if (const auto job = store_->find(id)) tell(id, end_of(*job), true);
}

void JobQueue::tell(const std::string& id, const Json& event, bool is_last) {
  {
    const std::scoped_lock lock(mutex_);
    Told& told = told_[id];
    Json numbered = Json::Object{{"seq", told.next_seq}};
    for (const auto& [name, value] : *event.object()) numbered.add(name, value);
    told.events.push_back({told.next_seq++, numbered.text(), is_last});
    if (told.events.size() > kEventsKeptMax) told.events.pop_front();
    if (is_last) {
      told.has_ended = true;
      ended_.push_back(id);
      if (ended_.size() > kJobsToldMax) {
        told_.erase(ended_.front());
        ended_.pop_front();
      }
    }
  }
  changed_.notify_all();
}

Result<std::vector<JobEvent>> JobQueue::events(const std::string& id, std::uint64_t after,
                                               std::chrono::milliseconds at_most) {
  const Job job = TRY(store_->find(id));
  std::unique_lock lock(mutex_);
  const auto at = told_.find(job.id);
  if (at == told_.end() || (has_ended(job.state) && !at->second.has_ended && at->second.events.empty())) {
    Json end = Json::Object{{"seq", 1}};
    const Json rest = end_of(job);
    for (const auto& [name, value] : *rest.object()) end.add(name, value);
    return std::vector<JobEvent>{{1, end.text(), true}};
  }
  const auto has_more = [&] {
    const auto now = told_.find(job.id);
    return ends_ || now == told_.end() || (!now->second.events.empty() && now->second.events.back().seq > after) ||
           now->second.has_ended;
  };
  changed_.wait_for(lock, at_most, has_more);
  std::vector<JobEvent> more;
  const auto now = told_.find(job.id);
  if (now == told_.end()) return more;
  for (const JobEvent& event : now->second.events) {
    // Who has seen the last one is told it again: there is nothing after it.
    if (event.seq > after || (event.is_last && event.seq == now->second.events.back().seq && after >= event.seq))
      more.push_back(event);
  }
  return more;
}

}  // namespace spl::job
