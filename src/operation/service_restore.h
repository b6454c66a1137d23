// The services of a bundle, or some, or one context of them, brought back into a home: what speaks against it, all
// staged when the bundle has verified, then the switch (docs/decisions/D-11). Part of an import, which has the records
// and writes the commit line. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "bundle/manifest.h"
#include "bundle/reader.h"
#include "operation/findings.h"
#include "operation/import_options.h"
#include "operation/rebuilds.h"
#include "operation/restore_journal.h"
#include "operation/restore_room.h"
#include "operation/service_rooms.h"
#include "operation/staged_restore.h"
#include "store/record_store.h"
#include "surface/part.h"

namespace spl::operation {

// A service, or one context of it.
struct ServicePart {
  std::string service;
  std::string context;  // of the home; "" of what is not split
  auto operator<=>(const ServicePart&) const = default;
};

class ServiceRestore {
 public:
  // `rooms` and `manifest` outlive it. Adds what speaks for and against it to `findings`; starts engines that are
  // wanted and down, and writes nothing else.
  static Result<std::unique_ptr<ServiceRestore>> plan(ServiceRooms& rooms, const bundle::Manifest& manifest,
                                                      const ImportOptions& options, surface::Trust signer,
                                                      std::vector<Finding>& findings, base::Progress& progress);
  ~ServiceRestore();

  // Whether anything would be restored.
  [[nodiscard]] bool brings_services() const { return !targets_.empty(); }
  // Why it may not be done at all, if anything: a gate, whatever the findings say.
  [[nodiscard]] const std::optional<Error>& refusal() const { return refusal_; }
  // What is restored.
  [[nodiscard]] std::set<ServicePart> parts() const;
  // What it will write on disks of this machine, but for what servers of databases write.
  void want_room(RestoreRoom& room) const;
  // Of the commit line.
  [[nodiscard]] const std::string& id() const { return journal_.id; }

  // Whether a section of the bundle is of what is restored.
  [[nodiscard]] bool takes(std::string_view section) const;

  // From here on things are staged.
  Result<void> begin();
  // The bundle's records will take the place of these, which are kept as `previous`.
  Result<void> keep_records(store::StoreReader& records);
  // The bundle has verified to its last byte: it is read again, and everything staged and checked.
  Result<void> stage_all(bundle::BundleReader& bundle);
  Result<void> switch_over();
  // Instead of the commit. What does not start again is in not_started().
  Result<void> switch_back();
  [[nodiscard]] const std::string& not_started() const { return restore_->not_started(); }
  // After the commit line: what was replaced is `previous`; derived surfaces are rebuilt, [restore].after is run.
  Result<void> finish(std::vector<Finding>& findings);

  [[nodiscard]] std::vector<RestoredService> report() const;

 private:
  struct Target {
    service::PartName name;  // its context is one of contexts_
    std::string section;     // in the bundle
    bool has_section = false;
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
    std::string engine;
    std::string path = {};  // of a surface that lies in files
    surface::Surroundings surroundings;
    std::unique_ptr<surface::RestorePart> part;  // until it is the staged restore's
    bool staged = false;
  };
  struct WantedSecret {
    std::string handle;
    const service::Declaration* service = nullptr;
    const service::SecretDeclaration* secret = nullptr;
  };

  ServiceRestore(ServiceRooms& rooms, const bundle::Manifest& manifest, const ImportOptions& options,
                 surface::Trust signer, base::Progress& progress);
  Result<void> examine(std::vector<Finding>& findings);
  [[nodiscard]] Finding examine_service(const bundle::Service& service) const;
  Result<void> examine_contexts(std::vector<Finding>& findings);
  Result<void> examine_secrets(std::vector<Finding>& findings);
  Result<void> examine_previous();
  Result<void> examine_parts(std::vector<Finding>& findings);
  static std::string part_of(const Target& target);
  [[nodiscard]] std::uint64_t free_id() const;
  [[nodiscard]] std::uint64_t bundled_id(const std::string& context) const;
  [[nodiscard]] bool brings_parts_of(const std::string& context) const;
  Result<void> choose_targets();
  void add_target(const bundle::Surface& surface, service::PartName name, const std::string& part);
  Result<void> stage(Target& target, surface::PartSource& files);
  Result<void> run_staged_commands_of(const service::Declaration& service);
  [[nodiscard]] std::uint64_t bundled_schema(const std::string& service) const;
  [[nodiscard]] RestoredSurfaces restored() const;
  Result<void> make_secrets();
  void take_secrets_back();
  [[nodiscard]] spool::SpoolOptions spool_options() const;

  ServiceRooms& rooms_;
  const bundle::Manifest& manifest_;
  const ImportOptions& options_;
  const surface::Trust signer_;
  base::Progress& progress_;
  RestoreJournal journal_;
  std::string scratch_;
  std::map<std::string, service::Context> contexts_;  // of the bundle, by name, to those of the home
  std::vector<std::unique_ptr<Target>> targets_;      // by section
  std::vector<std::string> services_;                 // that are restored, in starting order
  std::vector<WantedSecret> wanted_secrets_;
  std::vector<std::string> made_secrets_;
  std::optional<Error> refusal_ = {};
  std::unique_ptr<StagedRestore> restore_;
  bool keeps_records_ = false;
  RestoredSurfaces rebuilt_;  // before their services could start
};

}  // namespace spl::operation
