#include "schedule/keep.h"

#include <array>
#include <limits>

#include "base/rfc3339.h"

namespace spl::schedule {
namespace {

// One of a rule's periods after the other, from the newest.
struct Periods {
  const char* name;
  std::uint64_t left;
  std::int64_t LocalDate::* number;
  std::int64_t seen = std::numeric_limits<std::int64_t>::max();

  bool takes(const LocalDate& date) {
    if (left == 0 || date.*number == seen) return false;
    seen = date.*number;
    --left;
    return true;
  }
};

}  // namespace

Result<void> choose_kept(const std::string& zone, const Keep& keep, std::vector<Kept>& backups) {
  std::uint64_t last_left = keep.last;
  std::array periods{Periods{"daily", keep.daily, &LocalDate::day}, Periods{"weekly", keep.weekly, &LocalDate::week},
                     Periods{"monthly", keep.monthly, &LocalDate::month}};
  bool has_verified = false;
  for (Kept& backup : backups) {
    if (keep.is_all()) backup.why.emplace_back("all");
    if (backup.is_verified && !has_verified) {
      has_verified = true;
      backup.why.emplace_back("verified");
    }
    const auto created = base::parse_rfc3339(backup.created_at);
    if (!created) {
      backup.why.emplace_back("undated");
      continue;
    }
    if (last_left > 0) {
      --last_left;
      backup.why.emplace_back("last");
    }
    const LocalDate date = TRY(date_of(zone, *created));
    for (Periods& rule : periods) {
      if (rule.takes(date)) backup.why.emplace_back(rule.name);
    }
  }
  return {};
}

}  // namespace spl::schedule
