// Which backups stay, and the end of the others. Each on an instance that is open in this process; any thread. The
// rules are schedule/keep.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"
#include "schedule/schedule.h"

namespace spl::operation {

struct PruneRequest {
  std::optional<schedule::Keep> keep;  // none: of each schedule its own
  std::string zone = "UTC";            // of `keep`
  bool dry_run = false;

  static constexpr auto shape() {
    using P = PruneRequest;
    return codec::shape(codec::member("keep", &P::keep,
                                      "of every schedule's backups, and of those of none; missing: each schedule's own",
                                      codec::Presence::kOmitted),
                        codec::member("zone", &P::zone, "in which days, weeks and months are counted"),
                        codec::member("dry_run", &P::dry_run, "only say what would go"));
  }
};
struct JudgedBackup {
  std::string id;
  std::string path;
  std::uint64_t bytes = 0;
  std::string schedule;
  std::vector<std::string> why;

  static constexpr auto shape() {
    using J = JudgedBackup;
    using enum codec::Presence;
    return codec::shape(
        codec::member("id", &J::id, "the backup"), codec::path_member("path", &J::path, "its file"),
        codec::member("bytes", &J::bytes, "its size"),
        codec::member("schedule", &J::schedule, "that made it", kOmitted),
        codec::member("why", &J::why, "it stays: last, daily, weekly, monthly, verified; missing: it goes", kOmitted));
  }
};
struct PruneReport {
  bool dry_run = false;
  std::vector<JudgedBackup> kept;
  std::vector<JudgedBackup> pruned;
  std::uint64_t bytes = 0;  // of those that go

  static constexpr auto shape() {
    using P = PruneReport;
    return codec::shape(codec::member("dry_run", &P::dry_run, "nothing was removed"),
                        codec::member("kept", &P::kept, "those that stay, the newest first"),
                        codec::member("pruned", &P::pruned, "those that went, or would"),
                        codec::member("bytes", &P::bytes, "of those that went, or would"));
  }
};

// Those of all schedules, each with its own rule; or with one rule all that were made here, those of a schedule and of
// a context by themselves. A file that somebody else has put there stays.
Result<PruneReport> prune_backups(instance::Instance& instance, const PruneRequest& request);
// Those that this schedule made.
Result<PruneReport> prune_schedule(instance::Instance& instance, const schedule::Schedule& schedule);

}  // namespace spl::operation
