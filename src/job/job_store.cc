#include "job/job_store.h"

#include <array>

#include "base/cause.h"
#include "base/encoding.h"
#include "codec/enum_names.h"

namespace spl::job {
namespace {

using codec::Json;

constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kIdDigitsMin = 6;
std::optional<std::string> text_or_nothing(const db::Statement& row, int column) {
  const auto text = row.optional_text(column);
  return text ? std::optional(std::string(*text)) : std::nullopt;
}

}  // namespace

Json error_of_job(const Error& error) {
  return Json::Object{
      {"object", "error"}, {"code", base::word_of(error)}, {"message", error.message}, {"hint", error.hint}};
}

std::unexpected<Error> no_such_job(const std::string& id) {
  return fail(Cause::kNotFound, "there is no job " + base::escaped(id, 40), "spl job list shows them");
}

Result<std::unique_ptr<JobStore>> JobStore::open(env::Env env, const home::HomePaths& paths) {
  auto database = TRY(open_jobs_database(env, paths));
  return std::unique_ptr<JobStore>(new JobStore(env, std::move(database)));
}

Result<std::string> JobStore::add(const JobRequest& request) {
  const std::scoped_lock lock(mutex_);
  if (static_cast<std::size_t>(TRY(database_.query_integer("SELECT count(*) FROM jobs WHERE state = 'waiting'"))) >=
      kWaitingMax)
    return fail(ErrorCode::kUnavailable, Cause::kBusy, "16 jobs wait already", "try again when some have ended");
  std::array<char, kIdBytes> octets{};
  env_.random.fill(octets);
  std::string id = base::to_hex({octets.data(), octets.size()});
  const std::string said = request.said.text();
  const std::string now = env::rfc3339(env_.clock.now());
  auto row =
      TRY(database_.prepare("INSERT INTO jobs (id, kind, state, subject, request, created_at, who) VALUES (?1, ?2, "
                            "'waiting', ?3, ?4, ?5, ?6)"));
  row.bind_text(1, id).bind_text(2, codec::enum_name(request.kind)).bind_text(3, request.subject);
  TRY(row.bind_text(4, said).bind_text(5, now).bind_text(6, request.who).run());
  auto old =
      TRY(database_.prepare("DELETE FROM jobs WHERE state NOT IN ('waiting', 'running') AND number <= "
                            "(SELECT max(number) FROM jobs) - ?1"));
  TRY(old.bind(1, static_cast<std::int64_t>(kKeptMax)).run());
  return id;
}

Result<bool> JobStore::start(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const std::string now = env::rfc3339(env_.clock.now());
  auto row = TRY(database_.prepare(
      "UPDATE jobs SET state = 'running', started_at = ?1 WHERE id = ?2 AND state = 'waiting' AND cancelled = 0"));
  TRY(row.bind_text(1, now).bind_text(2, id).run());
  return database_.changes() == 1;
}

Result<void> JobStore::finish(const std::string& id, JobState state, const Json& result, const Json& error) {
  const std::scoped_lock lock(mutex_);
  const std::string now = env::rfc3339(env_.clock.now());
  const std::string result_text = result.text();
  const std::string error_text = error.text();
  auto row = TRY(database_.prepare("UPDATE jobs SET state = ?1, ended_at = ?2, result = ?3, error = ?4 WHERE id = ?5"));
  row.bind_text(1, codec::enum_name(state)).bind_text(2, now).bind_text(3, result_text);
  return row.bind_text(4, error_text).bind_text(5, id).run();
}

Result<Job> JobStore::cancel(const std::string& id) {
  const Job job = TRY(find(id));
  {
    const std::scoped_lock lock(mutex_);
    const std::string now = env::rfc3339(env_.clock.now());
    const std::string why =
        error_of_job({ErrorCode::kFailed, "cancelled before it began", "", Cause::kCancelled}).text();
    auto waits =
        TRY(database_.prepare("UPDATE jobs SET cancelled = 1, state = 'cancelled', ended_at = ?1, error = ?3 "
                              "WHERE id = ?2 AND state = 'waiting'"));
    TRY(waits.bind_text(1, now).bind_text(2, job.id).bind_text(3, why).run());
    auto runs = TRY(database_.prepare("UPDATE jobs SET cancelled = 1 WHERE id = ?1 AND state = 'running'"));
    TRY(runs.bind_text(1, job.id).run());
  }
  return find(job.id);
}

Result<bool> JobStore::is_cancelled(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  auto row = TRY(database_.prepare("SELECT cancelled FROM jobs WHERE id = ?1"));
  row.bind_text(1, id);
  return TRY(row.step()) && row.integer(0) != 0;
}

Result<void> JobStore::interrupt_all(const std::string& why) {
  const std::scoped_lock lock(mutex_);
  const std::string now = env::rfc3339(env_.clock.now());
  const std::string error =
      error_of_job({ErrorCode::kFailed, "the daemon ended meanwhile; " + why, "ask for it again", Cause::kInterrupted})
          .text();
  auto row = TRY(database_.prepare(
      "UPDATE jobs SET state = 'interrupted', ended_at = ?1, error = ?2 WHERE state IN ('waiting', 'running')"));
  return row.bind_text(1, now).bind_text(2, error).run();
}

Result<std::vector<Job>> JobStore::read(const std::string& where, const std::string& value) {
  const std::scoped_lock lock(mutex_);
  auto row =
      TRY(database_.prepare("SELECT id, kind, state, subject, request, created_at, started_at, ended_at, result, "
                            "error FROM jobs " +
                            where + " ORDER BY number DESC"));
  if (!where.empty()) row.bind_text(1, value);
  std::vector<Job> jobs;
  while (TRY(row.step())) {
    Job& job = jobs.emplace_back();
    job.id = row.text(0);
    job.kind = codec::parse_enum<JobKind>(row.text(1)).value_or(JobKind::kBackup);
    job.state = codec::parse_enum<JobState>(row.text(2)).value_or(JobState::kInterrupted);
    job.subject = row.text(3);
    job.request = TRY(Json::parse(row.text(4)));
    job.created_at = row.text(5);
    job.started_at = text_or_nothing(row, 6);
    job.ended_at = text_or_nothing(row, 7);
    if (Json result = TRY(Json::parse(row.text(8))); !result.is_null()) job.result = std::move(result);
    if (Json error = TRY(Json::parse(row.text(9))); !error.is_null()) job.error = std::move(error);
  }
  return jobs;
}

Result<std::vector<Job>> JobStore::all() {
  return read("", "");
}

Result<Job> JobStore::find(const std::string& id) {
  const bool is_plain = id.size() >= kIdDigitsMin && id.find_first_not_of("0123456789abcdef") == std::string::npos;
  std::vector<Job> found = is_plain ? TRY(read("WHERE substr(id, 1, length(?1)) = ?1", id)) : std::vector<Job>();
  if (found.empty()) return no_such_job(id);
  if (found.size() > 1)
    return fail(ErrorCode::kUsage, "several jobs begin with " + base::escaped(id, 40), "give more of its id");
  return std::move(found.front());
}

}  // namespace spl::job
