#include "schedule/schedule_store.h"

#include <algorithm>

#include "base/cause.h"
#include "base/encoding.h"
#include "crypto/age_keys.h"

namespace spl::schedule {
namespace {

constexpr std::int64_t kSchemaVersion = 1;
constexpr int kBusyTimeoutMs = 10'000;
constexpr std::size_t kLabelBytesMax = 200;

// served and was_served: seconds since 1970. The latter is what is due again where a run was not begun.
constexpr char kSchema[] = R"(
CREATE TABLE schedules (name TEXT PRIMARY KEY, settings TEXT NOT NULL, served INTEGER NOT NULL, was_served INTEGER NOT NULL,
                        job TEXT NOT NULL DEFAULT '', last_at TEXT NOT NULL DEFAULT '',
                        failure TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE recipients (number INTEGER PRIMARY KEY, recipient TEXT NOT NULL UNIQUE, label TEXT NOT NULL,
                         created_at TEXT NOT NULL, confirmed_at TEXT NOT NULL DEFAULT '') STRICT;
PRAGMA user_version = 1;
)";

std::string store_file(const home::HomePaths& paths) {
  return env::join(paths.root, "schedules.db");
}

std::int64_t seconds_of(Moment moment) {
  return std::chrono::floor<std::chrono::seconds>(moment.time_since_epoch()).count();
}

std::optional<std::string> text_unless_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(std::string(text));
}

std::unexpected<Error> no_recipient(const std::string& recipient) {
  return fail(Cause::kNotFound, "there is no recipient " + base::escaped(recipient, 80),
              "GET /v1/recipients lists them");
}

}  // namespace

std::unexpected<Error> no_such_schedule(const std::string& name) {
  return fail(Cause::kNotFound, "there is no schedule " + base::escaped(name, 80), "spl schedule list shows them");
}

template <class Work>
auto ScheduleStore::change(const Work& work) {
  using Outcome = decltype(work());
  const std::scoped_lock lock(mutex_);
  auto done = [&]() -> Outcome {
    TRY(database_.execute("BEGIN IMMEDIATE"));
    auto outcome = work();
    if (outcome) TRY(database_.execute("COMMIT"));
    return outcome;
  }();
  (void)database_.roll_back();
  return done;
}

Result<std::unique_ptr<ScheduleStore>> ScheduleStore::open(env::Env env, const home::HomePaths& paths) {
  const std::string path = store_file(paths);
  // Made by hand: its mode is its owner's alone from the first moment.
  TRY(env.fs.open(path, env::OpenMode::kCreate, 0600));
  auto database = TRY_IN(base::escaped(path), db::Connection::open(path, db::OpenAs::kReadWrite));
  database.set_busy_timeout_ms(kBusyTimeoutMs);
  TRY(database.execute("PRAGMA synchronous = FULL"));
  std::unique_ptr<ScheduleStore> store(new ScheduleStore(env, std::move(database)));
  TRY_IN(base::escaped(path), store->change([&]() -> Result<void> {
    const std::int64_t version = TRY(store->database_.query_integer("PRAGMA user_version"));
    if (version > kSchemaVersion)
      return fail(ErrorCode::kVerification, Cause::kNewerVersion, "the schedules are of a newer spl", "upgrade spl");
    return version == kSchemaVersion ? Result<void>() : store->database_.execute(kSchema);
  }));
  return store;
}

Result<std::unique_ptr<ScheduleStore>> ScheduleStore::open_if_there(env::Env env, const home::HomePaths& paths) {
  const std::string path = store_file(paths);
  if (!TRY(env.fs.info(path))) return std::unique_ptr<ScheduleStore>();
  auto store = open(env, paths);
  if (store || !base::cannot_be_written(store.error())) return store;
  // Nobody changes a home that cannot be written: it is read as it is.
  auto database = TRY_IN(base::escaped(path), db::Connection::open(path, db::OpenAs::kUnchanging));
  return std::unique_ptr<ScheduleStore>(new ScheduleStore(env, std::move(database)));
}

Result<std::vector<StoredSchedule>> ScheduleStore::read() {
  std::vector<StoredSchedule> all;
  auto row = TRY(database_.prepare("SELECT settings, served, job, last_at, failure FROM schedules ORDER BY name"));
  while (TRY(row.step())) {
    StoredSchedule& one = all.emplace_back();
    one.settings = TRY(codec::parse_shape_text<Schedule>(row.text(0), codec::Unknown::kIgnored));
    one.served = Moment(std::chrono::seconds(row.integer(1)));
    one.job = row.text(2);
    one.last_at = text_unless_empty(row.text(3));
    if (!row.text(4).empty())
      one.failure = TRY(codec::parse_shape_text<Failure>(row.text(4), codec::Unknown::kIgnored));
  }
  return all;
}

Result<std::vector<StoredSchedule>> ScheduleStore::all() {
  const std::scoped_lock lock(mutex_);
  return read();
}

Result<StoredSchedule> ScheduleStore::find(const std::string& name) {
  std::vector<StoredSchedule> schedules = TRY(all());
  const auto at = std::ranges::find(schedules, name, [](const StoredSchedule& one) { return one.settings.name; });
  if (at == schedules.end()) return no_such_schedule(name);
  return std::move(*at);
}

Result<void> ScheduleStore::set(const Schedule& schedule) {
  TRY(check_schedule(schedule));
  const std::string settings = codec::shape_text(schedule);
  return change([&]() -> Result<void> {
    const std::vector<StoredSchedule> there = TRY(read());
    const auto same =
        std::ranges::find(there, schedule.name, [](const StoredSchedule& one) { return one.settings.name; });
    if (same == there.end() && there.size() >= kSchedulesMax)
      return fail(ErrorCode::kRefused, "there are " + std::to_string(kSchedulesMax) + " schedules already",
                  "remove one first");
    // Said again it is the same: what it has missed stays missed.
    if (same != there.end() && same->settings == schedule) return {};
    auto row = TRY(database_.prepare(
        "INSERT INTO schedules (name, settings, served, was_served) VALUES (?1, ?2, ?3, ?3) ON CONFLICT "
        "(name) DO UPDATE SET settings = ?2, served = ?3, was_served = ?3"));
    row.bind_text(1, schedule.name).bind_text(2, settings);
    return row.bind(3, seconds_of(env_.clock.now())).run();
  });
}

Result<void> ScheduleStore::remove(const std::string& name) {
  return change([&]() -> Result<void> {
    auto row = TRY(database_.prepare("DELETE FROM schedules WHERE name = ?1"));
    TRY(row.bind_text(1, name).run());
    return database_.changes() == 0 ? no_such_schedule(name) : Result<void>();
  });
}

Result<void> ScheduleStore::correct(const std::string& name, Moment served) {
  return change([&]() -> Result<void> {
    auto row = TRY(database_.prepare("UPDATE schedules SET served = ?1, was_served = ?1 WHERE name = ?2"));
    return row.bind(1, seconds_of(served)).bind_text(2, name).run();
  });
}

Result<void> ScheduleStore::hand_out(const std::string& name, Moment served, const std::string& job) {
  return change([&]() -> Result<void> {
    auto row =
        TRY(database_.prepare("UPDATE schedules SET was_served = served, served = ?1, job = ?2 WHERE name = ?3"));
    return row.bind(1, seconds_of(served)).bind_text(2, job).bind_text(3, name).run();
  });
}

Result<void> ScheduleStore::take_back(const std::string& name, const std::string& job, Then then) {
  return change([&]() -> Result<void> {
    const std::string again = then == Then::kDueAgain ? "served = was_served, " : "";
    auto row = TRY(database_.prepare("UPDATE schedules SET " + again + "job = '' WHERE name = ?1 AND job = ?2"));
    return row.bind_text(1, name).bind_text(2, job).run();
  });
}

Result<void> ScheduleStore::update(const std::string& column, const std::string& value, const std::string& name) {
  return change([&]() -> Result<void> {
    auto row = TRY(database_.prepare("UPDATE schedules SET " + column + " = ?1 WHERE name = ?2"));
    return row.bind_text(1, value).bind_text(2, name).run();
  });
}

Result<void> ScheduleStore::note_made(const std::string& name) {
  return update("last_at", env::rfc3339(env_.clock.now()), name);
}
Result<void> ScheduleStore::note_failure(const std::string& name, const Failure& failure) {
  return update("failure", codec::shape_text(failure), name);
}
Result<void> ScheduleStore::note_read(const std::string& name) {
  TRY(find(name));
  return update("failure", "", name);
}

Result<std::vector<StoredRecipient>> ScheduleStore::recipients() {
  const std::scoped_lock lock(mutex_);
  std::vector<StoredRecipient> all;
  auto row =
      TRY(database_.prepare("SELECT recipient, label, created_at, confirmed_at FROM recipients ORDER BY number"));
  while (TRY(row.step()))
    all.push_back(
        {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), text_unless_empty(row.text(3))});
  return all;
}

Result<void> ScheduleStore::add_recipient(const std::string& recipient, const std::string& label) {
  TRY(crypto::Recipient::parse(recipient));
  if (label.size() > kLabelBytesMax || base::escaped(label, kLabelBytesMax) != label)
    return fail(ErrorCode::kUsage, "the label is longer than 200 bytes, or has what cannot be shown");
  const std::string now = env::rfc3339(env_.clock.now());
  return change([&]() -> Result<void> {
    if (static_cast<std::size_t>(TRY(database_.query_integer("SELECT count(*) FROM recipients"))) >= kRecipientsMax)
      return fail(ErrorCode::kRefused, "there are " + std::to_string(kRecipientsMax) + " recipients already",
                  "remove one first");
    auto row = TRY(database_.prepare(
        "INSERT INTO recipients (recipient, label, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (recipient) DO UPDATE "
        "SET label = ?2"));
    return row.bind_text(1, recipient).bind_text(2, label).bind_text(3, now).run();
  });
}

Result<void> ScheduleStore::confirm_recipient(const std::string& recipient) {
  const std::string now = env::rfc3339(env_.clock.now());
  return change([&]() -> Result<void> {
    auto row = TRY(database_.prepare("UPDATE recipients SET confirmed_at = ?1 WHERE recipient = ?2"));
    TRY(row.bind_text(1, now).bind_text(2, recipient).run());
    return database_.changes() == 0 ? no_recipient(recipient) : Result<void>();
  });
}

Result<void> ScheduleStore::remove_recipient(const std::string& recipient) {
  return change([&]() -> Result<void> {
    const std::vector<StoredSchedule> there = TRY(read());
    for (const StoredSchedule& one : there) {
      if (std::ranges::find(one.settings.recipients, recipient) != one.settings.recipients.end())
        return fail(ErrorCode::kRefused, "the schedule " + one.settings.name + " encrypts for it",
                    "give the schedule another recipient first");
    }
    auto row = TRY(database_.prepare("DELETE FROM recipients WHERE recipient = ?1"));
    TRY(row.bind_text(1, recipient).run());
    return database_.changes() == 0 ? no_recipient(recipient) : Result<void>();
  });
}

}  // namespace spl::schedule
