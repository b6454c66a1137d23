#include "job/activity.h"

#include <charconv>
#include <limits>

#include "base/encoding.h"
#include "codec/enum_names.h"
#include "job/jobs_database.h"

namespace spl::job {
namespace {

constexpr std::size_t kTextBytesMax = 500;

Result<void> insert(db::Connection& database, const Activity& activity, std::int64_t times) {
  const std::string who = base::escaped(activity.who, kTextBytesMax);
  const std::string subject = base::escaped(activity.subject, kTextBytesMax);
  const std::string message = base::escaped(activity.message, kTextBytesMax);
  auto row = TRY(
      database.prepare("INSERT INTO activity (at, who, action, subject, outcome, message, times) VALUES (?1, ?2, ?3, "
                       "?4, ?5, ?6, ?7)"));
  row.bind_text(1, activity.at).bind_text(2, who).bind_text(3, activity.action).bind_text(4, subject);
  return row.bind_text(5, codec::enum_name(activity.outcome)).bind_text(6, message).bind(7, times).run();
}

// Takes the entry away that this one goes on: how often it was, or 0.
Result<std::int64_t> taken_from_before(db::Connection& database, const Activity& activity, const std::string& since) {
  auto before = TRY(
      database.prepare("SELECT number, times, at FROM activity WHERE action = ?1 AND outcome = ?2 ORDER BY number DESC "
                       "LIMIT 1"));
  before.bind_text(1, activity.action).bind_text(2, codec::enum_name(activity.outcome));
  // RFC 3339 in UTC with seconds: the order of the texts is that of the times.
  if (!TRY(before.step()) || before.text(2) < since || before.text(2) > activity.at) return std::int64_t{0};
  const std::int64_t number = before.integer(0);
  const std::int64_t times = before.integer(1);
  before.reset();
  auto old = TRY(database.prepare("DELETE FROM activity WHERE number = ?1"));
  TRY(old.bind(1, number).run());
  return times;
}

void note(env::Env env, const home::HomePaths& paths, Activity activity, bool is_folded) {
  const auto now = env.clock.now();
  activity.at = env::rfc3339(now);
  const auto noted = [&]() -> Result<void> {
    auto database = TRY(open_jobs_database(env, paths));
    TRY(database.execute("BEGIN IMMEDIATE"));
    const std::int64_t before =
        is_folded ? TRY(taken_from_before(database, activity, env::rfc3339(now - kFoldedWithin))) : 0;
    TRY(insert(database, activity, before + 1));
    return database.execute("COMMIT");
  }();
  if (!noted)
    env.log.write(env::LogLevel::kWarn, "activity not noted",
                  {{"action", activity.action}, {"error", noted.error().message}});
}

// How a job failed is told by its error.
void add_error_of_job(const codec::Json& error, Activity& activity) {
  const codec::Json* code = error.find("code");
  const codec::Json* message = error.find("message");
  if (code != nullptr && code->string() != nullptr && *code->string() == "REFUSED")
    activity.outcome = Outcome::kRefused;
  if (message != nullptr && message->string() != nullptr) activity.message = *message->string();
}

Result<std::int64_t> number_of(const std::string& cursor) {
  if (cursor.empty()) return std::numeric_limits<std::int64_t>::max();
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), number);
  if (fault == std::errc() && end == cursor.data() + cursor.size() && number >= 0) return number;
  return fail(ErrorCode::kUsage, "\"" + base::escaped(cursor, 40) + "\" is no cursor of an earlier answer");
}

}  // namespace

void note_activity(env::Env env, const home::HomePaths& paths, const Activity& activity) {
  note(env, paths, activity, false);
}
void note_failed_attempt(env::Env env, const home::HomePaths& paths, const Activity& activity) {
  note(env, paths, activity, true);
}

Result<ActivityPage> activity_page(env::Env env, const home::HomePaths& paths, const std::string& cursor) {
  std::int64_t before = TRY(number_of(cursor));
  ActivityPage page{.entries = {}, .cursor = cursor};
  if (!TRY(env.fs.info(jobs_file(paths)))) return page;
  auto database = TRY(open_jobs_database(env, paths));
  auto row = TRY(database.prepare(
      "SELECT number, at, who, action, subject, outcome, message, times, error FROM activity WHERE number < ?1 "
      "ORDER BY number DESC LIMIT ?2"));
  row.bind(1, before).bind(2, static_cast<std::int64_t>(kActivityPageMax) + 1);
  while (TRY(row.step())) {
    if (page.entries.size() == kActivityPageMax) {
      page.has_more = true;
      break;
    }
    before = row.integer(0);
    Activity& one = page.entries.emplace_back();
    one.at = row.text(1);
    one.who = row.text(2);
    one.action = row.text(3);
    one.subject = row.text(4);
    one.outcome = codec::parse_enum<Outcome>(row.text(5)).value_or(Outcome::kFailed);
    one.message = row.text(6);
    add_error_of_job(TRY(codec::Json::parse(row.text(8))), one);
    if (row.integer(7) > 1) one.message = std::to_string(row.integer(7)) + " times; the last: " + one.message;
  }
  if (!page.entries.empty()) page.cursor = std::to_string(before);
  return page;
}

}  // namespace spl::job
