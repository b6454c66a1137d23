// Which backups stay by a rule. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "schedule/calendar.h"
#include "schedule/schedule.h"

namespace spl::schedule {

struct Kept {
  std::string created_at;
  bool is_verified = false;  // it was found to be what was written

  std::vector<std::string> why;  // that it stays; none: it goes
};

// Says of each why it stays: "last", "daily", "weekly", "monthly" (in the zone); "all" where the rule is that;
// "verified", the newest that is, which
// always stays; "undated", one whose time nobody can read. The newest first; code kUsage for a zone that there is not.
Result<void> choose_kept(const std::string& zone, const Keep& keep, std::vector<Kept>& backups);

}  // namespace spl::schedule
