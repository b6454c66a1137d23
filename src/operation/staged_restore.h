// All parts of a restore, brought back all or none: staged beside the live ones, checked, switched with the services
// down, and taken back where anything fails. Each step is in the journal before it is taken; recover() finishes or
// takes back what a crash left, by the commit line of the record store (decisions/D-11). It knows parts and names of
// services; what runs them, and where parts are, it is given. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "operation/restore_journal.h"
#include "surface/part.h"

namespace spl::operation {

// What runs the services while parts are switched. Every call can be repeated.
class ServiceControl {
 public:
  virtual ~ServiceControl() = default;
  // Ends it, and keeps every supervisor from starting it, also after a crash, until let_up(). No process of it is left.
  virtual Result<void> hold_down(const std::string& service) = 0;
  virtual Result<void> let_up(const std::string& service) = 0;
  // Starts it and waits until it is healthy.
  virtual Result<void> start(const std::string& service, base::Progress& progress) = 0;
};

// A part that takes part, and the driver's half for it.
struct RestoredPart {
  JournalPart place;
  bundle::SurfaceKind kind = bundle::SurfaceKind::kFiles;
  std::unique_ptr<surface::RestorePart> part;
  std::vector<surface::Count> counts;  // of the staged one, when it was checked
  std::vector<surface::Count> live;    // of what took its place, before its service started
};

struct StagedRestoreOptions {
  RestoreJournal journal;            // its id, its bundle, its services in starting order, its context
  std::vector<std::string> engines;  // of the services: they stay up while parts within engines are switched
  std::function<Result<void>(const RestoreJournal& journal)> add_context;     // repeatable
  std::function<Result<void>(const RestoreJournal& journal)> remove_context;  // repeatable
  // Of a service that does not become healthy with what was restored: makes what it derives from that anew, and says
  // whether there was anything. May be missing.
  std::function<Result<bool>(const std::string& service, base::Progress& progress)> rebuild = {};
};

class StagedRestore {
 public:
  StagedRestore(RestoreJournals& journals, ServiceControl& control, std::vector<RestoredPart> parts,
                StagedRestoreOptions options);
  StagedRestore(const StagedRestore&) = delete;
  StagedRestore& operator=(const StagedRestore&) = delete;
  // Where it was neither finished nor abandoned, it is abandoned, as far as that goes.
  ~StagedRestore();

  [[nodiscard]] std::vector<RestoredPart>& parts() { return parts_; }

  // The store's records are replaced, too, and this many are kept: `previous` has them from the commit on.
  void note_kept_records(std::uint64_t count) { journal_.kept_records = count; }
  // Nothing is staged before the journal says that something may be.
  Result<void> begin();
  Result<void> stage(std::size_t part, surface::PartSource& files, base::Progress& progress);
  Result<void> check(base::Progress& progress);
  // Services down, parts swapped and counted, services up and healthy. After an error everything is as it was before,
  // but for services that do not start: the error names them.
  Result<void> switch_over(base::Progress& progress);
  // After switch_over(), where the commit did not come: as it was before. A service that does not start keeps nothing
  // from being settled: not_started() tells of it.
  Result<void> switch_back();
  // The commit line is written: what was replaced is `previous` from now on. Gives whether anything was.
  Result<bool> finish();
  // Nothing was switched, or all of it was switched back: what is staged goes.
  Result<void> abandon();

  // Of a journal that a crash left, `committed` as the record store says.
  Result<void> recover(bool committed);

  // Of the way back: "notes does not start again: why; ..."; empty where all are up.
  [[nodiscard]] const std::string& not_started() const { return not_started_; }

 private:
  [[nodiscard]] bool is_engine(const std::string& service) const;
  [[nodiscard]] bool has_files(const std::string& service) const;
  Result<void> each_part(surface::SwapWith with, Result<void> (surface::RestorePart::*step)(std::string_view));
  Result<void> every_part(Result<void> (surface::RestorePart::*step)(std::string_view));
  Result<void> swap_parts_back(surface::SwapWith with);
  Result<void> bring_down();
  Result<void> swap_all();
  Result<void> swap_all_back();
  Result<void> compare_counts(surface::SwapWith with);
  Result<void> bring_up(base::Progress& progress);
  Result<void> start(const std::string& service, base::Progress& progress);
  Result<void> bring_up_again(const std::string& service);
  Result<void> save(RestorePhase phase);

  RestoreJournals& journals_;
  ServiceControl& control_;
  std::vector<RestoredPart> parts_;
  StagedRestoreOptions options_;
  RestoreJournal& journal_;
  std::unique_ptr<env::Lock> under_way_;
  std::string not_started_;
  bool settled_ = true;  // nothing is staged that the journal should know of
};

}  // namespace spl::operation
