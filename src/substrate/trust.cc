#include "substrate/trust.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/rfc3339.h"
#include "codec/json.h"
#include "record/thread.h"
#include "substrate/body_members.h"

namespace spl::substrate {
namespace {

using codec::Json;
using std::chrono::system_clock;

constexpr double kZ = 1.96;
constexpr double kHalfLifeDays = 90;
constexpr double kDaySeconds = 86'400;
constexpr std::uint64_t kPage = 10'000;

// A verdict as its record has it: whose work it is about may take another look.
struct Found {
  std::string judge;
  std::string thread;
  std::string domain;
  std::string about;  // the actor, where the record names one
  std::vector<RecordId> reviewed;
  bool accepts = false;
  std::optional<system_clock::time_point> at;
};

void take_ids(const Json& body, std::string_view name, std::vector<RecordId>& ids) {
  for (const std::string& text : one_or_more_in(body, name)) {
    if (const auto id = RecordId::parse(text)) ids.push_back(*id);
  }
}

std::optional<Found> verdict_in(const Record& record) {
  if (record.act != record::Act::kKnow || record.body().find("\"verdict\"") == std::string_view::npos)
    return std::nullopt;
  const Json body = body_of(record);
  const std::string verdict = text_in(body, "verdict");
  if (verdict != "accept" && verdict != "reject") return std::nullopt;
  Found found{.judge = record.actor,
              .thread = record.thread,
              .domain = text_in(body, "domain"),
              .about = {},
              .reviewed = {},
              .accepts = verdict == "accept",
              .at = base::parse_rfc3339(text_in(body, "at"))};
  if (record.judged_by && *record.judged_by != record.actor) found.about = *record.judged_by;
  take_ids(body, "reviews", found.reviewed);
  take_ids(body, "fulfills", found.reviewed);
  return found;
}

// Who did something last on each thread: looked up once, however many verdicts a thread has.
class Workers {
 public:
  explicit Workers(store::StoreReader& reader) : reader_(reader) {}

  // Whose work it judges: the actor of a record that it reviews or fulfills and that is no INTEND, whom the record
  // names, or who did something last on its thread.
  Result<std::string> of(const Found& found) {
    for (const RecordId& id : found.reviewed) {
      const auto reviewed = TRY(reader_.find(id));
      if (reviewed && reviewed->act != record::Act::kIntend && reviewed->actor != found.judge) return reviewed->actor;
    }
    if (!found.about.empty() || found.thread.empty()) return found.about;
    const auto known = by_thread_.find(found.thread);
    const Last& last = known != by_thread_.end()
                           ? known->second
                           : by_thread_.emplace(found.thread, TRY(look(found.thread))).first->second;
    return last.actor != found.judge ? last.actor : last.before;
  }

 private:
  struct Last {
    std::string actor;
    std::string before;  // another one
  };
  Result<Last> look(const std::string& thread) {
    Last last;
    TRY(reader_.thread_records(thread, store::RecordOrder::kClock, [&](const store::StoredRecord& row) -> Result<void> {
      const Record record = TRY(store::parse_row(row));
      const bool is_work = record.act == record::Act::kDo || record.act == record::Act::kCall;
      if (!is_work || record.actor == last.actor) return {};
      last.before = std::exchange(last.actor, record.actor);
      return {};
    }));
    return last;
  }

  store::StoreReader& reader_;
  std::map<std::string, Last> by_thread_;
};

}  // namespace

double wilson_lower_bound(double accepted, double all) {
  if (all <= 0) return 0;
  const double share = accepted / all;
  const double square = kZ * kZ;
  const double spread = kZ * std::sqrt((share * (1 - share) + square / (4 * all)) / all);
  return std::max(0.0, (share + square / (2 * all) - spread) / (1 + square / all));
}

double verdict_weight(std::chrono::seconds age) {
  const double days = std::max(0.0, static_cast<double>(age.count()) / kDaySeconds);
  return std::pow(0.5, days / kHalfLifeDays);
}

void TrustFold::add(const Verdict& verdict) {
  Sums& sums = sums_[{std::string(verdict.worker), std::string(verdict.domain)}];
  const auto age =
      verdict.at ? std::chrono::duration_cast<std::chrono::seconds>(now_ - *verdict.at) : std::chrono::seconds(0);
  const double weight = verdict_weight(age);
  sums.weight += weight;
  if (verdict.accepts) {
    ++sums.accepted;
    sums.accepted_weight += weight;
  } else {
    ++sums.rejected;
  }
}

std::vector<Trust> TrustFold::result() const {
  std::vector<Trust> all;
  for (const auto& [key, sums] : sums_)
    all.push_back(
        {key.first, key.second, sums.accepted, sums.rejected, wilson_lower_bound(sums.accepted_weight, sums.weight)});
  return all;
}

Result<std::vector<Trust>> trust_of_records(store::StoreReader& reader, system_clock::time_point now,
                                            const std::optional<std::string>& actor, base::Progress& progress) {
  std::vector<Found> verdicts;
  for (std::uint64_t since = 0;;) {
    const std::uint64_t before = since;
    TRY(reader.changes(since, kPage, std::nullopt, [&](const store::StoredRecord& row) -> Result<void> {
      since = row.sequence;
      if (row.canonical.find("\"verdict\"") == std::string_view::npos) return {};
      if (auto found = verdict_in(TRY(store::parse_row(row)))) verdicts.push_back(std::move(*found));
      return {};
    }));
    if (since == before) break;
    if (progress.cancelled()) return base::fail_cancelled("nothing was changed");
  }
  TrustFold fold(now);
  Workers workers(reader);
  for (const Found& found : verdicts) {
    const std::string worker = TRY(workers.of(found));
    if (worker.empty() || worker == found.judge || (actor && worker != *actor)) continue;
    fold.add({worker, found.domain, found.accepts, found.at});
  }
  return fold.result();
}

}  // namespace spl::substrate
