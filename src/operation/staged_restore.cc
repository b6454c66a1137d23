#include "operation/staged_restore.h"

#include <algorithm>
#include <ranges>

#include "base/check.h"

namespace spl::operation {
namespace {

using surface::SwapWith;

// The error of the way back is told with the one that made it necessary: a person must know of both.
Error with_way_back(Error error, const Result<void>& back, const std::string& not_started) {
  if (!not_started.empty()) error.message += "; and " + not_started;
  if (!back) {
    error.message += "; and what was done could not be taken back: " + back.error().message;
    error.hint = "the next start or restore tries again" + (back.error().hint.empty() ? "" : ": " + back.error().hint);
  }
  return error;
}

}  // namespace

StagedRestore::StagedRestore(RestoreJournals& journals, ServiceControl& control, std::vector<RestoredPart> parts,
                             StagedRestoreOptions options)
    : journals_(journals),
      control_(control),
      parts_(std::move(parts)),
      options_(std::move(options)),
      journal_(options_.journal) {}

StagedRestore::~StagedRestore() {
  if (!settled_ && journal_.phase == RestorePhase::kStaging) (void)abandon();
}

bool StagedRestore::is_engine(const std::string& service) const {
  return std::ranges::find(options_.engines, service) != options_.engines.end();
}

// Whether a part of its own is swapped that no process may hold.
bool StagedRestore::has_files(const std::string& service) const {
  return std::ranges::any_of(parts_, [&](const RestoredPart& p) {
    return p.place.service == service && surface::swap_with(p.kind) == SwapWith::kNobody;
  });
}

Result<void> StagedRestore::save(RestorePhase phase) {
  journal_.phase = phase;
  journal_.parts.clear();
  for (const RestoredPart& part : parts_) journal_.parts.push_back(part.place);
  return journals_.save(journal_);
}

Result<void> StagedRestore::begin() {
  settled_ = false;
  under_way_ = TRY(journals_.note_under_way());
  return save(RestorePhase::kStaging);
}

Result<void> StagedRestore::stage(std::size_t part, surface::PartSource& files, base::Progress& progress) {
  RestoredPart& staged = parts_.at(part);
  progress.enter(staged.place.service, staged.place.surface);
  staged.place.mark = TRY(staged.part->stage(files, progress));
  progress.enter({}, {});
  return save(RestorePhase::kStaging);
}

Result<void> StagedRestore::check(base::Progress& progress) {
  for (RestoredPart& part : parts_) {
    progress.enter(part.place.service, part.place.surface);
    part.counts = TRY_IN(part.place.service + "/" + part.place.surface, part.part->check(part.place.mark, progress));
  }
  progress.enter({}, {});
  return {};
}

Result<void> StagedRestore::each_part(SwapWith with, Result<void> (surface::RestorePart::*step)(std::string_view)) {
  for (const RestoredPart& part : parts_) {
    if (surface::swap_with(part.kind) != with) continue;
    TRY_IN(part.place.service + "/" + part.place.surface, (*part.part.*step)(part.place.mark));
  }
  return {};
}

Result<void> StagedRestore::every_part(Result<void> (surface::RestorePart::*step)(std::string_view)) {
  for (const SwapWith with : {SwapWith::kEngines, SwapWith::kCommands, SwapWith::kNobody}) TRY(each_part(with, step));
  return {};
}

// The last first: a database within a tree finds its files again only when those that the tree's swap has carried over,
// or was about to, are back.
Result<void> StagedRestore::swap_parts_back(SwapWith with) {
  for (const RestoredPart& part : std::views::reverse(parts_)) {
    if (surface::swap_with(part.kind) != with) continue;
    TRY_IN(part.place.service + "/" + part.place.surface, part.part->swap_back(part.place.mark));
  }
  return {};
}

// The last to start is the first to stop. Engines stay up.
Result<void> StagedRestore::bring_down() {
  for (const std::string& service : std::views::reverse(journal_.services)) {
    if (!is_engine(service)) TRY_IN("stop " + service, control_.hold_down(service));
  }
  return {};
}

// What an engine serves is counted while that runs.
Result<void> StagedRestore::swap_all() {
  for (const SwapWith with : {SwapWith::kEngines, SwapWith::kCommands}) {
    TRY(each_part(with, &surface::RestorePart::swap));
    TRY(compare_counts(with));
  }
  for (const std::string& service : journal_.services) {
    if (is_engine(service) && has_files(service)) TRY_IN("stop " + service, control_.hold_down(service));
  }
  TRY(each_part(SwapWith::kNobody, &surface::RestorePart::swap));
  return compare_counts(SwapWith::kNobody);
}

// Engines are wanted up for their own parts, and down for files of theirs.
Result<void> StagedRestore::swap_all_back() {
  for (const std::string& service : journal_.services) {
    if (is_engine(service) && has_files(service)) TRY_IN("stop " + service, control_.hold_down(service));
  }
  TRY(swap_parts_back(SwapWith::kNobody));
  for (const std::string& service : journal_.services) {
    if (is_engine(service)) TRY(bring_up_again(service));
  }
  TRY(swap_parts_back(SwapWith::kCommands));
  return swap_parts_back(SwapWith::kEngines);
}

// Before anything that starts can change it.
Result<void> StagedRestore::compare_counts(SwapWith with) {
  for (RestoredPart& part : parts_) {
    if (surface::swap_with(part.kind) != with) continue;
    const std::string name = part.place.service + "/" + part.place.surface;
    part.live = TRY_IN(name, part.part->count_live());
    if (part.live == part.counts) continue;
    for (const surface::Count& count : part.counts) {
      const auto found = std::ranges::find(part.live, count.what, &surface::Count::what);
      const std::uint64_t here = found == part.live.end() ? 0 : found->number;
      if (here != count.number)
        return fail(name + ": the bundle has " + std::to_string(count.number) + " " + count.what + ", " +
                    std::to_string(here) + " are here now");
    }
    return fail(name + ": something is here now that the bundle does not count");
  }
  return {};
}

Result<void> StagedRestore::bring_up(base::Progress& progress) {
  for (const std::string& service : journal_.services) {
    TRY(control_.let_up(service));
    TRY_IN("start " + service, start(service, progress));
  }
  return {};
}

Result<void> StagedRestore::start(const std::string& service, base::Progress& progress) {
  auto started = control_.start(service, progress);
  if (started || !options_.rebuild || started.error().cause == Cause::kCancelled) return started;
  return TRY(options_.rebuild(service, progress)) ? control_.start(service, progress) : started;
}

// On the way back: one that does not start is told, and the rest goes on.
Result<void> StagedRestore::bring_up_again(const std::string& service) {
  base::NoProgress to_its_end;
  TRY(control_.let_up(service));
  const auto started = control_.start(service, to_its_end);
  if (!started)
    not_started_ += (not_started_.empty() ? "" : "; ") + service + " does not start again: " + started.error().message;
  return {};
}

Result<void> StagedRestore::switch_over(base::Progress& progress) {
  if (auto saved = save(RestorePhase::kSwitching); !saved) {
    // Whatever of it got to the disk: nothing was switched.
    journal_.phase = RestorePhase::kStaging;
    const auto back = abandon();
    return std::unexpected(with_way_back(std::move(saved).error(), back, not_started_));
  }
  const auto forward = [&]() -> Result<void> {
    progress.update("stopping the services", 0, 0, "");
    TRY(bring_down());
    if (!journal_.added_contexts.empty() && options_.add_context) TRY(options_.add_context(journal_));
    progress.update("switching", 0, 0, "");
    TRY(swap_all());
    progress.update("starting the services", 0, 0, "");
    return bring_up(progress);
  };
  auto done = forward();
  if (done) return done;
  const auto back = switch_back();
  return std::unexpected(with_way_back(std::move(done).error(), back, not_started_));
}

Result<void> StagedRestore::switch_back() {
  TRY(bring_down());
  TRY(swap_all_back());
  if (!journal_.added_contexts.empty() && options_.remove_context) TRY(options_.remove_context(journal_));
  for (const std::string& service : journal_.services) {
    if (!is_engine(service)) TRY(bring_up_again(service));
  }
  return abandon();
}

Result<bool> StagedRestore::finish() {
  TRY(every_part(&surface::RestorePart::retire));
  bool kept = journal_.kept_records.has_value();
  for (RestoredPart& part : parts_) kept = TRY(part.part->has_other(part.place.mark)) || kept;
  if (kept) {
    TRY(save(RestorePhase::kPrevious));
  } else {
    TRY(every_part(&surface::RestorePart::discard));
    TRY(journals_.remove(journal_.id));
  }
  settled_ = true;
  return kept;
}

Result<void> StagedRestore::abandon() {
  TRY(every_part(&surface::RestorePart::discard));
  TRY(journals_.remove(journal_.id));
  settled_ = true;
  return {};
}

Result<void> StagedRestore::recover(bool committed) {
  settled_ = false;
  under_way_ = TRY(journals_.note_under_way());
  switch (journal_.phase) {
    case RestorePhase::kStaging:
      return abandon();
    case RestorePhase::kPrevious:
      settled_ = true;
      return {};
    case RestorePhase::kSwitching:
      break;
  }
  if (!committed) return switch_back();
  // All was swapped, durably, and all services were up before the commit line: what is live now is theirs, and is not
  // swapped again.
  for (const std::string& service : journal_.services) TRY(control_.let_up(service));
  TRY(finish());
  return {};
}

}  // namespace spl::operation
