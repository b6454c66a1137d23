// All services of an instance, or some, or one context of them, at one moment (docs/decisions/D-11): plan what each
// part needs, read ahead what no view can be opened of, pause the writers, open every view, let everything go on; only
// then are bytes read out, section by section, into a bundle. The records' view is opened in the same pause. One thread
// an object.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "bundle/manifest.h"
#include "bundle/writer.h"
#include "codec/shape.h"
#include "service/pause.h"
#include "service/service_set.h"
#include "surface/part.h"

namespace spl::operation {

struct SnapshotOptions {
  std::optional<std::string> service;  // only this one
  std::optional<std::string> context;  // only its parts
  std::vector<std::string> without;    // services that are left out
  bool without_derived = false;        // also what is rebuilt at a price
  std::optional<service::Quiesce> quiesce = {};
  bool allow_inconsistent = false;
};

struct PauseStepReport {
  std::string step;
  double ms = 0;

  static constexpr auto shape() {
    return codec::shape(codec::member("step", &PauseStepReport::step, "what was done while writers waited"),
                        codec::member("ms", &PauseStepReport::ms, "how long it took"));
  }
};

class Snapshot {
 public:
  // Changes nothing. Everything that cannot work fails here: code kUsage for what was asked, kUnavailable for an engine
  // or a tool that is not there. `set` outlives the snapshot.
  static Result<std::unique_ptr<Snapshot>> plan(env::Env env, const service::ServiceSet& set,
                                                const service::SecretLookup& secrets, const spool::SpoolOptions& spool,
                                                SnapshotOptions options, base::Progress& progress);
  ~Snapshot();

  // Whether there is a service in it at all.
  [[nodiscard]] bool has_services() const { return !services_.empty(); }
  // About what will be read out.
  [[nodiscard]] std::uint64_t bytes() const;

  // The moment. `hold_records` is called before the pause and makes record ingest wait, `open_records` within it,
  // `release_records` after it.
  struct Records {
    std::function<Result<void>()> hold;
    std::function<Result<void>()> open;
    std::function<void()> release;
  };
  Result<void> take(const Records& records, base::Progress& progress);
  // Every part, each a section, in the order that a bundle wants. Everything runs.
  Result<void> stream(bundle::BundleWriter& writer, base::Progress& progress);
  // Contexts, services, secrets and the moment, in the manifest.
  Result<void> describe(bundle::Manifest& manifest) const;

  [[nodiscard]] std::vector<std::string> service_names() const;
  [[nodiscard]] const std::vector<PauseStepReport>& steps() const { return steps_; }
  // What did not go as it should and stopped nothing.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Part;
  Snapshot(env::Env env, const service::ServiceSet& set, service::SecretLookup secrets, SnapshotOptions options);
  Result<void> choose();
  Result<void> check_splits() const;
  Result<void> plan_parts(const spool::SpoolOptions& spool, base::Progress& progress);
  Result<void> plan_part(Part& part, base::Progress& progress);
  [[nodiscard]] bool takes(const service::SurfaceDeclaration& surface) const;
  [[nodiscard]] std::string engine_of(const service::SurfaceDeclaration& surface) const;
  Result<void> prepare(base::Progress& progress);
  Result<void> sync_disks();
  Result<void> take_paused(const Records& records, bool pauses);
  Result<void> open_all(const std::vector<service::PausedService>& paused, std::chrono::nanoseconds deadline);
  [[nodiscard]] Result<surface::Writers> writers_of(const Part& part,
                                                    const std::vector<service::PausedService>& paused) const;
  void release_all();
  void weigh();
  void note_step(std::string name, std::chrono::nanoseconds& since);

  env::Env env_;
  const service::ServiceSet& set_;
  service::SecretLookup secrets_;
  SnapshotOptions options_;
  const service::Context* context_ = nullptr;
  std::vector<const service::Declaration*> services_;
  std::vector<const service::Declaration*> engines_;
  surface::SharedViews views_;                // outlives the parts
  std::vector<std::unique_ptr<Part>> parts_;  // by section
  std::string scratch_;
  std::string taken_at_;
  std::chrono::nanoseconds paused_for_{0};
  std::string consistency_ = "quiesced";
  std::vector<PauseStepReport> steps_;
  std::vector<std::string> warnings_;
};

}  // namespace spl::operation
