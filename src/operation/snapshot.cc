#include "operation/snapshot.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <thread>

#include "base/both.h"
#include "base/encoding.h"
#include "base/words.h"
#include "env/process_table.h"
#include "operation/part_writer.h"
#include "service/engines.h"
#include "service/leftovers.h"
#include "service/processes.h"
#include "service/program.h"
#include "service/run_ways.h"
#include "surface/drivers.h"

namespace spl::operation {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using surface::Consistency;
using surface::Writers;

constexpr std::size_t kAtOnceMax = 16;  // parts that are opened at the same time

std::string_view word_of(Consistency consistency) {
  switch (consistency) {
    case Consistency::kQuiesced:
      return "quiesced";
    case Consistency::kFilesystem:
      return "filesystem";
    case Consistency::kCrash:
      return "crash";
  }
  return "crash";
}

}  // namespace

struct Snapshot::Part {
  service::PartName name;
  surface::Surroundings surroundings;  // outlives the driver
  std::unique_ptr<surface::BackupPart> driver;
  surface::BackupPlan plan;
  std::string directory = {};      // in which it lies; "": in an engine
  bool has_loose_writers = false;  // processes that nothing pauses
  Consistency consistency = Consistency::kQuiesced;
};

Snapshot::Snapshot(env::Env env, const service::ServiceSet& set, service::SecretLookup secrets, SnapshotOptions options)
    : env_(env), set_(set), secrets_(std::move(secrets)), options_(std::move(options)) {}

Snapshot::~Snapshot() {
  parts_.clear();
  if (!scratch_.empty()) (void)env::remove_tree(env_.fs, scratch_);
}

Result<std::unique_ptr<Snapshot>> Snapshot::plan(env::Env env, const service::ServiceSet& set,
                                                 const service::SecretLookup& secrets, const spool::SpoolOptions& spool,
                                                 SnapshotOptions options, base::Progress& progress) {
  std::unique_ptr<Snapshot> snapshot(new Snapshot(env, set, secrets, std::move(options)));
  TRY(snapshot->choose());
  TRY(snapshot->check_splits());
  for (const service::Declaration* service : snapshot->services_) TRY(service::check_found(set, *service));
  TRY(snapshot->plan_parts(spool, progress));
  if (snapshot->has_services()) snapshot->engines_ = TRY(service::engines_of(set, snapshot->secrets_));
  return snapshot;
}

Result<void> Snapshot::choose() {
  if (options_.context) context_ = TRY(set_.contexts().require(*options_.context));
  if (options_.service) TRY(set_.require(*options_.service));
  for (const std::string& name : options_.without) TRY(set_.require(name));
  for (const service::Declaration& service : set_.services()) {
    if (options_.service && service.name != *options_.service) continue;
    if (std::ranges::find(options_.without, service.name) == options_.without.end()) services_.push_back(&service);
  }
  return {};
}

bool Snapshot::takes(const service::SurfaceDeclaration& surface) const {
  if (surface.surface_class == bundle::SurfaceClass::kDerived) return false;
  if (surface.surface_class == bundle::SurfaceClass::kDerivedCostly && options_.without_derived) return false;
  return context_ == nullptr || surface.is_split();
}

// One context's data must be all of it: sources that are not cut by context stop it, all of them in one error.
Result<void> Snapshot::check_splits() const {
  if (context_ == nullptr) return {};
  std::string whole;
  std::string leave_out;
  for (const service::Declaration* service : services_) {
    std::string its;
    for (const service::SurfaceDeclaration& surface : service->surfaces) {
      if (surface.surface_class != bundle::SurfaceClass::kSource || surface.is_split()) continue;
      its += (its.empty() ? "" : ", ") + surface.name;
    }
    if (its.empty()) continue;
    whole += (whole.empty() ? "" : "; ") + service->name + ": " + its;
    leave_out += " --without " + service->name;
  }
  if (whole.empty()) return {};
  return fail(ErrorCode::kUsage, "surfaces are not split by context: " + whole,
              "the context goes without these services:" + leave_out);
}

Result<void> Snapshot::plan_parts(const spool::SpoolOptions& spool, base::Progress& progress) {
  std::array<char, 8> random{};
  env_.random.fill(random);
  scratch_ = env::join(set_.paths().run(), "b-" + base::to_hex({random.data(), random.size()}));
  const std::string list = service::snapshot_list_of(set_.paths());
  for (const service::Declaration* service : services_) {
    for (const service::SurfaceDeclaration& surface : service->surfaces) {
      if (!takes(surface)) continue;
      for (const service::PartName& name : set_.parts_of(*service, surface, context_)) {
        surface::Surroundings surroundings{.env = env_,
                                           .spool = spool,
                                           .scratch_directory = env::join(scratch_, std::to_string(parts_.size())),
                                           .views = &views_,
                                           .snapshot_list = list};
        auto part = std::make_unique<Part>(Part{name, std::move(surroundings), nullptr, {}});
        parts_.push_back(std::move(part));
      }
    }
  }
  if (parts_.empty()) scratch_.clear();
  std::ranges::sort(parts_, {}, [](const auto& part) { return part->name.section(); });
  for (const auto& part : parts_) TRY(plan_part(*part, progress));
  return {};
}

Result<void> Snapshot::plan_part(Part& part, base::Progress& progress) {
  progress.enter(part.name.service->name, part.name.surface->name);
  progress.update("planning", 0, 0, "");
  TRY(env::make_directories(env_.fs, part.surroundings.scratch_directory));
  surface::Place place = TRY(set_.place_of(part.name, secrets_));
  if (surface::lies_in_files(place.kind)) {
    part.directory = place.kind == bundle::SurfaceKind::kSqlite ? env::parent_of(place.path) : place.path;
    const bool is_pausable = part.name.service->run.has_value();
    const bool is_there = place.kind == bundle::SurfaceKind::kSqlite || TRY(env_.fs.info(place.path)).has_value();
    if (!is_there && part.name.context != nullptr) {
      // A context of which a service has nothing yet.
      progress.enter({}, {});
      return {};
    }
    if (!is_pausable) {
      const auto holder = env::holder_below(part.directory);
      // What may not be looked at may write.
      const bool is_unseen = !holder && holder.error().cause == Cause::kDenied;
      part.has_loose_writers = is_unseen || TRY(holder).has_value();
    }
  }
  // Nobody can see who writes to what a command of the operator's reads.
  if (place.kind == bundle::SurfaceKind::kCommand) part.has_loose_writers = true;
  part.driver = TRY(surface::backup_part(part.surroundings, std::move(place)));
  part.plan = TRY(part.driver->plan(progress));
  for (const std::string& warning : part.plan.warnings) warnings_.push_back(warning);
  progress.enter({}, {});
  return {};
}

std::uint64_t Snapshot::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& part : parts_) sum += part->plan.bytes;
  return sum;
}

Result<void> Snapshot::prepare(base::Progress& progress) {
  for (const auto& part : parts_) {
    if (!part->driver) continue;
    progress.enter(part->name.service->name, part->name.surface->name);
    TRY(part->driver->prepare(progress));
  }
  progress.enter({}, {});
  return sync_disks();
}

// What waits to be written would be written in the pause, by the first snapshot or list that is to be durable.
Result<void> Snapshot::sync_disks() {
  std::set<std::uint64_t> synced;
  std::vector<std::string> directories{set_.paths().run()};
  for (const auto& part : parts_) {
    if (part->driver && !part->directory.empty()) directories.push_back(part->directory);
  }
  for (const std::string& directory : directories) {
    const auto info = TRY(env_.fs.info(directory));
    if (info && info->type == env::FileType::kDirectory && synced.insert(info->device).second)
      TRY(env_.fs.sync_all(directory));
  }
  return {};
}

void Snapshot::note_step(std::string name, nanoseconds& since) {
  const nanoseconds now = env_.clock.since_boot();
  steps_.push_back({std::move(name), std::chrono::duration<double, std::milli>(now - since).count()});
  since = now;
}

// Whether what writes to the part is still.
Result<Writers> Snapshot::writers_of(const Part& part, const std::vector<service::PausedService>& paused) const {
  const service::Declaration& service = *part.name.service;
  // What an engine serves is held by the engine itself.
  if (service::is_database(part.name.surface->kind)) return Writers::kPaused;
  const bool is_paused = std::ranges::any_of(paused, [&](const auto& one) { return one.service == &service; });
  if (is_paused) return Writers::kPaused;
  if (!service.run) return part.has_loose_writers ? Writers::kRunning : Writers::kPaused;
  const auto source = TRY(service::processes_source_of(set_, service));
  return TRY(service::processes_of({source})).empty() ? Writers::kPaused : Writers::kRunning;
}

// In parallel: each waits for its own engine or disk.
Result<void> Snapshot::open_all(const std::vector<service::PausedService>& paused, nanoseconds deadline) {
  std::vector<Part*> waiting;
  for (const auto& part : parts_) {
    if (part->driver) waiting.push_back(part.get());
  }
  std::vector<Writers> writers;
  for (const Part* part : waiting) writers.push_back(TRY(writers_of(*part, paused)));
  std::atomic<std::size_t> next = 0;
  std::vector<Result<Consistency>> opened(waiting.size(), Consistency::kQuiesced);
  const auto work = [&] {
    for (std::size_t i = next++; i < waiting.size(); i = next++)
      opened[i] = waiting[i]->driver->open(writers[i], deadline);
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(waiting.size(), kAtOnceMax); ++i) threads.emplace_back(work);
    work();
  }
  for (std::size_t i = 0; i < waiting.size(); ++i)
    waiting[i]->consistency = TRY_IN(waiting[i]->name.text(), std::move(opened[i]));
  return {};
}

void Snapshot::release_all() {
  for (const auto& part : parts_) {
    if (part->driver) part->driver->release();
  }
}

Result<void> Snapshot::take_paused(const Records& records, bool pauses) {
  steps_.clear();
  auto paused =
      pauses ? service::writers_to_pause(services_, engines_, options_.quiesce) : std::vector<service::PausedService>{};
  TRY(service::ask_managers(set_, paused));
  milliseconds hold_at_most{2000};
  for (const auto& one : paused) hold_at_most = std::min(hold_at_most, one.service->quiesce.timeout);
  TRY(records.hold());
  taken_at_ = env::rfc3339(env_.clock.now());
  const nanoseconds began = env_.clock.since_boot();
  nanoseconds since = began;
  const auto within = [&]() -> Result<void> {
    for (const auto& part : parts_) {
      if (part->driver) TRY_IN(part->name.text(), part->driver->hold(hold_at_most));
    }
    note_step("hold databases", since);
    const auto pause = TRY(service::Pause::begin(env_, set_, secrets_, paused));
    note_step("pause writers", since);
    auto opened = open_all(paused, pause->deadline());
    if (opened) opened = records.open();
    note_step("open views", since);
    auto ended = pause->end();
    note_step("resume writers", since);
    // What does not go on is said first: it weighs more than the moment that was missed.
    return base::both(std::move(ended), std::move(opened));
  };
  auto done = within();
  release_all();
  records.release();
  paused_for_ = env_.clock.since_boot() - began;
  return done;
}

Result<void> Snapshot::take(const Records& records, base::Progress& progress) {
  TRY(prepare(progress));
  if (progress.cancelled()) return base::fail_cancelled("nothing was paused");
  progress.step("pausing the writers");
  auto done = take_paused(records, true);
  if (!done && done.error().cause == Cause::kTimeout && options_.allow_inconsistent) {
    warnings_.push_back("the writers could not be paused long enough, and were not: " + done.error().message);
    std::vector<Part*> again;
    for (const auto& part : parts_) {
      if (!part->driver) continue;
      again.push_back(part.get());
      // Also what parts share is made anew.
      part->driver.reset();
    }
    for (Part* part : again) TRY(plan_part(*part, progress));
    TRY(prepare(progress));
    done = take_paused(records, false);
  }
  if (!done && done.error().cause == Cause::kTimeout && done.error().hint.empty())
    done.error().hint = "with --allow-inconsistent the backup goes on without a pause, and says so";
  TRY(std::move(done));
  weigh();
  return {};
}

// The weakest word of all sources is the bundle's; each that falls short is named.
void Snapshot::weigh() {
  Consistency weakest = Consistency::kQuiesced;
  for (const auto& part : parts_) {
    if (!part->driver || part->name.surface->surface_class != bundle::SurfaceClass::kSource) continue;
    weakest = std::max(weakest, part->consistency);
    if (part->consistency == Consistency::kQuiesced) continue;
    warnings_.push_back(part->name.text() + " is " + std::string(word_of(part->consistency)) + ": " +
                        (part->consistency == Consistency::kCrash
                             ? "it was read while processes that were not paused could write to it"
                             : "it is as a power cut would have left it"));
  }
  consistency_ = word_of(weakest);
}

Result<void> Snapshot::stream(bundle::BundleWriter& writer, base::Progress& progress) {
  for (const auto& part : parts_) {
    if (!part->driver) continue;
    progress.enter(part->name.service->name, part->name.surface->name);
    const std::string section = part->name.section();
    TRY(writer.begin_section(section));
    PartWriter sink(writer, section);
    TRY_IN(part->name.text(), part->driver->stream(sink, progress));
    part->driver.reset();
  }
  progress.enter({}, {});
  return {};
}

std::vector<std::string> Snapshot::service_names() const {
  std::vector<std::string> names;
  for (const service::Declaration* service : services_) names.push_back(service->name);
  return names;
}

// What its parts say, in their order, and nothing twice.
std::string Snapshot::engine_of(const service::SurfaceDeclaration& surface) const {
  std::vector<std::string> texts;
  for (const auto& part : parts_) {
    if (part->name.surface != &surface || part->plan.engine.empty()) continue;
    if (std::ranges::find(texts, part->plan.engine) == texts.end()) texts.push_back(part->plan.engine);
  }
  return base::join(texts, "; ");
}

Result<void> Snapshot::describe(bundle::Manifest& manifest) const {
  manifest.scope = {options_.service, options_.context};
  for (const service::Context& context : set_.contexts().all()) {
    if (context_ == nullptr || context.name == context_->name) manifest.contexts.push_back({context.name, context.id});
  }
  for (const service::Declaration* service : services_) {
    bundle::Service entry{service->name, service->version, service->schema, "", {}};
    // Its text names whatever it likes.
    if (context_ == nullptr) entry.declaration = service->text;
    for (const service::SurfaceDeclaration& surface : service->surfaces) {
      entry.surfaces.push_back(
          {surface.name, surface.kind, surface.surface_class, surface.is_split(), takes(surface), engine_of(surface)});
    }
    manifest.services.push_back(std::move(entry));
    for (const service::SecretDeclaration& secret : service->secrets) {
      const bool per_context = service::names_context(secret.handle);
      // One that is written out for a context may be another's.
      if (context_ != nullptr && !per_context && std::ranges::count(secret.handle, '/') > 1) continue;
      const std::vector<service::Context> none{{}};
      for (const service::Context& context : per_context ? set_.contexts().all() : none) {
        if (context_ != nullptr && per_context && context.name != context_->name) continue;
        const auto values = set_.values(*service, per_context ? &context : nullptr);
        manifest.secrets.push_back({TRY(service::expand(secret.handle, values)), secret.secret_class, secret.required});
      }
    }
  }
  const auto rounded = std::chrono::ceil<milliseconds>(paused_for_);
  manifest.snapshot = {taken_at_, static_cast<std::uint64_t>(has_services() ? rounded.count() : 0), consistency_};
  return {};
}

}  // namespace spl::operation
